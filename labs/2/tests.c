/* Lab 2, the switch: what a switch must keep, seen from programs. */
#include <fcntl.h>
#include <sys/wait.h>

#include "grade.h"

#define RING 60

static void first_task(void)
{
    grade_value("first", grade_number(1));
}

/*
 * pid_t fork_with(uint64_t values[11]): fork with rbx rbp r12 r13 r14 r15 rdi rsi rdx r8 r9 loaded from
 * `values`; stored there again is what they hold in who returns. (rcx and r11 are the call's own.)
 */
pid_t fork_with(uint64_t values[11]);
__asm__("fork_with:\n"
        "   push %rbx\n   push %rbp\n   push %r12\n   push %r13\n   push %r14\n   push %r15\n"
        "   push %rdi\n"
        "   mov (%rdi), %rbx\n      mov 8(%rdi), %rbp\n   mov 16(%rdi), %r12\n   mov 24(%rdi), %r13\n"
        "   mov 32(%rdi), %r14\n    mov 40(%rdi), %r15\n  mov 56(%rdi), %rsi\n   mov 64(%rdi), %rdx\n"
        "   mov 72(%rdi), %r8\n     mov 80(%rdi), %r9\n   mov 48(%rdi), %rdi\n"
        "   mov $57, %eax\n"
        "   syscall\n"
        "   pop %rcx\n"
        "   mov %rbx, (%rcx)\n      mov %rbp, 8(%rcx)\n   mov %r12, 16(%rcx)\n   mov %r13, 24(%rcx)\n"
        "   mov %r14, 32(%rcx)\n    mov %r15, 40(%rcx)\n  mov %rdi, 48(%rcx)\n   mov %rsi, 56(%rcx)\n"
        "   mov %rdx, 64(%rcx)\n    mov %r8, 72(%rcx)\n   mov %r9, 80(%rcx)\n"
        "   pop %r15\n   pop %r14\n   pop %r13\n   pop %r12\n   pop %rbp\n   pop %rbx\n"
        "   ret\n");

/* What a child found in its registers, as one number. */
static uint64_t digest(const uint64_t values[11])
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < 11; i++) {
        sum += values[i] * (i + 1);
    }
    return sum;
}

/* Each child's answer through a pipe: the right child, at the right place, with its own numbers. */
static void new_tasks(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < 50; i++) {
        uint64_t number = grade_number(i), values[11], answer = 0;
        int fds[2], status = -1;
        pid_t pid;

        EXPECT(pipe(fds) == 0, "a pipe", "errno %d", errno);
        for (uint64_t j = 0; j < 11; j++) {
            values[j] = grade_number(i << 8 | j);
        }
        pid = fork_with(values);
        if (pid == 0) {
            answer = grade_mix(digest(values) + i);
            write(fds[1], &answer, sizeof(answer));
            _exit((int)(number % 100));
        }
        EXPECT(pid > 0, "fork returns the child's id in the parent", "%d", pid);
        EXPECT(read(fds[0], &answer, sizeof(answer)) == 8, "8 bytes from the child", "errno %d", errno);
        EXPECT(answer == grade_mix(digest(values) + i),
               "the child has all of its parent's registers (switch_first_frame writes seven words, below the trap frame)",
               "others");
        EXPECT(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == (int)(number % 100),
               "the child's own exit status", "status 0x%x", status);
        close(fds[0]);
        close(fds[1]);
        sum += answer;
    }
    grade_value("children", sum);
}

/* What the test of this name in the kernel saw is in the log, where the grader finds it. */
static void in_kernel(void)
{
    grade_value("seen", grade_number(2));
}

static void make_children(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit(0);
        }
        EXPECT(pid > 0 && waitpid(pid, NULL, 0) == pid, "a child that is born and dies",
               "child %d: errno %d", i, errno);
    }
}

/* A dead task's stack is freed by the task that runs next: it must be told who was before it. */
static void dead_are_buried(void)
{
    long before, after;

    make_children(50); /* caches are warm then */
    before = grade_free_kib();
    make_children(300);
    after = grade_free_kib();
    EXPECT(before > 0 && before - after < 512,
           "memory of 300 dead tasks comes back (switch_to returns prev: look at schedule())",
           "%ld KiB are lost", before - after);
    grade_value("buried", grade_number(3));
}

/* Sixty processes in a ring, each changes the token by its own number, five times around. */
static void ring(void)
{
    uint64_t token = grade_number(0);
    int first[2], in, fds[2];

    pipe(first);
    in = first[0];
    for (uint64_t i = 1; i <= RING; i++) {
        pipe(fds);
        if (fork() == 0) {
            uint64_t mine = grade_number(i);

            close(fds[0]);
            close(first[1]);
            while (read(in, &token, sizeof(token)) == sizeof(token)) {
                token = grade_mix(token ^ mine);
                write(fds[1], &token, sizeof(token));
            }
            _exit(0);
        }
        close(fds[1]);
        close(in);
        in = fds[0];
    }
    for (int round = 0; round < 5; round++) {
        write(first[1], &token, sizeof(token));
        EXPECT(read(in, &token, sizeof(token)) == 8, "the token comes around", "errno %d", errno);
    }
    close(first[1]);
    grade_value("token", token);
}

/* Three that never sleep: the timer takes the CPU away from them in the middle of their sums. */
static void preempted(void)
{
    uint64_t sum = 0;
    int fds[2];

    pipe(fds);
    for (uint64_t i = 0; i < 3; i++) {
        if (fork() == 0) {
            uint64_t value = grade_number(i);

            for (int step = 0; step < 150000; step++) {
                value = grade_mix(value);
            }
            write(fds[1], &value, sizeof(value));
            _exit(0);
        }
    }
    for (int i = 0; i < 3; i++) {
        uint64_t value;

        EXPECT(read(fds[0], &value, sizeof(value)) == 8, "a sum from each process", "errno %d", errno);
        sum += value;
    }
    grade_value("sums", sum);
}

static const struct grade_test tests[] = {
    GRADE(first_task), GRADE(new_tasks), {"picture", in_kernel}, {"registers", in_kernel},
    {"steps", in_kernel}, {"floating", in_kernel}, GRADE(dead_are_buried), GRADE(ring),
    GRADE(preempted),
};
GRADE_MAIN(tests)
