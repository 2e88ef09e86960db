; What stands in the place of preempt_disable() and preempt_enable() once places_patch() was called:
; see places.h. All registers but the flags are kept.

%include "arch/frame.inc"
extern kernel_place
global places_disable, places_enable

section .text

; The current task is explored, preemption is off by one, interrupts are on: then it is a place. The
; caller's return address, which is behind the patched instruction, lies at [rsp + 8].
%macro PLACE 0
    cmp byte [gs:CPU_EXACT], 0
    je %%none
    cmp dword [gs:CPU_PREEMPT_COUNT], 1
    jne %%none
    push rax
    pushfq
    pop rax
    test eax, RFLAGS_IF
    jz %%keep_rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push rbp
    mov rdi, [rsp + 80]
    mov rbp, rsp
    and rsp, -16
    call kernel_place
    mov rsp, rbp
    pop rbp
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
%%keep_rax:
    pop rax
%%none:
%endmacro

places_disable:
    inc dword [gs:CPU_PREEMPT_COUNT]
    PLACE
    ret

places_enable:
    PLACE
    dec dword [gs:CPU_PREEMPT_COUNT]
    ret
