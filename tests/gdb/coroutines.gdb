kstart -- stall --mode=blocking --wait=200 --tickers=2
kswitch coroutine
kswitch -b coroutine
info coros
break task_look if $_streq($kcurrent()->name, "stall")
continue
info ktasks
info coros 3
ktask 3
info coros
coro 1
bt
coro 3
bt -3
coro apply all bt -2
ktask cpu
kcore build/test-gdb-coro.core
