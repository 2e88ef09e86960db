kstart -- stall --mode=threads --wait=100 --tickers=2
kswitch any
kswitch process
bt
kswitch thread
kswitch -b thread
stepi 8
bt 2
ksyscall futex
