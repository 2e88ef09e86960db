"""Set gdb up and register every command; each module registers its own."""
import gdb

from . import (calls, core, coroutines, files, functions, locks, logs, machine,  # noqa: F401
               maps, programs, queues, switches, tasks, unwind)

for setting in ("confirm off", "pagination off", "print pretty off", "print symbol off", "print entry-values no",
                "disassemble-next-line off", "style enabled off", "breakpoint pending on",
                "remotetimeout 60"):
    gdb.execute("set " + setting, to_string=True)
gdb.events.stop.connect(unwind.on_stop)
gdb.events.stop.connect(programs.on_stop)
if tasks.on_core():
    core.opened()
