/* Robust lists: who ends with locks in hand marks them, and somebody is woken (robust futexes). */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tasks.h"

#define WAITERS_BIT 0x80000000
#define OWNER_DIED 0x40000000
#define LIMIT 2048 /* entries that the kernel looks at, at most */

struct entry {
    struct entry *next;
    volatile int word;
    int padding;
};

struct head {
    struct entry *first;
    long offset;
    struct entry *pending;
};

static struct head head;
static struct entry entries[4];
static struct thread thread, waiter;
static volatile int woken;

/* The list of `count` entries, each word held by the caller, with these bits besides. */
static void hold(int count, int bits)
{
    head.first = count ? &entries[0] : (struct entry *)&head;
    head.offset = offsetof(struct entry, word);
    head.pending = NULL;
    for (int i = 0; i < count; i++) {
        entries[i].next = i + 1 < count ? &entries[i + 1] : (struct entry *)&head;
        entries[i].word = gettid() | bits;
    }
    CHECK(syscall(SYS_set_robust_list, &head, sizeof(head), 0, 0, 0, 0) == 0);
}

static int hold_three(void *argument)
{
    (void)argument;
    hold(3, 0);
    entries[1].word = 0;                /* given back */
    entries[2].word = gettid() + 1;     /* somebody else's */
    return 0;
}

static void end_of_a_thread_marks_its_words(void)
{
    CHECK(thread_start(&thread, hold_three, NULL) > 0);
    thread_join(&thread);
    CHECK(entries[0].word == OWNER_DIED);
    CHECK(entries[1].word == 0);
    CHECK((entries[2].word & OWNER_DIED) == 0 && entries[2].word != 0);
}

static int hold_and_wait(void *argument)
{
    hold(1, (int)WAITERS_BIT);
    __atomic_store_n((int *)argument, 1, __ATOMIC_SEQ_CST);
    while (woken == 0) {
        futex(&woken, FUTEX_WAIT, 0, NULL);
    }
    return 0;
}

static int wait_for_the_word(void *argument)
{
    int value = entries[0].word;

    (void)argument;
    futex(&entries[0].word, FUTEX_WAIT, value, NULL);
    return 0;
}

static void one_waiter_is_woken(void)
{
    volatile int held = 0;
    pid_t tid;

    CHECK(thread_start(&thread, hold_and_wait, (void *)&held) > 0);
    AWAIT(held);
    tid = thread_start(&waiter, wait_for_the_word, NULL);
    AWAIT(thread_sleeps(tid));
    woken = 1;
    futex(&woken, FUTEX_WAKE, 1, NULL);
    thread_join(&thread);
    thread_join(&waiter);
    CHECK((unsigned)entries[0].word == (WAITERS_BIT | OWNER_DIED));
}

static int hold_pending(void *argument)
{
    hold(0, 0);
    head.pending = &entries[3];
    entries[3].word = argument ? 0 : gettid();
    return 0;
}

static void pending_entry_is_looked_at(void)
{
    CHECK(thread_start(&thread, hold_pending, NULL) > 0);
    thread_join(&thread);
    CHECK(entries[3].word == OWNER_DIED);
    CHECK(thread_start(&thread, hold_pending, &head) > 0);
    thread_join(&thread);
    CHECK(entries[3].word == 0);
}

/* A process whose words are in memory that its parent shares ends in some way. */
static void check_end_of_process(void (*end)(void))
{
    struct entry *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();

    if (pid == 0) {
        struct head *mine = (struct head *)(shared + 1);

        shared->next = (struct entry *)mine;
        shared->word = gettid();
        *mine = (struct head){shared, offsetof(struct entry, word), NULL};
        syscall(SYS_set_robust_list, mine, sizeof(*mine), 0, 0, 0, 0);
        end();
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(shared->word == OWNER_DIED);
}

static void leave(void)
{
    _exit(0);
}

static void be_killed(void)
{
    raise(SIGKILL);
}

static void execute(void)
{
    char *const argv[] = {"true", NULL};

    execvp("true", argv);
    _exit(1);
}

static void exit_kill_and_exec_all_mark(void)
{
    check_end_of_process(leave);
    check_end_of_process(be_killed);
    check_end_of_process(execute);
}

static int hold_a_ring(void *argument)
{
    (void)argument;
    hold(2, 0);
    entries[1].next = &entries[0]; /* it never comes back to the head */
    return 0;
}

static int hold_bad_pointers(void *argument)
{
    static struct entry *const bad[] = {
        NULL, (struct entry *)8, (struct entry *)0x7fffffffffff, (struct entry *)(1ul << 63),
        (struct entry *)-1l, (struct entry *)0xffffffff80000000,
    };

    hold(2, 0);
    entries[0].next = bad[(long)argument];
    head.pending = bad[(long)argument];
    return 0;
}

static int hold_with_bad_offset(void *argument)
{
    hold(1, 0);
    head.offset = (long)argument;
    return 0;
}

static int have_no_list(void *argument)
{
    syscall(SYS_set_robust_list, argument, sizeof(head), 0, 0, 0, 0);
    return 0;
}

static void damaged_lists_do_no_harm(void)
{
    static const long offsets[] = {1, -1, 1l << 62, -(1l << 62)};

    CHECK(thread_start(&thread, hold_a_ring, NULL) > 0);
    thread_join(&thread);
    CHECK(entries[0].word == OWNER_DIED && entries[1].word == OWNER_DIED);
    for (long i = 0; i < 6; i++) {
        CHECK(thread_start(&thread, hold_bad_pointers, (void *)i) > 0);
        thread_join(&thread);
        CHECK(entries[0].word == OWNER_DIED && entries[1].word != OWNER_DIED);
        CHECK(thread_start(&thread, have_no_list, (void *)(i == 5 ? -4096l : i * 8)) > 0);
        thread_join(&thread);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(thread_start(&thread, hold_with_bad_offset, (void *)offsets[i]) > 0);
        thread_join(&thread);
    }
}

static struct entry many[LIMIT + 10];

static int hold_too_many(void *argument)
{
    (void)argument;
    hold(0, 0);
    head.first = many;
    for (int i = 0; i < LIMIT + 10; i++) {
        many[i].next = i + 1 < LIMIT + 10 ? &many[i + 1] : (struct entry *)&head;
        many[i].word = gettid();
    }
    return 0;
}

static void walk_ends_at_the_limit(void)
{
    CHECK(thread_start(&thread, hold_too_many, NULL) > 0);
    thread_join(&thread);
    CHECK(many[LIMIT - 1].word == OWNER_DIED && many[LIMIT].word != OWNER_DIED);
}

static void list_can_be_asked_for(void)
{
    struct head *list = NULL;
    size_t size = 0;

    hold(1, 0);
    CHECK(syscall(SYS_get_robust_list, 0, &list, &size, 0, 0, 0) == 0 && list == &head && size == sizeof(head));
    list = NULL;
    CHECK(syscall(SYS_get_robust_list, getpid(), &list, &size, 0, 0, 0) == 0 && list == &head);
    CHECK_ERROR(syscall(SYS_get_robust_list, 0, 8, &size, 0, 0, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_get_robust_list, 0, &list, 8, 0, 0, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_get_robust_list, 0x7ffffff, &list, &size, 0, 0, 0), ESRCH);
    CHECK_ERROR(syscall(SYS_set_robust_list, &head, 8, 0, 0, 0, 0), EINVAL);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(end_of_a_thread_marks_its_words), TEST(one_waiter_is_woken),
        TEST(pending_entry_is_looked_at), TEST(exit_kill_and_exec_all_mark),
        TEST(damaged_lists_do_no_harm), TEST(walk_ends_at_the_limit), TEST(list_can_be_asked_for),
    };

    return RUN_TESTS(tests);
}
