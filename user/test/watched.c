/* Watches come and go, and sets are closed, while others make, move, write and delete what is watched. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "ktap.h"

#define ROUNDS 3000
#define SETS 3

static int sets[SETS];
static volatile int ended;
static const char *const names[] = {"one/a", "one/b", "two/a", "two/b", "one", "two", "one/in", "two/in"};
#define NAMES (sizeof(names) / sizeof(*names))

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

static const char *some_name(unsigned *state)
{
    return names[next_random(state) % NAMES];
}

static void *watcher(void *argument)
{
    static const uint32_t masks[] = {IN_ALL_EVENTS, IN_ALL_EVENTS | IN_ONESHOT, IN_ALL_EVENTS | IN_EXCL_UNLINK,
                                     IN_DELETE_SELF, IN_CREATE | IN_DELETE | IN_MOVE, IN_ATTRIB | IN_MASK_ADD};
    unsigned state = (unsigned)(uintptr_t)argument;

    while (!ended) {
        int set = sets[next_random(&state) % SETS];
        int number = inotify_add_watch(set, some_name(&state), masks[next_random(&state) % 6]);

        if (next_random(&state) % 2) {
            inotify_rm_watch(set, number > 0 ? number - (int)(next_random(&state) % 4) : 1);
        }
    }
    return NULL;
}

static void *doer(void *argument)
{
    unsigned state = (unsigned)(uintptr_t)argument;

    for (int i = 0; i < ROUNDS; i++) {
        const char *name = some_name(&state), *other = some_name(&state);
        int fd = open(name, O_CREAT | O_RDWR, 0600);

        if (write(fd, "x", 1) < 0) {
            mkdir(name, 0700);
        }
        switch (next_random(&state) % 6) {
        case 0: unlink(name); break;
        case 1: rename(name, other); break;
        case 2: link(name, other); break;
        case 3: rmdir(name); break;
        case 4: chmod(name, 0700); break;
        default: symlink(other, name); break;
        }
        if (write(fd, "y", 1) == 1 || fd >= 0) { /* maybe it has no name any more */
            close(fd);
        }
        mkdir(names[4 + i % 4], 0700);
    }
    return NULL;
}

static int event_is_sound(const struct inotify_event *event, const char *end)
{
    const char *name = event->name;

    return name <= end && name + event->len <= end && event->len % 16 == 0 &&
           (event->wd > 0 || (event->wd == -1 && event->mask == IN_Q_OVERFLOW)) &&
           (!event->len || (event->len == 16 && *name && strlen(name) < 4)); /* the last of a name above */
}

static void *reader(void *argument)
{
    char buffer[4096] __attribute__((aligned(8)));
    int *set = argument;

    for (int i = 0; !ended; i++) {
        long size = read(*set, buffer, i % 16 ? sizeof(buffer) : 40);
        const struct inotify_event *event;

        for (char *at = buffer; at < buffer + size; at += sizeof(*event) + event->len) {
            event = (const struct inotify_event *)at;
            CHECK(event_is_sound(event, buffer + size));
        }
        if (i % 64 == 0) { /* another set in its place, also while the other threads use it */
            int fresh = inotify_init1(IN_NONBLOCK);

            CHECK(fresh >= 0 && dup2(fresh, *set) == *set && close(fresh) == 0);
        }
    }
    return NULL;
}

static void watches_and_files_come_and_go(void)
{
    pthread_t threads[4 + SETS];
    int count = 0;

    CHECK(mkdir("watched", 0700) == 0 && chdir("watched") == 0);
    CHECK(mkdir("one", 0700) == 0 && mkdir("two", 0700) == 0);
    for (int i = 0; i < SETS; i++) {
        sets[i] = inotify_init1(IN_NONBLOCK);
        CHECK(sets[i] >= 0);
    }
    for (uintptr_t i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[count++], NULL, doer, (void *)(i + 1)) == 0);
        CHECK(pthread_create(&threads[count++], NULL, watcher, (void *)(i + 7)) == 0);
    }
    for (int i = 0; i < SETS; i++) {
        CHECK(pthread_create(&threads[count++], NULL, reader, &sets[i]) == 0);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[2], NULL);
    ended = 1;
    for (int i = 1; i < count; i++) {
        if (i != 2) {
            pthread_join(threads[i], NULL);
        }
    }
}

static void *read_one(void *argument)
{
    char buffer[64];

    return (void *)read(*(int *)argument, buffer, sizeof(buffer));
}

static void a_set_is_closed_while_it_is_read(void)
{
    int set = inotify_init(), other = dup(set);
    pthread_t thread;
    void *size;

    CHECK(mkdir("closed", 0700) == 0 && inotify_add_watch(set, "closed", IN_CREATE) == 1);
    CHECK(pthread_create(&thread, NULL, read_one, &set) == 0);
    usleep(20000); /* the reader is asleep by now, or it comes too late, and that is all the same to it: */
    CHECK(mkdir("closed/below", 0700) == 0); /* it wakes, or finds this */
    CHECK(pthread_join(thread, &size) == 0 && size == (void *)32);
    CHECK(pthread_create(&thread, NULL, read_one, &other) == 0);
    usleep(20000);
    CHECK(close(set) == 0 && inotify_add_watch(other, "closed", IN_DELETE) == 1);
    CHECK(rmdir("closed/below") == 0 && pthread_join(thread, &size) == 0 && size == (void *)32);
    CHECK(rmdir("closed") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(watches_and_files_come_and_go),
        TEST(a_set_is_closed_while_it_is_read),
    };

    return RUN_TESTS(tests);
}
