$ make gdb CMD=share
kprogram share
break mm_clone if $_streq($kcurrent()->name, "share")
continue
set $heap = (long)heap
kwalk $heap
break task_assign_tid if $kcurrent()->tid == 2
continue
kwalk $heap
break mm_page_fault if $kcurrent()->tid == 3 && address == $heap
continue
p error
kwalk $heap 2
kwalk $heap
finish
kwalk $heap
