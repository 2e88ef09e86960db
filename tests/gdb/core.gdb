info threads
info ktasks
kq
kwait
klocks
kfds 2
kmaps 1
kwalk 0x401000 3
kdmesg 1
ktask 2
bt
ktask
p $ktask(3)->name
p $kcurrent()->tid
ktrace last 1
