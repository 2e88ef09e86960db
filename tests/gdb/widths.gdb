$ gdb -nx -q -x tools/gdb/load.py build/baton.elf
kernel
kstart --smp 4 --append trace=on -- /bin/test/names
kprogram names
break names_are_set if $kcurrent()->tid > 2
continue
info ktasks
info coros
kq
kwait
klocks
kfds
kmaps
kwalk $rip
kwalk schedule
kwalk 0x7ffffffff000
kdmesg
ktrace last 40
ktask 4
ktask 5
coro 9
ktask cpu
kcore build/test-widths.core
ksyscall -r
kswitch
kswitch coroutine
set width 50
info ktasks
info coros
kfds
kq
kwait
