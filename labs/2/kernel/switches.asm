; Calls of switch_to for lab 2's kernel tests: with known registers, and step by step. stacks.h and
; steps.c say what each is for.
extern switch_to, lab_step
global lab_switch_with, lab_call_rsp, lab_step_switch, lab_step_return, lab_step_trap

section .bss
lab_call_rsp: resq 1

section .text
; struct task *lab_switch_with(struct task *prev, struct task *next, uint64_t values[6])
lab_switch_with:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    push rdx                    ; values; the stack is aligned now
    mov rbx, [rdx]
    mov rbp, [rdx + 8]
    mov r12, [rdx + 16]
    mov r13, [rdx + 24]
    mov r14, [rdx + 32]
    mov r15, [rdx + 40]
    mov [rel lab_call_rsp], rsp
    call switch_to
    cld                         ; C relies on it, and `steps` judges the flags
    mov rdx, [rsp]
    mov [rdx], rbx
    mov [rdx + 8], rbp
    mov [rdx + 16], r12
    mov [rdx + 24], r13
    mov [rdx + 32], r14
    mov [rdx + 40], r15
    pop rdx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

; struct task *lab_step_switch(struct task *prev, struct task *next, uint64_t flags): switch_to, with a
; trap after each instruction if the flags have TF. lab_step ends that when it sees the return.
lab_step_switch:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    sub rsp, 8                  ; the stack is aligned now
    pushfq
    and qword [rsp], ~(1 << 9)  ; IF: a switch before this one may have set it
    or [rsp], rdx
    popfq                       ; the first trap comes after the next instruction
    call switch_to
lab_step_return:
    cld
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

; The trap: lab_step gets what the CPU pushed, five words below an aligned address.
lab_step_trap:
    push rdi
    push rsi
    push rdx
    push rcx
    push rax
    push r8
    push r9
    push r10
    push r11
    cld
    lea rdi, [rsp + 9 * 8]      ; rip cs rflags rsp ss
    call lab_step
    pop r11
    pop r10
    pop r9
    pop r8
    pop rax
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    iretq
