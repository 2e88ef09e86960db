$ make gdb CMD='yes >/dev/null & yes >/dev/null & sleep 1'
break signal_return_to_user if $kcurrent()->tid>2 && cpus[0].need_resched
continue
p $kcurrent()->name
p $kcurrent()->state
bt -frame-arguments presence 2
kq
kswitch process
delete 1
break task_wake if $_streq(task->name, "sleep")
continue
p $kcurrent()->name
set $sleeper = task
p $sleeper->state
bt -frame-arguments presence 6
finish
p $sleeper->state
p $sleeper->queued
p cpus[0].need_resched
