$ make gdb CMD='sleep 1 | cat'
ksyscall -r nanosleep
kswitch -b process
bt -frame-arguments presence 2
x/2i $pc
stepi 6
p $rsp
x/i $pc
stepi
p/x $ktask(3)->rsp == $rsp
stepi
p $rsp
bt -frame-arguments presence
stepi 7
x/i $pc
stepi
