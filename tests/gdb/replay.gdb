kstart --replay build/test-recording
kswitch process
kswitch process
p $where = $rsp
kback
stepi 8
reverse-stepi
reverse-stepi
p $rip
bt 2
kback
set $from = (struct task *)$rdi
up
watch -l $from->state
reverse-continue
bt -frame-arguments presence 4
break switch_to
kback
info breakpoints
kback
reverse-continue
kback
