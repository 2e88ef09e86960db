/* Frames of signals: where they do not fit, what they return to, and the alternate stack. */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "counted.h"
#include "tasks.h"

#define SI_KERNEL_CODE 128
#define AUTODISARM ((int)0x80000000)

/* In a child: its status. */
static int status_of(void (*function)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        function();
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

/* SIGUSR1 is to run where nothing can be written. */
static void no_room_for(int signal, unsigned flags)
{
    stack_t stack = {.ss_size = 65536};

    stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(sigaltstack(&stack, NULL) == 0);
    handle(signal, count, SA_ONSTACK | flags);
}

static void frame_of_segv_itself(void)
{
    no_room_for(SIGSEGV, 0);
    raise(SIGSEGV);
}

static void frame_of_both(void)
{
    no_room_for(SIGUSR1, 0);
    handle(SIGSEGV, count, SA_ONSTACK);
    raise(SIGUSR1);
}

static void frame_with_segv_blocked(void)
{
    no_room_for(SIGUSR1, 0);
    handle(SIGSEGV, count, 0);
    block(SIGSEGV);
    raise(SIGUSR1);
}

static void frame_with_segv_ignored(void)
{
    no_room_for(SIGUSR1, 0);
    handle(SIGSEGV, SIG_IGN, 0);
    raise(SIGUSR1);
}

static int code_seen, usr1_blocked;

static void note_segv(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    code_seen = info->si_code;
    /* ucontext_t: the mask is at 296 */
    usr1_blocked = *(unsigned long *)((char *)context + 296) >> (SIGUSR1 - 1) & 1;
    _exit(code_seen == SI_KERNEL_CODE && !info->si_pid ? 10 + usr1_blocked : 1);
}

static void handle_segv(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = note_segv;
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
}

static void frame_for_a_handler_that_notes(void)
{
    handle_segv();
    no_room_for(SIGUSR1, 0);
    raise(SIGUSR1);
}

static void handler_at_no_address(void)
{
    handle_segv();
    handle(SIGUSR1, (void (*)(int))0x8000000000000000ul, 0);
    raise(SIGUSR1);
}

static void no_restorer(void)
{
    unsigned long action[4] = {(unsigned long)count, 0, 0, 0};

    handle_segv();
    CHECK(syscall(SYS_rt_sigaction, SIGUSR1, action, 0, 8, 0, 0) == 0);
    raise(SIGUSR1);
}

static void frame_that_cannot_be_written(void)
{
    struct sigaction now;

    CHECK(status_of(frame_of_segv_itself) == SIGSEGV);
    CHECK(status_of(frame_of_both) == SIGSEGV);
    CHECK(status_of(frame_with_segv_blocked) == SIGSEGV);
    CHECK(status_of(frame_with_segv_ignored) == SIGSEGV);
    CHECK(status_of(frame_for_a_handler_that_notes) == 10 << 8);
    CHECK(status_of(handler_at_no_address) == 11 << 8);
    CHECK(status_of(no_restorer) == 10 << 8);
    no_room_for(SIGUSR1, SA_RESETHAND);
    handle(SIGSEGV, count, 0);
    raise(SIGUSR1);
    CHECK(ran == 1 && last == SIGSEGV); /* and on it goes */
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
}

static void bad_return(void)
{
    __asm__ volatile("mov $0x1000, %%rsp; mov $15, %%eax; syscall; mov $60, "
                     "%%eax; xor %%edi, %%edi;"
                     "syscall"
                     :
                     :
                     : "memory");
}

static void bad_return_ignored(void)
{
    handle(SIGSEGV, SIG_IGN, 0);
    bad_return();
}

static void bad_return_blocked(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    bad_return();
}

static void return_from_no_frame_cannot_be_put_off(void)
{
    CHECK(status_of(bad_return) == SIGSEGV);
    CHECK(status_of(bad_return_ignored) == SIGSEGV);
    CHECK(status_of(bad_return_blocked) == SIGSEGV);
}

static char alternate[32768] __attribute__((aligned(16))), another[32768];
static stack_t seen, in_frame;
static int set_error;

static void look_at_stack(int signal, siginfo_t *info, void *context)
{
    stack_t other = {.ss_sp = another, .ss_size = sizeof(another)};

    (void)signal, (void)info;
    sigaltstack(NULL, &seen);
    in_frame = *(stack_t *)((char *)context + 16);
    set_error = sigaltstack(&other, NULL) ? errno : 0;
    ran++;
}

static void altstack_rules(void)
{
    static const struct {
        int flags, error, then;
    } modes[] = {
        {0, 0, 0},
        {SS_ONSTACK, 0, 0},
        {SS_DISABLE, 0, SS_DISABLE},
        {3, EINVAL, 0},
        {4, EINVAL, 0},
        {AUTODISARM, 0, AUTODISARM},
        {AUTODISARM | SS_DISABLE, 0, AUTODISARM | SS_DISABLE},
        {0x40000000, EINVAL, 0},
    };
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, now;

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        stack.ss_flags = modes[i].flags;
        errno = 0;
        CHECK((sigaltstack(&stack, NULL) ? errno : 0) == modes[i].error);
        CHECK(sigaltstack(NULL, &now) == 0);
        CHECK(modes[i].error || now.ss_flags == modes[i].then);
        CHECK(modes[i].error || now.ss_size == (modes[i].then & SS_DISABLE ? 0 : stack.ss_size));
    }
    stack.ss_flags = 0;
    stack.ss_size = 2047;
    CHECK_ERROR(sigaltstack(&stack, NULL), ENOMEM);
    stack.ss_size = sizeof(alternate);
    action.sa_sigaction = look_at_stack;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaltstack(&stack, NULL) == 0);
    raise(SIGUSR1);
    CHECK(seen.ss_flags == SS_ONSTACK && set_error == EPERM && in_frame.ss_flags == 0);
    stack.ss_flags = AUTODISARM;
    CHECK(sigaltstack(&stack, NULL) == 0);
    raise(SIGUSR1);
    CHECK(seen.ss_flags == SS_DISABLE && seen.ss_size == 0 && set_error == 0);
    CHECK(in_frame.ss_flags == AUTODISARM && in_frame.ss_sp == alternate);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == alternate && now.ss_flags == AUTODISARM);
}

/* On the alternate stack, with 512 bytes left: SIGUSR1 to this process, and
 * exit with 9. */
static void signal_low_on_stack(unsigned flags)
{
    stack_t stack = {.ss_size = sizeof(alternate)};

    stack.ss_sp = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack.ss_sp = (char *)stack.ss_sp + (1 << 19);
    CHECK(sigaltstack(&stack, NULL) == 0);
    handle(SIGUSR1, count, flags);
    __asm__ volatile("mov %0, %%rsp; mov $39, %%eax; syscall; mov %%eax, %%edi; mov $10, "
                     "%%esi;"
                     "mov $62, %%eax; syscall; mov $60, %%eax; mov $9, %%edi; syscall"
                     :
                     : "r"((char *)stack.ss_sp + 512)
                     : "memory");
}

static void low_and_on_stack(void)
{
    signal_low_on_stack(SA_ONSTACK);
}

static void low_and_anywhere(void)
{
    signal_low_on_stack(0);
}

static void altstack_does_not_overflow(void)
{
    CHECK(status_of(low_and_on_stack) == SIGSEGV);
    CHECK(status_of(low_and_anywhere) == SIGSEGV);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(frame_that_cannot_be_written),
        TEST(return_from_no_frame_cannot_be_put_off),
        TEST(altstack_rules),
        TEST(altstack_does_not_overflow),
    };

    return RUN_TESTS(tests);
}
