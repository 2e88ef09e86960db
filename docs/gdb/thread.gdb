$ make gdb CMD='stall --mode=threads --wait=100 --tickers=2'
kswitch thread
kswitch -b thread
p/x $cr3
p $kcurrent()->group->thread_count
stepi 8
p/x $cr3
bt -frame-arguments presence -4
