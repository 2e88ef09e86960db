/* Five coroutines tick while another one reads, by read() or by co_read(). */
#include <co.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *way;
static long ticks;

static void *tick(void *unused)
{
    for (;;) {
        co_sleep(50 * 1000000);
        ticks++;
    }
    return unused;
}

static long now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void *reader(void *unused)
{
    char answer[100];
    long before, start;

    co_sleep(200 * 1000000);
    before = ticks;
    start = now_ms();
    if (strcmp(way, "aware") == 0) {
        co_read(0, answer, sizeof(answer)); /* parks this coroutine */
    } else {
        read(0, answer, sizeof(answer)); /* puts the thread to sleep */
    }
    printf("%ld %ld\n", ticks - before, now_ms() - start);
    exit(0);
    return unused;
}

int main(int argc, char **argv)
{
    way = argc > 1 ? argv[1] : "blocking";
    for (int i = 0; i < 5; i++) {
        co_go(tick, NULL, "ticker");
    }
    co_go(reader, NULL, "reader");
    co_run();
    return 0;
}
