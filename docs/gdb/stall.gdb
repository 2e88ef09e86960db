$ make gdb CMD='stall --mode=blocking --wait=200 --tickers=2'
kprogram stall
break task_look if $_streq($kcurrent()->name, "stall")
continue
info ktasks
ktask 3
info coros
coro 1
bt -frame-arguments presence
coro 3
bt -frame-arguments presence
