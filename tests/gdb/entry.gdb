kstart -- sh -c 'echo hi >/dev/null'
ksyscall write
source tests/gdb/entry.py
