; The least that a switch between two C functions can save: six registers and rsp, by hand, to
; measure co_switch against. It leaves by ret, and by pop and jmp.
;
;   void six_ret(void **from_rsp, void *const *to_rsp), six_jmp likewise
;
;   stack of one that does not run:   rsp -> r15 r14 r13 r12 rbx rbp return-address
global six_ret, six_jmp

%macro exchange 0
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp
    mov rsp, [rsi]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
%endmacro

section .text
align 16
six_ret:
    exchange
    ret
align 16
six_jmp:
    exchange
    pop rcx
    jmp rcx

section .note.GNU-stack noalloc noexec nowrite progbits
