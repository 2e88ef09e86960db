kstart --add build/user/bin/seq:/bin/echo -- sh -c 'echo 1; uname'
ksyscall write
kprogram
info coros
bt
ktask 2
kprogram
ksyscall uname
kprogram
bt
kprogram uname
