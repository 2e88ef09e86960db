; struct task *lab_switch_with(struct task *prev, struct task *next, uint64_t values[6]): load rbx
; rbp r12 r13 r14 r15 with the values, call switch_to, and when this stack runs again store what
; the registers hold then. Returns what switch_to returned.
extern switch_to
global lab_switch_with

section .text
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
    call switch_to
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
