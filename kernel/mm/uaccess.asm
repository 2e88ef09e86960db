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
copy_words:
    rep movsq
    mov ecx, edx
    and ecx, 7
copy_bytes:
    rep movsb
    xor eax, eax
    jmp done
FIXUP copy_words, fault
FIXUP copy_bytes, fault

; long uaccess_clear(void *to, size_t size)
uaccess_clear:
    STAC
    mov rcx, rsi
    shr rcx, 3
    xor eax, eax
clear_words:
    rep stosq
    mov ecx, esi
    and ecx, 7
clear_bytes:
    rep stosb
    jmp done
FIXUP clear_words, fault
FIXUP clear_bytes, fault

; long uaccess_load(const uint32_t *word): the word, or -EFAULT
uaccess_load:
    STAC
load_word:
    mov eax, [rdi]
    jmp done
FIXUP load_word, fault

; long uaccess_store4(uint32_t *word, uint32_t value), and the same for 8 bytes: 0, or -EFAULT
uaccess_store4:
    STAC
    xor eax, eax
store_word4:
    mov [rdi], esi
    jmp done
FIXUP store_word4, fault

uaccess_store8:
    STAC
    xor eax, eax
store_word8:
    mov [rdi], rsi
    jmp done
FIXUP store_word8, fault

; long uaccess_exchange(uint32_t *word, uint32_t old, uint32_t value): what the word was (`value` is
; stored if that is `old`, at once), or -EFAULT
uaccess_exchange:
    STAC
    mov eax, esi
exchange_word:
    lock cmpxchg [rdi], edx
    mov eax, eax                ; the upper half is zero, also when eax was not written
    jmp done
FIXUP exchange_word, fault

; long uaccess_string(char *to, const char *from, size_t max): the length, or -errno
uaccess_string:
    STAC
    xor eax, eax
string_next:
    cmp rax, rdx
    je string_too_long
string_load:
    mov cl, [rsi + rax]
    mov [rdi + rax], cl
    inc rax
    test cl, cl
    jnz string_next
    dec rax
    jmp done
string_too_long:
    mov rax, -36                ; -ENAMETOOLONG
    jmp done
FIXUP string_load, fault

fault:
    mov rax, -14                ; -EFAULT
done:
    cmp byte [rel cpu_clac_needed], 0
    je .skip
    clac
.skip:
    ret
