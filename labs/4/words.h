/* Lab 4: what the kernel promises of futex words, address spaces and the ends of tasks. */
#ifndef LAB4_WORDS_H
#define LAB4_WORDS_H
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "threads.h"

#define PAGE  4096
#define WORDS 300
#define HIGH  ((int)0x80000001)

static char task_stacks[4][16384] __attribute__((aligned(16)));

static void *map_page(int protection)
{
    void *page = mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(page != MAP_FAILED, "a page", "errno %d", errno);
    return page;
}

/* FUTEX_WAIT in a process of its own, so that a call that never comes back is seen. */
static long wait_apart(volatile int *at, int value)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit((int)-futex(at, WAIT, value, 20 * MS));
    }
    for (int i = 0; i < 200; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            EXPECT(WIFEXITED(status), "a futex call that comes back", "status 0x%x", status);
            return -WEXITSTATUS(status);
        }
        usleep(1000);
    }
    grade_fail("futex_wait comes back: at once, or after its 20 ms", "200 ms later it has not");
}

static void *waits_on_high(void *unused)
{
    flags[1] = futex(&word, WAIT, HIGH, 500 * MS) == 0 ? 2 : 1;
    return unused;
}

static void odd_words(void)
{
    volatile int *page;
    pthread_t thread;
    long result;

    grade_hint("step 3: uaccess_load gives 32 bits without a sign, in a long");
    word = HIGH;
    result = wait_apart(&word, HIGH);
    EXPECT(result == -ETIMEDOUT,
           "a word with its highest bit set is a word like any other: -ETIMEDOUT", "%ld", result);
    result = wait_apart(&word, HIGH - 1);
    EXPECT(result == -EAGAIN, "another value in such a word: -EAGAIN", "%ld", result);
    start(&thread, waits_on_high, 0);
    usleep(20000);
    EXPECT(wake(&word, 1) == 1, "one who waits for such a word is woken", "nobody is");
    await(&flags[1], "the woken one runs");
    EXPECT(flags[1] == 2, "its FUTEX_WAIT gives 0", "an error");
    grade_hint("step 3: if the look under the lock is negative look once without, and start again");
    page = map_page(PROT_READ | PROT_WRITE);
    result = wait_apart(page, 0);
    EXPECT(result == -ETIMEDOUT, "a page that nobody has touched yet is full of zeroes: -ETIMEDOUT",
           "%ld", result);
    result = wait_apart(map_page(PROT_READ | PROT_WRITE), 1);
    EXPECT(result == -EAGAIN, "1 in a page that nobody has touched: -EAGAIN", "%ld", result);
    page = map_page(PROT_NONE);
    result = wait_apart(page, 0);
    EXPECT(result == -EFAULT, "a word that cannot be read: -EFAULT", "%ld", result);
    result = futex(page, WAIT, 0, 20 * MS);
    EXPECT(result == -EFAULT, "a word that cannot be read: -EFAULT", "%ld", result);
    mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
    EXPECT(wake(page, 1) == 0, "a wait that failed leaves nobody in the queue", "it woke somebody");
    EXPECT(wait_apart(page, 0) == -ETIMEDOUT, "it can be read now: -ETIMEDOUT", "something else");
    grade_value("odd", grade_number(21));
}

/* Keys, bits and order */

static volatile int words[WORDS], served[WORDS], served_count;

static void *waits_for_word(void *argument)
{
    long i = (long)argument;

    flags[i] = 1;
    futex(&words[i], WAIT, 0, 0);
    flags[i] = 2;
    return NULL;
}

static void many_words(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 16384);
    for (long i = 0; i < WORDS; i++) {
        EXPECT(pthread_create(&thread, &attr, waits_for_word, (void *)i) == 0, "a thread",
               "an error");
    }
    usleep(20000);
    for (long k = 0; k < WORDS; k++) {
        long i = (k * 7 + (long)(grade_number(22) % WORDS)) % WORDS;
        long woken = wake(&words[i], 1);

        EXPECT(woken == 1,
               "of three hundred who wait for a word each, the one of this word is woken",
               "%ld are (others in the same queue have other keys)", woken);
        usleep(100);
        EXPECT(flags[i] == 2, "the one who waits for this word", "another one woke");
    }
}

static void *waits_in_line(void *argument)
{
    futex(&word, WAIT, 0, 0);
    served[__atomic_fetch_add(&served_count, 1, __ATOMIC_SEQ_CST)] = (int)(long)argument;
    return NULL;
}

static void first_come(void)
{
    pthread_t thread;

    for (long i = 0; i < WORDS; i++) {
        start(&thread, waits_in_line, i);
        usleep(200);
    }
    usleep(5000);
    for (int i = 0; i < 8; i++) {
        EXPECT(wake(&word, 1) == 1, "one of those who wait", "another number");
        usleep(1000);
        EXPECT(served_count == i + 1 && served[i] == i, "who came first is woken first",
               "the one that came as number %d, for number %d", served[i], i);
    }
    EXPECT(wake(&word, 1000) == WORDS - 8,
           "a wake of many wakes all, and tells how many there were: 292", "another number");
}

static void *waits_for_bits(void *argument)
{
    int bits = (int)(long)argument;

    syscall(FUTEX, &word, WAIT_BITS | PRIVATE, 0, NULL, NULL, bits);
    __atomic_fetch_or(&other_word, bits, __ATOMIC_SEQ_CST);
    return NULL;
}

static void bits_choose(void)
{
    static const int bits[] = {1, 6, 8, 48}, wanted[] = {4 | 64, 16, 9, 9}, woken[] = {1, 1, 2, 0};
    static const int awake[] = {6, 6 | 48, 63, 63};
    pthread_t thread;

    for (int i = 0; i < 4; i++) {
        start(&thread, waits_for_bits, bits[i]);
    }
    usleep(5000);
    for (int i = 0; i < 4; i++) {
        long result = syscall(FUTEX, &word, WAKE_BITS | PRIVATE, 100, NULL, NULL, wanted[i]);

        usleep(5000);
        EXPECT(result == woken[i] && other_word == awake[i],
               "those are woken who share one bit or more with the wake",
               "bits 0x%x woke %ld; by now 0x%x are awake, not 0x%x", wanted[i], result, other_word,
               awake[i]);
    }
}

static void *waits_apart(void *argument)
{
    long i = (long)argument;

    flags[i] = 1;
    flags[i] = futex(&words[i], WAIT, 0, 50 * MS) == -ETIMEDOUT ? 2 : 3;
    return NULL;
}

/*
 * A child has a copy of the memory: its words are at the same addresses, and others. Both are often
 * in the same bucket if it is the 305th after us: ids of address spaces go up by 4, 1220 is twice a
 * Fibonacci number, and the bucket is a Fibonacci hash.
 */
#define APART 10

static void same_address_elsewhere(void)
{
    int told[2], woken = 0, timed_out = 0;
    pid_t pid;

    for (int i = 1; i < 305; i++) {
        pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    EXPECT(pipe(told) == 0, "a pipe", "errno %d", errno);
    pid = fork();
    if (pid == 0) {
        pthread_t threads[APART];

        for (long i = 0; i < APART; i++) {
            start(&threads[i], waits_apart, i);
        }
        usleep(5000);
        write(told[1], &woken, 1);
        for (int i = 0; i < APART; i++) {
            pthread_join(threads[i], NULL);
            timed_out += flags[i] == 2;
        }
        _exit(timed_out);
    }
    read(told[0], &woken, 1);
    for (int i = 0; i < APART; i++) {
        woken += (int)wake(&words[i], 100);
    }
    EXPECT(woken == 0, "a word at the same address in another process is another word",
           "%d of its waiters were woken", woken);
    waitpid(pid, &timed_out, 0);
    EXPECT(WEXITSTATUS(timed_out) == APART, "the other process's waits end by their time",
           "%d of %d do", WEXITSTATUS(timed_out), APART);
}

static void keys_and_bits(void)
{
    grade_hint("list_push_back in step 3; in step 4 from the first on, until `count` are awake");
    first_come();
    grade_hint("step 4: waiter->bitset & bitset, one bit is enough");
    bits_choose();
    grade_hint("step 4: past those with another key, to the end of the list");
    same_address_elsewhere();
    many_words();
    grade_value("keys", grade_number(23));
}

/* Address spaces */

static int writes_and_goes(void *argument)
{
    sum = (uint64_t)argument;
    return 0;
}

/* With CLONE_VM alone it is a process that shares its maker's memory, as vfork makes one. */
static void sharing_process(int more)
{
    uint64_t what = grade_number(24 + (uint64_t)more) | 1;
    int status = -1;
    int pid = clone(writes_and_goes, task_stacks[1], CLONE_VM | more | SIGCHLD, (void *)what, NULL,
                    NULL, NULL);

    EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a process that ends with 0",
           "status 0x%x", status);
    EXPECT(sum == what,
           more ? "CLONE_VM | CLONE_VFORK shares the memory" : "CLONE_VM alone shares the memory",
           "what the other one wrote is not there");
}

static void *touches(void *argument)
{
    static char memory[64 * PAGE];

    memset(memory, 1 + (int)getpid() % 2, sizeof(memory));
    return argument;
}

/* Children with a thread each: the memory comes back when the last of the two is gone. */
static void make_families(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        pthread_t thread;

        if (pid == 0) {
            start(&thread, touches, 0);
            pthread_join(thread, NULL);
            clone(writes_and_goes, task_stacks[1], CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL,
                  NULL, NULL);
            _exit(0);
        }
        EXPECT(waitpid(pid, NULL, 0) == pid, "a child that ends", "errno %d", errno);
    }
}

static void address_spaces(void)
{
    static const long others[] = {0, CLONE_VFORK, CLONE_FILES | CLONE_FS};
    long before, after;
    pid_t pid;

    sharing_process(0);
    sharing_process(CLONE_VFORK);
    word = 1;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        pid = (pid_t)syscall(CLONE, others[i] | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
            word = 2;
            _exit(0);
        }
        waitpid(pid, NULL, 0);
        EXPECT(word == 1, "without CLONE_VM the memory is a copy, whatever else is in the flags",
               "what the child wrote is there");
    }
    make_families(10);
    before = grade_free_kib();
    make_families(40);
    after = grade_free_kib();
    EXPECT(before > 0 && before - after < 1024,
           "memory that two have shared comes back when both are gone",
           "%ld KiB are lost (one mm_get for each new user)", before - after);
    grade_value("spaces", grade_number(26));
}

/* Ends of tasks */

static int ends_when_told(void *argument)
{
    volatile int *go = argument;

    while (!*go) {
        syscall(SYS_sched_yield);
    }
    return 0;
}

static void *waits_for_end(void *argument)
{
    volatile int *tid = argument;

    syscall(FUTEX, tid, WAIT_BITS, *tid, NULL, NULL, 0x40000000);
    __atomic_fetch_add(&other_word, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void end_of(volatile int *tid)
{
    word = 0;
    EXPECT(clone(ends_when_told, task_stacks[2], CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD,
                 (void *)&word, NULL, NULL, (int *)tid) > 0,
           "a task", "none");
}

/*
 * That the 0 is there before anybody wakes is seen in the trace (lab.py): the
 * word lies in a page that a child shares, so the write is a page fault at this
 * address.
 */
#define TID_WORD ((void *)0x5550000000)

static void last_words(void)
{
    volatile int *tid = mmap(TID_WORD, PAGE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    pthread_t thread;
    pid_t pid;

    tid[0] = tid[1] = 77;
    end_of(tid);
    start(&thread, waits_for_end, (long)tid);
    start(&thread, waits_for_end, (long)tid);
    usleep(5000);
    pid = fork();
    if (pid == 0) {
        pause(); /* with its copy of the page */
        _exit(0);
    }
    word = 1;
    usleep(10000);
    kill(pid, SIGKILL);
    while (wait(NULL) > 0) {
    }
    EXPECT(tid[0] == 0 && tid[1] == 77,
           "a task that ends writes 0 to its word, and to nothing else", "%d, and behind it %d",
           tid[0], tid[1]);
    EXPECT(other_word == 1, "and wakes one who waits there", "%d of two", other_word);
    EXPECT(syscall(FUTEX, tid, 1, 10, NULL, NULL, 0) == 1, "the other one still waits",
           "it does not");
    tid = map_page(PROT_READ | PROT_WRITE);
    end_of(tid);
    munmap((void *)tid, PAGE); /* nobody needs to keep the word for the task */
    word = 1;
    EXPECT(wait(NULL) > 0, "a task whose word is gone ends, too", "errno %d", errno);
}
#endif
