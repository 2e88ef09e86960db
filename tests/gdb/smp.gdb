kstart --smp 2 -- sh -c 'seq 1 100000 | wc -l'
ksyscall exit_group
kq
ktask 0
info threads
