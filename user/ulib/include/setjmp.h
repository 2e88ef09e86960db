#ifndef ULIB_SETJMP_H
#define ULIB_SETJMP_H
typedef long jmp_buf[8];
int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);
#endif
