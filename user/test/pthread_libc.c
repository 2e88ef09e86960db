/*
 * What the C library keeps whole for all threads: memory, streams, fork. The host's C library is
 * the judge of the meaning.
 */
#include <fcntl.h>

#include "pthread_test.h"

#define THREADS 6

static sem_t started;
static volatile int value, stop;

static void *end_at_once(void *argument)
{
    return argument;
}

static void *use_heap(void *index)
{
    unsigned seed = (unsigned)(long)index + 1;
    unsigned char *blocks[32] = {0};
    size_t sizes[32] = {0};

    for (int i = 0; i < 5000; i++) {
        int at = rand_r(&seed) % 32;

        for (size_t j = 0; j < sizes[at]; j += 61) {
            CHECK(blocks[at][j] == (unsigned char)((long)index * 32 + at));
        }
        if (i % 3) {
            free(blocks[at]);
            sizes[at] = (size_t)(rand_r(&seed) % 3000);
            blocks[at] = malloc(sizes[at]);
        } else {
            sizes[at] += 500;
            blocks[at] = realloc(blocks[at], sizes[at]);
        }
        CHECK(blocks[at] || sizes[at] == 0);
        memset(blocks[at], (int)((long)index * 32 + at), sizes[at]);
    }
    for (int i = 0; i < 32; i++) {
        free(blocks[i]);
    }
    return NULL;
}

static void all_threads_use_the_heap(void)
{
    start_threads(THREADS, use_heap);
    join_threads(THREADS);
}

#define LINES 500
static FILE *stream;

static void *write_lines(void *index)
{
    for (int i = 0; i < LINES; i++) {
        fprintf(stream, "%ld %d %s\n", (long)index, i, "a line that is printed in one piece");
    }
    return NULL;
}

static void lines_of_threads_do_not_mix(void)
{
    char name[64], line[100], expected[100];
    int next[THREADS] = {0}, lines = 0;

    snprintf(name, sizeof(name), "/tmp/pthread-lines-%d", (int)getpid());
    CHECK((stream = fopen(name, "w")));
    start_threads(THREADS, write_lines);
    join_threads(THREADS);
    CHECK(fclose(stream) == 0 && (stream = fopen(name, "r")));
    unlink(name);
    while (fgets(line, sizeof(line), stream)) {
        int index = line[0] - '0';

        CHECK(index >= 0 && index < THREADS);
        snprintf(expected, sizeof(expected), "%d %d a line that is printed in one piece\n", index,
                 next[index]++);
        CHECK(strcmp(line, expected) == 0);
        lines++;
    }
    CHECK(lines == THREADS * LINES);
}

static void *hold_stream(void *argument)
{
    sem_post(&started);
    fprintf(stream, "other");
    return argument;
}

static void a_stream_can_be_kept(void)
{
    char name[64], text[32];

    snprintf(name, sizeof(name), "/tmp/pthread-keep-%d", (int)getpid());
    CHECK(sem_init(&started, 0, 0) == 0);
    CHECK((stream = fopen(name, "w+")));
    unlink(name);
    flockfile(stream);
    flockfile(stream);
    CHECK(pthread_create(&threads[0], NULL, hold_stream, NULL) == 0);
    sem_wait(&started);
    usleep(20000);
    fputs("one ", stream);
    funlockfile(stream);
    usleep(20000);
    putc_unlocked('2', stream);
    CHECK(ftrylockfile(stream) == 0);
    fputs(" three ", stream);
    funlockfile(stream);
    funlockfile(stream);
    CHECK(pthread_join(threads[0], NULL) == 0 && fflush(stream) == 0);
    CHECK(lseek(fileno(stream), 0, SEEK_SET) == 0);
    CHECK(read(fileno(stream), text, sizeof(text)) == 17 && memcmp(text, "one 2 three other", 17) == 0);
}

static void *keep_busy(void *index)
{
    while (!stop) {
        free(malloc((size_t)(long)index * 100 + 10));
        fprintf(stream, "%d\n", value);
    }
    return NULL;
}

static void fork_leaves_the_child_usable(void)
{
    CHECK((stream = fopen("/dev/null", "w")));
    start_threads(THREADS, keep_busy);
    for (int i = 0; i < 100; i++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            FILE *own = fopen("/dev/null", "w");
            char *memory = malloc(5000);

            alarm(20);
            CHECK(own && memory);
            memset(memory, 1, 5000);
            free(memory);
            CHECK(fprintf(stream, "child\n") > 0 && fprintf(own, "child\n") > 0 && fclose(own) == 0);
            CHECK(pthread_create(&threads[0], NULL, end_at_once, NULL) == 0);
            CHECK(pthread_join(threads[0], NULL) == 0);
            exit(3);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
        usleep(100);
    }
    stop = 1;
    join_threads(THREADS);
}

static void *fork_here(void *argument)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        CHECK(pthread_mutex_lock(argument) == 0 && pthread_mutex_unlock(argument) == 0);
        CHECK(pthread_kill(pthread_self(), 0) == 0 && pthread_join(pthread_self(), NULL) == EDEADLK);
        return NULL; /* the only thread: the process ends with 0 */
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return NULL;
}

static void a_forking_thread_is_alone_in_the_child(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    CHECK(pthread_create(&threads[0], NULL, fork_here, &mutex) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pid_t parent;

static void set_up(void)
{
    if (getpid() == parent) {
        CHECK(sem_post(&started) == 0);
        pause(); /* the thread never comes out of here */
    }
    value = 42;
}

static void *begin_once(void *unused)
{
    pthread_once(&once, set_up);
    return unused;
}

static void a_child_does_again_what_another_thread_had_begun(void)
{
    int status;
    pid_t pid;

    parent = getpid();
    value = 0;
    CHECK(sem_init(&started, 0, 0) == 0);
    CHECK(pthread_create(&threads[0], NULL, begin_once, NULL) == 0 && sem_wait(&started) == 0);
    pid = fork();
    if (pid == 0) {
        alarm(20);
        CHECK(pthread_once(&once, set_up) == 0 && pthread_once(&once, set_up) == 0);
        _exit(value);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static char trail[16];

static void note(const char *what) { strcat(trail, what); }
static void prepare_1(void) { note("p"); }
static void prepare_2(void) { note("P"); }
static void parent_1(void) { note("o"); }
static void parent_2(void) { note("O"); }
static void child_1(void) { note("c"); }
static void child_2(void) { note("C"); }

static void atfork_calls_in_order(void)
{
    int status;
    pid_t pid;

    CHECK(pthread_atfork(prepare_1, parent_1, child_1) == 0);
    CHECK(pthread_atfork(NULL, NULL, NULL) == 0);
    CHECK(pthread_atfork(prepare_2, parent_2, child_2) == 0);
    pid = fork();
    if (pid == 0) {
        _exit(strcmp(trail, "PpcC"));
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0 && strcmp(trail, "PpoO") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(all_threads_use_the_heap), TEST(lines_of_threads_do_not_mix),
        TEST(a_stream_can_be_kept), TEST(fork_leaves_the_child_usable),
        TEST(a_forking_thread_is_alone_in_the_child), TEST(atfork_calls_in_order),
        TEST(a_child_does_again_what_another_thread_had_begun),
    };

    return RUN_TESTS(tests);
}
