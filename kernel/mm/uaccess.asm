; Copies between the kernel and user memory. Each instruction that touches user memory has an
; entry in .extable: where to go on when it faults.

extern cpu_clac_needed
global uaccess_copy, uaccess_clear, uaccess_string, uaccess_load, uaccess_store4, uaccess_store8
global uaccess_exchange

%macro STAC 0
    cmp byte [rel cpu_clac_needed], 0
    je %%skip
    stac
%%skip:
%endmacro

%macro FIXUP 2
section .extable progbits alloc noexec nowrite align=8
    dq %1, %2
section .text
%endmacro

section .text
; long uaccess_copy(void *to, const void *from, size_t size)
uaccess_copy:
    STAC
    mov rcx, rdx
    shr rcx, 3
.words:
    rep movsq
    mov ecx, edx
    and ecx, 7
.bytes:
    rep movsb
    xor eax, eax
    jmp uaccess_done
FIXUP .words, uaccess_fault
FIXUP .bytes, uaccess_fault

; long uaccess_clear(void *to, size_t size)
uaccess_clear:
    STAC
    mov rcx, rsi
    shr rcx, 3
    xor eax, eax
.words:
    rep stosq
    mov ecx, esi
    and ecx, 7
.bytes:
    rep stosb
    jmp uaccess_done
FIXUP .words, uaccess_fault
FIXUP .bytes, uaccess_fault

; long uaccess_load(const uint32_t *word): the word, or -EFAULT
uaccess_load:
    STAC
.word:
    mov eax, [rdi]
    jmp uaccess_done
FIXUP .word, uaccess_fault

; long uaccess_store4(uint32_t *word, uint32_t value), and the same for 8 bytes: 0, or -EFAULT
uaccess_store4:
    STAC
    xor eax, eax
.word:
    mov [rdi], esi
    jmp uaccess_done
FIXUP .word, uaccess_fault

uaccess_store8:
    STAC
    xor eax, eax
.word:
    mov [rdi], rsi
    jmp uaccess_done
FIXUP .word, uaccess_fault

; long uaccess_exchange(uint32_t *word, uint32_t old, uint32_t value): what the word was (`value` is
; stored if that is `old`, at once), or -EFAULT
uaccess_exchange:
    STAC
    mov eax, esi
.word:
    lock cmpxchg [rdi], edx
    mov eax, eax                ; the upper half is zero, also when eax was not written
    jmp uaccess_done
FIXUP .word, uaccess_fault

; long uaccess_string(char *to, const char *from, size_t max): the length, or -errno
uaccess_string:
    STAC
    xor eax, eax
.next:
    cmp rax, rdx
    je .too_long
.byte:
    mov cl, [rsi + rax]
    mov [rdi + rax], cl
    inc rax
    test cl, cl
    jnz .next
    dec rax
    jmp uaccess_done
.too_long:
    mov rax, -36                ; -ENAMETOOLONG
    jmp uaccess_done
FIXUP .byte, uaccess_fault

uaccess_fault:
    mov rax, -14                ; -EFAULT
uaccess_done:
    cmp byte [rel cpu_clac_needed], 0
    je .skip
    clac
.skip:
    ret
