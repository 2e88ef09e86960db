/*
 * tour NAME: the play of lab 0, in three acts; what happens how often depends on the name.
 *
 * Act 1: two processes play ball over pipes. Act 2: two threads do, over semaphores. Act 3:
 * coroutines tick, until one of them waits in read() for another process. labs/0/lab.py
 * computes the same numbers from the name.
 */
#include <co.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../demo/common/language.h"

#define MS 1000000l
#define NAME_MAX_LENGTH 24

static const char *const ACTORS[] = {"anna", "boris", "clara", "david", "elena", "felix", "grete"};

static uint64_t seed;

/* A number from `least` on, one of `count`; each act asks for its own. */
static int drawn(int number, int least, int count)
{
    return least + (int)(seed >> (number * 12) & 0xfff) % count;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325;

    for (; *text; text++) {
        value = (value ^ (unsigned char)*text) * 0x100000001b3;
    }
    return value ^ value >> 29;
}

static void give(int fd)
{
    if (write(fd, "b", 1) != 1) {
        perror("tour: write");
        exit(1);
    }
}

static void take(int fd)
{
    char ball;

    if (read(fd, &ball, 1) != 1) {
        perror("tour: read");
        exit(1);
    }
}

static void processes(void)
{
    int there[2], back[2], rounds = drawn(0, 5, 16);

    if (pipe(there) || pipe(back)) {
        perror("tour: pipe");
        exit(1);
    }
    if (fork() == 0) {
        for (int i = 0; i < rounds; i++) {
            take(there[0]);
            give(back[1]);
        }
        _exit(0);
    }
    for (int i = 0; i < rounds; i++) {
        give(there[1]);
        take(back[0]);
    }
    wait(NULL);
}

static sem_t mine, yours;

static void *partner(void *rounds)
{
    for (long i = 0; i < (long)rounds; i++) {
        sem_wait(&yours);
        sem_post(&mine);
    }
    return NULL;
}

static void threads(void)
{
    long rounds = drawn(1, 5, 16);
    pthread_t thread;

    sem_init(&mine, 0, 0);
    sem_init(&yours, 0, 0);
    if (pthread_create(&thread, NULL, partner, (void *)rounds)) {
        fprintf(stderr, "tour: no thread\n");
        exit(1);
    }
    for (long i = 0; i < rounds; i++) {
        sem_post(&yours);
        sem_wait(&mine);
    }
    pthread_join(thread, NULL);
}

static int answer[2], answered;

static void *ticks(void *unused)
{
    while (!answered) {
        co_sleep(5 * MS);
    }
    return unused;
}

static void *waits(void *unused)
{
    co_sleep(20 * MS);
    take(answer[0]); /* a blocking read: nobody else of this thread runs now */
    answered = 1;
    return unused;
}

static void sign(const char *name)
{
    for (size_t at = 0; at < strlen(name); at += 8) {
        co_mark((uint32_t)at / 8, name + at);
    }
}

static void coroutines(const char *name)
{
    int actors = drawn(2, 4, 4), culprit = drawn(3, 0, actors);
    long wait_ms = drawn(4, 10, 40) * 10;

    if (pipe(answer)) {
        perror("tour: pipe");
        exit(1);
    }
    if (fork() == 0) {
        nanosleep(&(struct timespec){0, (20 + wait_ms) * MS}, NULL);
        give(answer[1]);
        _exit(0);
    }
    for (int i = 0; i < actors; i++) {
        co_go(i == culprit ? waits : ticks, NULL, ACTORS[i]);
    }
    sign(name);
    co_run();
    wait(NULL);
}

int main(int argc, char **argv)
{
    language_start(false);
    if (argc != 2 || !*argv[1] || strlen(argv[1]) > NAME_MAX_LENGTH) {
        fprintf(stderr,
                translate("usage: tour NAME (at most %d letters: your own; see labs/0/README.md)\n"),
                NAME_MAX_LENGTH);
        return 2;
    }
    seed = hash(argv[1]);
    printf(translate("A tour for %s.\nAct 1: two processes play ball.\n"), argv[1]);
    fflush(stdout);
    processes();
    printf("%s", translate("Act 2: two threads play ball.\n"));
    fflush(stdout);
    threads();
    printf("%s", translate("Act 3: coroutines tick, and one of them waits.\n"));
    fflush(stdout);
    coroutines(argv[1]);
    printf("%s", translate("The end. Who made the others wait, and for how long? The trace knows.\n"));
    return 0;
}
