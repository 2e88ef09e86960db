; The system call path, whole: from the syscall instruction to the C function and back.
;
; syscall left rip in rcx and rflags in r11, cleared all flags that user mode can set (MSR_SFMASK),
; and changed neither rsp nor GS (SDM volume 2, SYSCALL). The kernel stack is empty then, so the frame
; below is always at its top: trap_user_frame() finds it.

%include "arch/frame.inc"
%include "arch/frame_cfi.inc"
extern syscall_table, syscall_count, syscall_unknown, user_return
global syscall_entry

section .text
syscall_entry:
    swapgs
    mov [gs:CPU_USER_RSP], rsp
    mov rsp, [gs:CPU_RSP0]
    push 0x2b                   ; ss: SELECTOR_USER_DATA
    push qword [gs:CPU_USER_RSP]
.user_rsp_saved:
    push r11                    ; rflags
    push 0x33                   ; cs: SELECTOR_USER_CODE
    push rcx                    ; rip
    push -1                     ; error: marks a system call for restart and signals
    push rax                    ; orig_rax: the call's number
.frame_begun:
    PUSH_REGISTERS              ; rdi down to r15
    POISON_STACK
    sti
    xor ebp, ebp                ; backtraces end at user mode
    cmp rax, [rel syscall_count]
    jae .unknown
.known:
    mov rcx, r10                ; the C function's fourth argument
    call [syscall_table + rax * 8]
.done:
    cli
    cmp dword [gs:CPU_WORK], 0  ; need_resched, user_work or exact?
    jne .slow
    mov r11, [rsp + FRAME_RFLAGS]
    test r11d, RFLAGS_TF        ; sysret would trap at once, iretq traps after one instruction
    jnz .slow
    ; C kept rbx and r12 to r15. The rest comes from the frame, so that nothing leaks out.
    mov rbp, [rsp + 32]
    mov r10, [rsp + 56]
    mov r9, [rsp + 64]
    mov r8, [rsp + 72]
    mov rdx, [rsp + 96]
    mov rsi, [rsp + 104]
    mov rdi, [rsp + 112]
    mov rcx, [rsp + 136]        ; rip, as syscall left it: up to USER_TOP, so sysret cannot fault
    mov rsp, [rsp + 160]
.user_stack:
    swapgs
    o64 sysret
.slow:
    mov [rsp + FRAME_RAX], rax
    jmp user_return
.unknown:
    mov eax, eax                ; the number is an int: what stands above it means nothing
    cmp rax, [rel syscall_count]
    jb .known
    mov rdi, rax
    call syscall_unknown
    jmp .done
syscall_end:

; At both ends the stack is the user's, and rcx the address to go back to. Between the load of rsp
; and the second push nobody can know the user's rsp but the CPU's struct.
cfi_cie syscall_cie, "zRS"
cfi_begin syscall_cie, syscall_entry, syscall_end
    cfi_cfa_offset 0
    db 0x09, DW_ra, DW_rcx      ; DW_CFA_register
    db 0x08, DW_rsp             ; DW_CFA_same_value
    db 0x0a                     ; DW_CFA_remember_state
    cfi_advance syscall_entry.user_rsp_saved - syscall_entry
    cfi_cfa_offset 16
    cfi_saved DW_rsp, 2
    cfi_advance 2
    cfi_cfa_offset 24
    cfi_advance 2
    cfi_cfa_offset 32
    cfi_advance 1
    cfi_cfa_offset 40
    cfi_saved DW_ra, 5
    cfi_advance 2
    cfi_cfa_offset 48
    cfi_advance syscall_entry.frame_begun - syscall_entry.user_rsp_saved - 7
    cfi_frame_begun
    cfi_push_registers
    cfi_advance syscall_entry.user_stack - syscall_entry.frame_begun - PUSH_REGISTERS_SIZE
    db 0x0b                     ; DW_CFA_restore_state
    cfi_advance syscall_entry.slow - syscall_entry.user_stack
    cfi_frame_whole
cfi_end
