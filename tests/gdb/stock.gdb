set pagination off
info threads
thread 4
bt
source build/test-gdb.core.gdb
info threads
