$ make gdb CMD='stall --mode=aware --wait=100 --tickers=2'
kswitch coroutine
kswitch -b coroutine
p $kcurrent()->tid
bt -frame-arguments presence
stepi 11
bt -frame-arguments presence
p $kcurrent()->tid
info coros
