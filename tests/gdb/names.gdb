kstart -- /bin/test/names
kprogram names
break names_are_set if $kcurrent()->tid > 2
continue
info ktasks
info coros
ktask 1
ktask cpu
coro apply all bt -1
kcore build/test-gdb-names.core
set var $ktask(1)->in_all.next = &$ktask(1)->in_all
info ktasks
kq
set var $ktask(1)->in_all.next = 64
info ktasks
set var $container_of(co_registry.all.next, "struct co", "all")->all.next = co_registry.all.next
info coros
set var co_registry.all.next = (struct co_list *)64
info coros
