%include "user/ulib/co/cfi.inc"

; long ulib_syscall(long number, a, b, c, d, e, f): the kernel's raw answer.
global clone, ulib_syscall, ulib_restore, setjmp, longjmp
section .text
ulib_syscall:
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    mov r10, r8
    mov r8, r9
    mov r9, [rsp + 8]
    syscall
    ret

; int clone(int (*fn)(void *), void *stack, int flags, void *arg, pid_t *ptid, void *tls, pid_t *ctid)
clone:
    and rsi, -16
    sub rsi, 16
    mov [rsi], rdi              ; the child finds its function and argument on its stack
    mov [rsi + 8], rcx
    mov edi, edx
    mov rdx, r8
    mov r10, [rsp + 8]
    mov r8, r9
    mov eax, 56
    syscall
    test rax, rax
    jnz .parent
    pop rax
    pop rdi
    xor ebp, ebp
    call rax
    mov edi, eax
    mov eax, 60                 ; exit: this thread alone
    syscall
.parent:
    ret

    nop                         ; debuggers look a byte before a return address
ulib_restore:                   ; what a signal handler returns to
    mov eax, 15                 ; rt_sigreturn
    syscall
ulib_restore_end:

; rsp is at the frame's struct ucontext; its registers (struct sigcontext, 40 bytes in) begin with
; r8 and end with rip, behind which is the CFA.
cfi_cie restore_cie, "zRS"
cfi_begin restore_cie, ulib_restore - 1, ulib_restore_end
    cfi_cfa_offset 176
    cfi_saved DW_rsp, 2
    cfi_saved DW_rcx, 3
    cfi_saved DW_rax, 4
    cfi_saved DW_rdx, 5
    cfi_saved DW_rbx, 6
    cfi_saved DW_rbp, 7
    cfi_saved DW_rsi, 8
    cfi_saved DW_rdi, 9
    cfi_saved DW_r15, 10
    cfi_saved DW_r14, 11
    cfi_saved DW_r13, 12
    cfi_saved DW_r12, 13
    cfi_saved DW_r11, 14
    cfi_saved DW_r10, 15
    cfi_saved DW_r9, 16
    cfi_saved DW_r8, 17
cfi_end

setjmp:
    mov [rdi], rbx
    mov [rdi + 8], rbp
    mov [rdi + 16], r12
    mov [rdi + 24], r13
    mov [rdi + 32], r14
    mov [rdi + 40], r15
    lea rdx, [rsp + 8]
    mov [rdi + 48], rdx
    mov rdx, [rsp]
    mov [rdi + 56], rdx
    xor eax, eax
    ret

longjmp:
    mov eax, esi
    test eax, eax
    jnz .go
    inc eax
.go:
    mov rbx, [rdi]
    mov rbp, [rdi + 8]
    mov r12, [rdi + 16]
    mov r13, [rdi + 24]
    mov r14, [rdi + 32]
    mov r15, [rdi + 40]
    mov rsp, [rdi + 48]
    jmp [rdi + 56]
