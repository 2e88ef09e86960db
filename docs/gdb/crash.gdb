$ make gdb CMD=isolate
break signal_user_fault if $kcurrent()->group->pid > 3 && signal == 11
continue
p $kcurrent()->tid
p address
bt -frame-arguments presence
delete 1
break task_exit_group if status == 11
continue
bt -frame-arguments presence
delete 2
break task_wait
ksyscall -r wait4
info ktasks
