$ make gdb CMD=true
p/x $pc
break *&boot_start
continue
p/x $eax
p $cr0
break *&long_mode
continue
p $cr0
p $cr3 == (long)&boot_pml4
break kernel_main
continue
p/x magic
p (long)$rsp == (long)&boot_kernel_stack_top - 8
break paging_init
continue
finish
p $cr3 == (long)paging_kernel_pml4 - 0xffff888000000000
break first_task
continue
info ktasks
break elf_load
continue
bt -frame-arguments presence
kprogram init
break *&trap_iretq if ((long *)$rsp)[1] & 3
continue
p ((long *)$rsp)[0] == (long)&_start
p ((long *)$rsp)[1]
stepi
p *(long *)$rsp
p ((char **)$rsp)[1]
info ktasks
