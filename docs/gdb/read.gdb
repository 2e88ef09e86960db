$ make gdb CMD='{ sleep 1; echo hello; } | cat'
kprogram cat
break ulib_syscall if $_streq($kcurrent()->name, "cat") && $rdi == 0
continue
bt -frame-arguments presence
stepi 7
p $rax
p $rdi
p $rdx
p $cs
p $rsp
stepi
p $pc == syscall_entry
p $cs
p $rsp
stepi 3
p $rsp == $kcurrent()->kernel_stack
break sys_read
continue
set $cat = $kcurrent()
set $frame = (struct trap_frame *)$cat->kernel_stack - 1
p $frame->orig_rax
p $frame->rdx
p $frame->cs
delete 2
break pipe_write
continue
kwait
bt -frame-arguments presence
break uaccess_copy if $kcurrent() == $cat
continue
p $rdx
p *(char *)$rsi@6
bt -frame-arguments presence
break *&'syscall_entry.done' if $kcurrent() == $cat
continue
p $rax
p $frame->rax
break *$frame->rip if $kcurrent() == $cat
continue
p $cs
p $rax
p *(char *)$rsi@6
