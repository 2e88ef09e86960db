; The context switch. What C calls across a function is saved on the old task's stack (System V
; ABI: rbx rbp r12-r15); then rsp changes owner, and the new task's registers come off its stack.
;
;   struct task *switch_to(struct task *prev, struct task *next)   returns prev, in next
;
;   struct switch_frame (switch.c), where a task waits:   rsp -> r15 r14 r13 r12 rbx rbp return-address
;
; Interrupts are off and the run queue's lock is held, before and after.

%include "arch/frame_cfi.inc"
%define TASK_RSP 0              ; checked in switch.c

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
    nop                         ; a debugger looks at the byte before a return address
task_first_switch:
    xor ebp, ebp
    mov rdi, rax                ; prev
    call sched_finish_switch
    test rbx, rbx
    jz trap_return
    call kernel_thread_main
    jmp trap_return
task_first_switch_end:

; For debuggers. Each stack has the same layout, so the rules hold on both sides of the change; what
; was popped still lies below rsp.
cfi_cie switch_cie, "zR"
cfi_begin switch_cie, switch_to, switch_end + 1
    cfi_push 1, DW_rbp, 2
    cfi_push 1, DW_rbx, 3
    cfi_push 2, DW_r12, 4
    cfi_push 2, DW_r13, 5
    cfi_push 2, DW_r14, 6
    cfi_push 2, DW_r15, 7
    cfi_advance switch_swapped - switch_begin - 10 ; the change
    cfi_pop 2, 48
    cfi_pop 2, 40
    cfi_pop 2, 32
    cfi_pop 2, 24
    cfi_pop 1, 16
    cfi_pop 1, 8
cfi_end
cfi_cie first_cie, "zRS"
cfi_begin first_cie, task_first_switch - 1, task_first_switch_end
    cfi_frame_whole
cfi_end
