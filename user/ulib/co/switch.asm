; The coroutine switch. What C keeps across a function call is saved on the stack that is left
; (System V ABI, section 3.2: rbx rbp r12-r15, and the control bits of MXCSR and the x87 unit);
; then rsp changes owner, and the registers of the other one come off its stack.
;
;   void *co_switch(struct co_ctx *from, struct co_ctx *to, void *value)   returns value, in `to`
;
;   stack of one that does not run:   rsp -> mxcsr,x87cw r15 r14 r13 r12 rbx rbp return-address
;
; Compare kernel/sched/switch.asm: the same idea, another owner. Here nobody enters the kernel.

%include "cfi.inc"
%define CO_RESUMER 8            ; in struct co; checked in co.c
%define MXCSR_CONTROL 0xffc0    ; the rest says which exceptions there were: a call may change that
extern co_main
global co_switch, co_swapped, co_switch_end, co_entry

section .text
    nop                         ; debuggers look a byte before a return address
;@lab 5 switch begin
co_switch:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
.control:
    sub rsp, 8
.saved:
    stmxcsr [rsp]
    fnstcw [rsp + 4]
    mov eax, [rsp]
    mov [rdi], rsp
    mov rsp, [rsi]
co_swapped:
    xor eax, [rsp]
    test eax, MXCSR_CONTROL
    jz .same                    ; as a rule: a load that changes MXCSR stops some CPUs for 60 ns
    ldmxcsr [rsp]
.same:
    fldcw [rsp + 4]
    add rsp, 8
.registers:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
.value:
    mov rax, rdx
    pop rcx                     ; not ret: the CPU would predict a return to our caller
.popped:
    jmp rcx
co_switch_end:
;@lab 5 switch stub
;|co_switch:
;|co_swapped:
;|    mov eax, 1                  ; write(1, ...)
;|    mov edi, eax
;|    lea rsi, [rel .message]
;|    mov edx, co_switch_end - .message
;|    syscall
;|    mov eax, 231                ; exit_group(1)
;|    mov edi, 1
;|    syscall
;|.message: db "# seen: lab 5: write co_switch in user/ulib/co/switch.asm (labs/5/README.md, step 2)", 10
;|co_switch_end:
;@lab 5 switch end

; Where the first switch to a coroutine goes; rax: what the resumer passed. On the stack is but the
; struct co. co_main does not return; to a debugger its caller's caller is whoever resumed us.
    nop
co_entry:
    mov rdi, [rsp]
    mov rsi, rax
    xor ebp, ebp
    call co_main
    ud2
co_entry_end:

; For debuggers and unwinders: how to find the caller at each instruction. What was popped is still
; below rsp, so only the distance from rsp to the CFA changes on the way out.
;@lab 5 unwinding begin
cfi_cie cie, "zR"
cfi_begin cie, co_switch, co_switch_end
    cfi_push 1, DW_rbp, 2
    cfi_push 1, DW_rbx, 3
    cfi_push 2, DW_r12, 4
    cfi_push 2, DW_r13, 5
    cfi_push 2, DW_r14, 6
    cfi_push 2, DW_r15, 7
    cfi_advance co_switch.saved - co_switch.control
    cfi_cfa_offset 64
    cfi_advance co_swapped.registers - co_switch.saved
    cfi_cfa_offset 56
    cfi_pop 2, 48
    cfi_pop 2, 40
    cfi_pop 2, 32
    cfi_pop 2, 24
    cfi_pop 1, 16
    cfi_pop 1, 8
    cfi_advance co_swapped.popped - co_swapped.value
    cfi_cfa_offset 0
cfi_end
;@lab 5 unwinding end

; The caller's frame is where co->resumer->rsp says, as co_switch left it: 64 bytes below its CFA.
cfi_cie cie_entry, "zRS"
cfi_begin cie_entry, co_entry - 1, co_entry_end
    db 0x0f, 9                  ; DW_CFA_def_cfa_expression:
    db 0x77, 0, 0x06            ;   [rsp], the struct co
    db 0x23, CO_RESUMER, 0x06   ;   its resumer
    db 0x06, 0x23, 64           ;   the resumer's rsp, and 64
    cfi_saved DW_rbp, 2
    cfi_saved DW_rbx, 3
    cfi_saved DW_r12, 4
    cfi_saved DW_r13, 5
    cfi_saved DW_r14, 6
    cfi_saved DW_r15, 7
cfi_end

section .note.GNU-stack noalloc noexec nowrite progbits
