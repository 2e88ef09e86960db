; The context switch. What C calls across a function is saved on the old task's stack (System V
; ABI: rbx rbp r12-r15); then rsp changes owner, and the new task's registers come off its stack.
;
;   struct task *switch_to(struct task *prev, struct task *next)   returns prev, in next
;
;   stack of a task that is not running:   rsp -> r15 r14 r13 r12 rbx rbp return-address
;
; Interrupts are off and the run queue's lock is held, before and after.

%define TASK_RSP 0              ; checked in core.c

extern sched_finish_switch, trap_return, kernel_thread_main
global switch_to, switch_begin, switch_swapped, switch_end, task_first_switch

section .text
switch_to:
;@lab 2 switch begin
switch_begin:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi + TASK_RSP], rsp
    mov rsp, [rsi + TASK_RSP]
switch_swapped:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    mov rax, rdi
switch_end:
    ret
;@lab 2 switch stub
;|switch_begin:
;|switch_swapped:
;|switch_end:
;|extern panic
;|    lea rdi, [rel .message]
;|    call panic
;|.message: db "lab 2: write switch_to in kernel/sched/switch.asm (labs/2/README.md, step 3)", 0
;@lab 2 switch end

; Where the first switch to a new task returns: rsp is at its trap frame.
; rbx: nonzero for a task that starts in the kernel.
task_first_switch:
    xor ebp, ebp
    call sched_finish_switch
    test rbx, rbx
    jz trap_return
    call kernel_thread_main
    jmp trap_return
