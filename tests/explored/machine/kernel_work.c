/*
 * Two threads in the kernel at once, for tools/explore --in kernel: what they do has one result in any
 * order, so a kernel that is right is never accused.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter;

/* A mutex and its futex. */
static void *lock(void *name)
{
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    return name;
}

/* Each gets two descriptors, which lead to each other. */
static void *pipes(void *name)
{
    int ends[2];
    char byte = *(char *)name, got = 0;

    if (pipe(ends) || write(ends[1], &byte, 1) != 1 || read(ends[0], &got, 1) != 1 || got != byte) {
        failed = 1;
    }
    close(ends[0]);
    close(ends[1]);
    return name;
}

/* One of them renames it. */
static void *names(void *name)
{
    __atomic_fetch_add(&counter, rename("/tmp/from", name) == 0, __ATOMIC_SEQ_CST);
    return name;
}

static int names_left(void)
{
    DIR *directory = opendir("/tmp");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(directory)) != NULL) {
        count += entry->d_name[0] == 'n' || !strcmp(entry->d_name, "from");
    }
    closedir(directory);
    return count;
}

/* A child each, which its own parent buries. */
static void *children(void *name)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        _exit(7);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7) {
        failed = 1;
    }
    return name;
}

int main(int argc, char **argv)
{
    void *(*work)(void *) = lock;
    pthread_t first, second;
    const char *what = argc > 1 ? argv[1] : "lock";
    int renames = strcmp(what, "names") == 0;

    if (strcmp(what, "pipes") == 0) {
        work = pipes;
    } else if (renames) {
        work = names;
        close(open("/tmp/from", O_CREAT | O_WRONLY, 0600));
    } else if (strcmp(what, "children") == 0) {
        work = children;
    }
    pthread_create(&first, NULL, work, "/tmp/n1");
    pthread_create(&second, NULL, work, "/tmp/n2");
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    if (renames) {
        failed = counter != 1 || names_left() != 1;
        unlink("/tmp/n1");
        unlink("/tmp/n2");
    }
    return failed;
}
