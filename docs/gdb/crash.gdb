$ make gdb CMD=isolate
break signal_user_fault if $kcurrent()->tid == 4
continue
p signal
bt -frame-arguments presence
delete 1
break task_exit_group if status == 11
continue
bt -frame-arguments presence
kswitch any
info ktasks
break *&'syscall_entry.done' if $kcurrent()->tid == 2
continue
p $rax
info ktasks
