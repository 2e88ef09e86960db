"""From the entry to the return: is main in the backtrace at each instruction?"""
import gdb

steps = good = 0
while gdb.newest_frame().pc() > 0x800000000000 and steps < 2000:
    steps += 1
    if "main" in gdb.execute("bt", to_string=True):
        good += 1
    else:
        print(f"cut short: {gdb.execute('x/i $pc', to_string=True)}")
    gdb.execute("stepi", to_string=True)
print(f"{good} of {steps} backtraces reach main")
