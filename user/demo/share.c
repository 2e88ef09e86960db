/*
 * share: what a thread, a process and a coroutine have in common with whoever started them.
 *
 * Each is told to change everything it can reach: a variable, the heap, open files, the working
 * directory, errno. Afterwards the starter looks at what has changed for itself.
 */
#include <co.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lesson.h"

static int global;
static int *heap;
static _Thread_local int local; /* each thread's own */

/* What the other says about itself; shared memory, so that a process can say it, too. */
static struct other {
    int pid, tid, fd;
    bool changed_all; /* in its own eyes; or nothing is proved by what the starter sees */
} *other;

static void *change_everything(void *unused)
{
    global = 42;
    *heap = 42;
    local = 42;
    other->fd = open("/", O_RDONLY | O_DIRECTORY);
    other->pid = getpid();
    other->tid = gettid();
    other->changed_all = chdir("/proc") == 0 && other->fd >= 0 && global == 42 && *heap == 42
                         && local == 42;
    errno = EXDEV; /* the last, since calls above may set it */
    return unused;
}

/* ---- Three kinds of others ---- */

static void by_process(void)
{
    pid_t child = lesson_fork();

    if (child == 0) {
        change_everything(NULL);
        _exit(0);
    }
    lesson_join(child);
}

static void by_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, change_everything, NULL) || pthread_join(thread, NULL)) {
        lesson_failed("pthread_create");
    }
}

static void by_coroutine(void)
{
    struct co *co = co_create(change_everything, NULL);

    if (!co || co_resume(co, NULL, NULL)) {
        lesson_failed("co_create");
    }
}

/* ---- What is in common, and for whom ---- */

enum { GLOBAL, HEAP, FILES, DIRECTORY, PID, TID, LOCAL, ERRNO, THINGS };
static const struct {
    const char *name, *key;
} things[THINGS] = {
    [GLOBAL] = {"global variable", "global_variable"},
    [HEAP] = {"heap (malloc)", "heap"},
    [FILES] = {"open files", "open_files"},
    [DIRECTORY] = {"working directory", "working_directory"},
    [PID] = {"getpid()", "pid"},
    [TID] = {"gettid()", "tid"},
    [LOCAL] = {"_Thread_local variable", "thread_local_variable"},
    [ERRNO] = {"errno", "errno"},
};

static struct kind {
    const char *name;
    void (*start)(void);
    bool claimed[THINGS]; /* in common, says the lesson */
    bool found[THINGS];
    bool changed_all;      /* the other one found all of it changed */
} kinds[] = {
    {"process", by_process, {0}, {0}, false},
    {"thread", by_thread,
     {[GLOBAL] = true, [HEAP] = true, [FILES] = true, [DIRECTORY] = true, [PID] = true}, {0}, false},
    {"coroutine", by_coroutine, {true, true, true, true, true, true, true, true}, {0}, false},
};

static void prove(struct kind *kind)
{
    char directory[256] = "";

    global = *heap = local = 0;
    memset(other, 0, sizeof(*other));
    chdir("/");
    errno = 0;
    kind->start();

    kind->found[ERRNO] = errno == EXDEV; /* the first, before a call sets it */
    kind->changed_all = other->changed_all;
    kind->found[GLOBAL] = global == 42;
    kind->found[HEAP] = *heap == 42;
    kind->found[LOCAL] = local == 42;
    kind->found[FILES] = fcntl(other->fd, F_GETFD) >= 0;
    kind->found[DIRECTORY] = getcwd(directory, sizeof(directory)) && !strcmp(directory, "/proc");
    kind->found[PID] = getpid() == other->pid;
    kind->found[TID] = gettid() == other->tid;
    if (kind->found[FILES]) {
        close(other->fd);
    }
}

static void show_table(void)
{
    say("%s  %s", paint(BOLD), cell(-27, "does it share its starter's"));
    for (size_t k = 0; k < COUNT(kinds); k++) {
        say(" %s", cell(12, kinds[k].name));
    }
    say("%s\n", paint(PLAIN));
    for (int i = 0; i < THINGS; i++) {
        say("  %s", cell(-27, things[i].name));
        for (size_t k = 0; k < COUNT(kinds); k++) {
            bool shared = kinds[k].found[i];

            say(" %s%s%s", paint(shared ? GREEN : YELLOW), cell(12, shared ? "yes" : "- its own"),
                paint(PLAIN));
        }
        say("\n");
    }
}

static int count(const bool *found)
{
    int sum = 0;

    for (int i = 0; i < THINGS; i++) {
        sum += found[i];
    }
    return sum;
}

/* Was it as the lesson claims: it changed all, and its starter saw that of it? */
static bool as_claimed(const struct kind *kind)
{
    return kind->changed_all && memcmp(kind->found, kind->claimed, THINGS) == 0;
}

int main(int argc, char **argv)
{
    static const struct lesson lesson = {
        "share", "what threads, processes and coroutines share with their starter",
        {"A process, a thread and a coroutine each change all that they can reach.",
         "Look at the columns: yes means that who started it sees the change, too."},
        NULL,
        "  process, thread, coroutine: objects; each key is true where the starter shares it:\n"
        "    global_variable, heap, open_files, working_directory, pid, tid,\n"
        "    thread_local_variable, errno\n",
    };

    lesson_start(&lesson, argc, argv);
    heap = calloc(1, sizeof(*heap));
    other = shared_memory(sizeof(*other));
    for (size_t k = 0; k < COUNT(kinds); k++) {
        prove(&kinds[k]);
        json_object(kinds[k].name);
        for (int i = 0; i < THINGS; i++) {
            json_bool(things[i].key, kinds[k].found[i]);
        }
        json_end();
    }
    show_table();
    verdict(as_claimed(&kinds[0]),
            "A process shares %d of %d: it has ids of its own, and fork gave it copies of the rest, "
            "which it changed.",
            count(kinds[0].found), THINGS);
    verdict(as_claimed(&kinds[1]),
            "A thread shares %d: memory, files, directory and process id are one; its tid, errno "
            "and _Thread_local variables are its own, for it is a task of its own.",
            count(kinds[1].found));
    verdict(as_claimed(&kinds[2]),
            "A coroutine shares all %d, errno too: to the kernel it is the very same task, on "
            "another piece of memory as its stack.", count(kinds[2].found));
    return lesson_end();
}
