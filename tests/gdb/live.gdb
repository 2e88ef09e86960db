kstart --append trace=on -- sh -c 'sleep 1 | cat'
ksyscall -r nanosleep
bt
info ktasks
kprogram
kq
kwait
klocks
kfds
kmaps
kwalk $rip
kwalk 0x401000
kwalk 0x10000 1
kdmesg 1
ktask 2
bt
up
ktask
ktask apply all bt 2
ktask cpu
p $ktask(1)->name
p $kcurrent()->tid
p $container_of(&$ktask(2)->in_all, "struct task", "in_all")->tid
p $pa($ktask(1)) == (unsigned long)$ktask(1) - 0xffff888000000000
ktrace last 3
ktrace save build/test-gdb.ktr
kcore build/test-gdb.core
