; Where the other CPUs start: real mode, at the page that the STARTUP interrupt names (Intel SDM
; volume 3, section 9.4.4). smp.c copies this code there; it goes to long mode on the first CPU's
; boot page tables, jumps to the kernel's own address, and takes the kernel's tables and stack.
;
; One CPU at a time comes through: smp_stack is its kernel stack.

%define TRAMPOLINE 0x8000       ; TRAMPOLINE_PAGE in smp.c
%define DIRECT_MAP_BASE 0xffff888000000000
%define AT(label) (TRAMPOLINE + label - trampoline_start)

extern boot_pml4, paging_kernel_pml4, smp_stack, smp_main
global trampoline_start, trampoline_end

section .rodata
align 16
bits 16
trampoline_start:
    cli
    xor ax, ax
    mov ds, ax
    o32 lgdt [AT(gdt_pointer)]
    mov eax, 1 << 5             ; PAE
    mov cr4, eax
    mov eax, boot_pml4          ; it maps this page where it is
    mov cr3, eax
    mov ecx, 0xc0000080         ; EFER: LME and NXE
    rdmsr
    or eax, 1 << 8 | 1 << 11
    wrmsr
    mov eax, cr0                ; paging and protection at once: long mode (section 9.8.5)
    or eax, 1 << 31 | 1 << 16 | 1
    and eax, ~(1 << 30 | 1 << 29) ; caches on
    mov cr0, eax
    jmp dword 8:AT(long_mode)

bits 64
long_mode:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov rax, high
    jmp rax

align 8
gdt:
    dq 0
    dq 0x00af9a000000ffff       ; 64-bit code
gdt_pointer:
    dw gdt_pointer - gdt - 1
    dd AT(gdt)
trampoline_end:

section .text
high:
    mov rax, [rel paging_kernel_pml4]
    mov rcx, DIRECT_MAP_BASE
    sub rax, rcx
    mov cr3, rax
    mov rsp, [rel smp_stack]
    xor ebp, ebp                ; backtraces end here
    call smp_main
