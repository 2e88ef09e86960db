; Where a program starts: rsp is at argc (x86-64 psABI, section 3.4.1).
extern ulib_start
global _start
section .text
_start:
    xor ebp, ebp
    mov rdi, rsp
    and rsp, -16
    call ulib_start
