; The ways into the kernel and out of it by which user mode's instructions are counted: see
; user_clock.h. Each reads the clock at a place that is always as many instructions away from user
; mode; that many are left out. Interrupts are off at both ends, so nothing comes in between.

%include "arch/frame.inc"
%include "arch/frame_cfi.inc"
extern syscall_entry, trap_table, trap_restore, user_work, user_clock_leave
global user_clock, user_clock_timer, user_clock_syscall, user_clock_table, user_clock_return

SYSCALL_TO_CLOCK equ 2             ; instructions from user mode to the clock (rdtsc)
TRAP_TO_CLOCK equ 5
CLOCK_TO_USER equ 24                    ; and from the clock to user mode
TIMER_TO_USER equ 23            ; from the timer's start to user mode

section .bss
align 8
user_clock: resq 1
user_clock_timer: resq 1
left_at: resq 1                 ; the clock when user mode began; 0: it has been counted
saved_rax: resq 1
saved_rdx: resq 1

section .text

; Count what passed in user mode, but for %1 instructions. rax, rdx and the flags are lost.
%macro COUNT 1
    rdtsc
    shl rdx, 32
    or rax, rdx
    mov rdx, [rel left_at]
    test rdx, rdx
    jz %%done                   ; the task was not an exact one
    sub rax, rdx
    sub rax, %1
    add [rel user_clock], rax
    mov qword [rel left_at], 0
%%done:
%endmacro

user_clock_syscall:             ; rax holds the call's number, the flags are in r11
    mov [rel saved_rax], rax
    mov [rel saved_rdx], rdx
    COUNT SYSCALL_TO_CLOCK
    mov rax, [rel saved_rax]
    mov rdx, [rel saved_rdx]
    jmp syscall_entry

user_clock_count:               ; the CPU has saved the flags
    push rax
    push rdx
    COUNT TRAP_TO_CLOCK
    pop rdx
    pop rax
    ret

; A gate a vector: cs lies above rip, and above the error code where there is one.
%assign vector 0
%rep 256
user_clock_stub_ %+ vector:
%if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17 || vector = 21
    test byte [rsp + 16], 3
%else
    test byte [rsp + 8], 3
%endif
    jz .kernel
    call user_clock_count
.kernel:
    jmp [rel trap_table + vector * 8]
%assign vector vector + 1
%endrep

user_clock_return:              ; from trap.asm's user_return: rsp at the frame
    mov rdi, rsp
    call user_clock_leave
    cmp word [gs:CPU_WORK], 0
    jne user_work
    test eax, eax
    jz .timer_is_set
    add eax, TIMER_TO_USER
    mov rdx, [rel user_clock_timer]
    mov [rdx], eax
.timer_is_set:
    rdtsc
    shl rdx, 32
    or rax, rdx
    add rax, CLOCK_TO_USER
    mov [rel left_at], rax
    swapgs
    jmp trap_restore
user_clock_end:

cfi_cie user_clock_cie, "zRS"
cfi_begin user_clock_cie, user_clock_return, user_clock_end
    cfi_frame_whole
cfi_end

section .rodata
user_clock_table:
%assign vector 0
%rep 256
    dq user_clock_stub_ %+ vector
%assign vector vector + 1
%endrep
