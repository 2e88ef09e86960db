info ktasks
kstart -- sh -c 'echo hi'
info ktasks
kswitch sideways
ksyscall sing
ktask 77
ksyscall write
ktask 77
ktask cpu 
info coros
kback
kprogram nothing-like-this
kwalk
ktask 2
ksyscall getpid
kdmesg 1
