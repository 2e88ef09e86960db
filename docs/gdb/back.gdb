shell tools/run --record build/walk -- sh -c 'sleep 1 | cat'
kstart --replay build/walk
ksyscall exit_group
kback
bt -frame-arguments presence 2
stepi 8
p $rsp
reverse-stepi
p $rsp
