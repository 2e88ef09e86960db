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
