/* fork, clone, exec and signals when memory runs out: a task more or an error, never a half. */
#include <sys/syscall.h>

#include "inject.h"
#include "tasks.h"

#define PAGE 4096ul
#define TABLE (2ul << 20)

static char *private_area, *shared_area;
static int private_file;

/* Memory in several page tables, a file, and handlers: what a child gets. */
static void setup_process(void)
{
    private_area = mmap(NULL, 3 * TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared_area = mmap(NULL, 2 * TABLE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(private_area != MAP_FAILED && shared_area != MAP_FAILED);
    for (int i = 0; i < 3; i++) {
        private_area[(size_t)i * TABLE] = (char)(i + 1);
    }
    shared_area[0] = 21;
    shared_area[TABLE] = 22;
    private_file = open("a", O_RDWR | O_CREAT, 0600);
    CHECK(private_file >= 0 && write(private_file, "abc", 3) == 3);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
}

static void check_memory(int shared)
{
    for (int i = 0; i < 3; i++) {
        CHECK(private_area[(size_t)i * TABLE] == i + 1 && private_area[(size_t)i * TABLE + 9] == 0);
    }
    CHECK(shared_area[0] == shared && shared_area[TABLE] == 22);
}

/* What a complete child does, whatever it shares with us. */
static int child(void *private)
{
    check_memory(21);
    CHECK(fcntl(private_file, F_GETFD) == 0 && lseek(private_file, 0, SEEK_CUR) == 3);
    CHECK(raise(SIGUSR1) == 0);
    if (private) {
        private_area[TABLE] = 99;
    }
    shared_area[0] = 23;
    _exit(42);
}

static void check_child(long result)
{
    int status;

    if (result < 0) {
        check_memory(21);
        CHECK_ERROR(waitpid(-1, &status, 0), ECHILD);
    } else {
        CHECK(waitpid((pid_t)result, &status, 0) == result && status == 42 << 8);
        check_memory(23);
    }
}

static long run_fork(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        child("");
    }
    return pid;
}

static const struct operation forked = {"fork", setup_process, run_fork, check_child, MAY_DIE};
SWEEP(forked)

static char stack[16384] __attribute__((aligned(16)));
static pid_t told[2]; /* to the parent, to the child */

static long run_vfork(void)
{
    return clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL,
                 NULL);
}

static const struct operation vforked = {"vfork", setup_process, run_vfork, check_child, 0};
SWEEP(vforked)

static long run_clone_files(void)
{
    return clone(child, stack + sizeof(stack), CLONE_FILES | CLONE_FS | SIGCHLD, "", NULL, NULL, NULL);
}

static const struct operation clone_files = {"clone with files", setup_process, run_clone_files,
                                             check_child, MAY_DIE};
SWEEP(clone_files)

static long run_clone_vm(void)
{
    return clone(child, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL, NULL, NULL, NULL);
}

static const struct operation clone_vm = {"clone with memory", setup_process, run_clone_vm,
                                          check_child, 0};
SWEEP(clone_vm)

static int told_child(void *unused)
{
    CHECK(unused == NULL && told[1] == getpid());
    return child("");
}

static long run_clone_told(void)
{
    return clone(told_child, stack + sizeof(stack), CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
                 NULL, &told[0], NULL, &told[1]);
}

static void check_clone_told(long result)
{
    CHECK(told[1] == 0);
    check_child(result);
    CHECK(result < 0 || told[0] == result);
}

static const struct operation clone_told = {"clone that tells", setup_process, run_clone_told,
                                            check_clone_told, MAY_DIE};
SWEEP(clone_told)

static struct thread threads[2];
static volatile int question, answers;

static int answer(void *unused)
{
    while (!question) {
        futex(&question, FUTEX_WAIT, 0, NULL);
    }
    __atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST);
    return unused != NULL;
}

static void ask(int threads_alive)
{
    question = 1;
    futex(&question, FUTEX_WAKE, 9, NULL);
    AWAIT(answers == threads_alive);
}

static long run_thread(void)
{
    return thread_start(&threads[0], answer, NULL);
}

static void check_thread(long result)
{
    ask(result > 0);
    if (result > 0) {
        thread_join(&threads[0]);
    } else {
        CHECK(threads[0].tid == 0);
    }
}

static const struct operation threaded = {"thread", NULL, run_thread, check_thread, 0};
SWEEP(threaded)

/* This program becomes itself again: it says by its status whether the failure is still to come. */
static char fd_text[16], long_text[100000];
static char *exec_arguments[] = {"inject_tasks", "is-new", fd_text, NULL, NULL};
static const char *exec_path;

static void is_new(const char *fd)
{
    inject_fd = atoi(fd);
    _exit(inject_end() ? 0 : STILL_TO_COME);
}

static long run_exec(void)
{
    return execve(exec_path, exec_arguments, environ);
}

static void setup_exec(void)
{
    snprintf(fd_text, sizeof(fd_text), "%d", inject_fd);
    memset(long_text, 'x', sizeof(long_text) - 1);
    exec_arguments[3] = long_text;
    exec_path = "/proc/self/exe";
    CHECK(thread_start(&threads[0], answer, NULL) > 0);
    CHECK(thread_start(&threads[1], answer, NULL) > 0);
    AWAIT(thread_sleeps(threads[0].tid) && thread_sleeps(threads[1].tid));
}

/* It has failed: both threads are still there. */
static void check_exec(long result)
{
    CHECK(result < 0);
    ask(2);
    thread_join(&threads[0]);
    thread_join(&threads[1]);
}

static const struct operation executed = {"exec", setup_exec, run_exec, check_exec, MAY_DIE};
SWEEP(executed)

static void setup_exec_script(void)
{
    char text[300], self[200];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int fd = open("a", O_WRONLY | O_CREAT, 0700);

    CHECK(size > 0 && fd >= 0);
    self[size] = '\0';
    setup_exec();
    size = snprintf(text, sizeof(text), "#!%s is-script\n", self);
    CHECK(write(fd, text, (size_t)size) == size && close(fd) == 0);
    exec_path = "./a";
    exec_arguments[0] = "a";
    exec_arguments[1] = fd_text; /* the script's path comes before */
}

static const struct operation executed_script = {"exec of a script", setup_exec_script, run_exec,
                                                 check_exec, MAY_DIE};
SWEEP(executed_script)

/* Somebody shares descriptors and handlers with us, until we are gone: exec needs its own. */
static int sharer(void *parent)
{
    while (getppid() == (int)(long)parent) {
        usleep(1000);
    }
    _exit(0);
}

static void setup_exec_shared(void)
{
    setup_exec();
    CHECK(clone(sharer, stack + sizeof(stack), CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND,
                (void *)(long)getpid(), NULL, NULL, NULL) > 0);
}

static const struct operation executed_shared = {"exec of one who shares", setup_exec_shared, run_exec,
                                                 check_exec, MAY_DIE};
SWEEP(executed_shared)

static char *signal_stack;
static volatile int signals;

static void on_signal(int number)
{
    signals += number;
}

static void setup_signal(void)
{
    stack_t fresh = {.ss_size = TABLE};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

    signal_stack = mmap(NULL, TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fresh.ss_sp = signal_stack;
    CHECK(sigaltstack(&fresh, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
}

/* The frame goes to pages that are not there. */
static long run_signal(void)
{
    syscall(SYS_madvise, signal_stack, TABLE, MADV_DONTNEED);
    return raise(SIGUSR1);
}

static void check_signal(long result)
{
    CHECK(result == 0 && signals == SIGUSR1);
}

static const struct operation signalled = {"signal", setup_signal, run_signal, check_signal,
                                           MAY_DIE | MAY_FAULT};
SWEEP(signalled)

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        SWEPT(forked), SWEPT(vforked), SWEPT(clone_files), SWEPT(clone_vm), SWEPT(clone_told),
        SWEPT(threaded), SWEPT(executed), SWEPT(executed_script), SWEPT(executed_shared),
        SWEPT(signalled),
    };

    if (argc > 2 && strcmp(argv[1], "is-new") == 0) {
        is_new(argv[2]);
    }
    if (argc > 3 && strcmp(argv[1], "is-script") == 0) {
        is_new(argv[3]);
    }
    return RUN_TESTS(tests);
}
