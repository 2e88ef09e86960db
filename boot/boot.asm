; From the boot loader (32 bit, paging off) to kernel_main in the higher half.
;
; Multiboot 1 (specification 0.6.96, section 3): eax holds the magic, ebx the information's
; physical address. The first 4 GiB are mapped by 2 MiB pages three times: at 0, so that this
; code goes on running; at the direct map; and its first 2 GiB at the kernel's own address.
; paging_init replaces all of it.

%define KERNEL_BASE 0xffffffff80000000
%define PRESENT_WRITE 3
%define LARGE 0x80
%define LONG_MODE (1 << 29)     ; CPUID 0x80000001, edx
%define NX (1 << 20)
%define LOG_PORT 0x2f8          ; the second serial port; its status is 5 behind it
%define DEBUG_EXIT_PORT 0xf4    ; arch/exit.c
%define EXIT_PANIC 0x11

section .boot.header align=4
header:
    dd 0x1badb002               ; magic
    dd 3                        ; modules on page boundaries, and the memory map
    dd -(0x1badb002 + 3)

section .boot.text progbits alloc exec nowrite align=16
bits 32
extern kernel_main
global boot_start
boot_start:
    cld
    mov edi, eax                ; kernel_main's arguments survive down to the call
    mov esi, ebx
    mov esp, boot_stack_top

    ; Has it CPUID (can EFLAGS.ID be changed: SDM volume 1, section 20.1), long mode and NX?
    pushfd
    pop eax
    mov ecx, eax
    xor eax, 1 << 21
    push eax
    popfd
    pushfd
    pop eax
    xor eax, ecx
    test eax, 1 << 21
    jz unfit
    mov eax, 0x80000000         ; the highest of these numbers
    cpuid
    cmp eax, 0x80000001
    jb unfit
    mov eax, 0x80000001
    cpuid
    and edx, LONG_MODE | NX
    cmp edx, LONG_MODE | NX
    jne unfit

    mov ecx, 0                  ; 2048 entries of 2 MiB: four page directories in a row
.fill:
    mov eax, ecx
    shl eax, 21
    or eax, PRESENT_WRITE | LARGE
    mov [boot_pd + ecx * 8], eax
    mov dword [boot_pd + ecx * 8 + 4], 0
    inc ecx
    cmp ecx, 2048
    jne .fill

    mov eax, boot_pd + PRESENT_WRITE
    mov [boot_pdpt_high + 510 * 8], eax
    mov ecx, 0
.link:
    mov [boot_pdpt + ecx * 8], eax
    add eax, 4096
    inc ecx
    cmp ecx, 4
    jne .link
    mov dword [boot_pdpt_high + 511 * 8], boot_pd + 4096 + PRESENT_WRITE
    mov dword [boot_pml4], boot_pdpt + PRESENT_WRITE
    mov dword [boot_pml4 + 273 * 8], boot_pdpt + PRESENT_WRITE   ; 0xffff888000000000
    mov dword [boot_pml4 + 511 * 8], boot_pdpt_high + PRESENT_WRITE

    ; Long mode: Intel SDM volume 3, section 9.8.5.
    mov eax, cr4
    or eax, 1 << 5              ; PAE
    mov cr4, eax
    mov eax, boot_pml4
    mov cr3, eax
    mov ecx, 0xc0000080         ; EFER: LME and NXE
    rdmsr
    or eax, 1 << 8 | 1 << 11
    wrmsr
    mov eax, cr0
    or eax, 1 << 31 | 1 << 16 | 1
    mov cr0, eax
    lgdt [boot_gdt_pointer]
    jmp 8:long_mode

; Say so on the screen and in the log, and end as in a panic.
unfit:
    mov esi, unfit_text
    mov edi, 0xb8000
.next:
    lodsb
    test al, al
    jz .end
    mov ah, 7                   ; grey on black
    stosw
    mov ecx, 100000             ; if the port never is ready, there is none
.wait:
    mov dx, LOG_PORT + 5
    push eax
    in al, dx
    test al, 1 << 5             ; it takes the next byte
    pop eax
    loopz .wait
    mov dx, LOG_PORT
    out dx, al
    jmp .next
.end:
    mov eax, EXIT_PANIC
    out DEBUG_EXIT_PORT, eax
    cli
    hlt
    jmp .end

bits 64
long_mode:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov edi, edi
    mov esi, esi
    mov rsp, boot_kernel_stack_top
    xor ebp, ebp                ; backtraces end here
    mov rax, kernel_main
    call rax
.stop:
    hlt
    jmp .stop

section .boot.data progbits alloc noexec write align=16
boot_gdt:
    dq 0
    dq 0x00af9a000000ffff       ; 64-bit code
unfit_text:
    db "PANIC: this CPU has no 64 bits (long mode), or no NX: Baton needs both", 10, 0
boot_gdt_pointer:
    dw boot_gdt_pointer - boot_gdt - 1
    dd boot_gdt

section .boot.bss nobits alloc noexec write align=4096
global boot_pml4                ; the other CPUs start on it, too
boot_pml4: resb 4096
boot_pdpt: resb 4096
boot_pdpt_high: resb 4096
boot_pd: resb 4 * 4096
    resb 256
boot_stack_top:

section .bss
alignb 4096
global boot_kernel_stack_top
    resb 16384
boot_kernel_stack_top:
