; Traps and interrupts: build a struct trap_frame, call trap_dispatch, go back.
;
;   by the CPU: ss rsp rflags cs rip [error]   then here: [0] vector rdi ... r15  <- rsp

%include "arch/frame.inc"
%include "arch/frame_cfi.inc"
extern trap_dispatch, nmi_dispatch, signal_return_to_user, cpu_clac_needed, user_clock_return
global trap_return, trap_table, trap_restore, user_return, user_work

%macro POP_REGISTERS 0
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    pop r11
    pop r10
    pop r9
    pop r8
    pop rax
    pop rcx
    pop rdx
    pop rsi
    pop rdi
%endmacro

section .text

; A stub a vector: the CPU pushes an error code for these alone (SDM volume 3, table 6-1).
%assign vector 0
%rep 256
trap_stub_ %+ vector:
%if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17 || vector = 21
%else
    push 0
%endif
    push vector
%if vector = 2
    jmp nmi_common
%elif vector >= 11 && vector <= 13
    jmp segment_trap
%else
    jmp trap_common
%endif
%assign vector vector + 1
%endrep

; iretq raises these, in the kernel but with user mode's GS, if it cannot go where rt_sigreturn
; wants to. Then it is as if user mode had done so from there: what iretq did not like is still on
; the stack's top, with room below for error and vector; the registers are user mode's.
segment_trap:
    test byte [rsp + 24], 3     ; cs
    jnz trap_common
    cmp qword [rsp + 16], trap_iretq ; rip
    jne trap_common
    push qword [rsp + 8]        ; error: from below the CPU's new words to below iretq's
    pop qword [rsp + 56]
    push qword [rsp]            ; vector
    pop qword [rsp + 48]
    add rsp, 48
    jmp trap_common

; An NMI comes at any moment, also between a swapgs and its partner: it leaves GS alone.
nmi_common:
    PUSH_REGISTERS
    cld
    mov rdi, rsp
    call nmi_dispatch
    jmp trap_restore

trap_common:
    test byte [rsp + 24], 3     ; cs, above vector, error and rip
    jz .from_kernel
    swapgs
.from_kernel:
    PUSH_REGISTERS
    cld
    POISON_STACK
    cmp byte [rel cpu_clac_needed], 0
    je .no_smap
    clac                        ; user mode may have set AC
.no_smap:
    mov rdi, rsp
    call trap_dispatch

trap_return:                    ; rsp: the frame; also where a new task starts
    cli
    test byte [rsp + FRAME_CS], 3
    jz trap_restore
user_return:
    cmp dword [gs:CPU_WORK], 0
    jne user_work_or_clock
    swapgs
trap_restore:
    POP_REGISTERS
    add rsp, 16                 ; vector and error
trap_iretq:
    iretq
user_work_or_clock:
    cmp word [gs:CPU_WORK], 0   ; need_resched or user_work? Otherwise it is `exact`
    je user_clock_return
user_work:
    mov rdi, rsp
    call signal_return_to_user
    jmp trap_return
trap_end:

cfi_cie trap_cie, "zRS"
cfi_begin trap_cie, nmi_common, trap_common
    cfi_frame_begun
    cfi_push_registers
cfi_end
cfi_begin trap_cie, trap_common, trap_end
    cfi_frame_begun
    cfi_advance trap_common.from_kernel - trap_common
    cfi_push_registers
    cfi_advance trap_restore - trap_common.from_kernel - PUSH_REGISTERS_SIZE
    cfi_pop_registers
    cfi_advance 2               ; iretq
    cfi_cfa_offset 176
cfi_end

section .rodata
trap_table:
%assign vector 0
%rep 256
    dq trap_stub_ %+ vector
%assign vector vector + 1
%endrep
