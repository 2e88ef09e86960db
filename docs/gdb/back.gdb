shell tools/run --record build/walk -- sh -c 'sleep 1 | cat'
kstart --replay build/walk
ksyscall exit_group
kback
set $next = (struct task *)$rsi
bt -frame-arguments presence 2
stepi 8
p $rsp
reverse-stepi
p $rsp
up
watch -l $next->state
reverse-continue
bt -frame-arguments presence 9
reverse-continue
bt -frame-arguments presence 5
