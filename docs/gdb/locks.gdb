$ make gdb CMD='race --wake ready'
break futex_wait if value == 0
continue
p $kcurrent()->tid
p *word
break kernel/sched/futex.c:futex_wake if *word == 1
continue
p $kcurrent()->tid
p $ktask(3)->state
kwait
break task_wake if task->tid == 3
continue
bt -frame-arguments presence 4
p cpus[0].preempt_count
p task->reason
kswitch thread
p $ktask(3)->state
