; _Noreturn void thread_unmap_exit(void *map, size_t size): the end of a detached thread.
; From the first call to the second there is no stack: nothing here may push or be interrupted by
; a signal's handler (the caller has blocked them all).
global thread_unmap_exit
section .text
thread_unmap_exit:
    mov eax, 11                 ; munmap(map, size)
    syscall
    xor edi, edi
    mov eax, 60                 ; exit(0): this thread alone
    syscall

section .note.GNU-stack noalloc noexec nowrite progbits
