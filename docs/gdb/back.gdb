$ make record CMD='sleep 1 | cat'
$ make replay
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
