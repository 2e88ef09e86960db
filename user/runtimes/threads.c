/* Five threads tick while another one reads: the kernel knows each of them. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long ticks;

static void nap(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    nanosleep(&time, NULL);
}

static void *tick(void *unused)
{
    for (;;) {
        nap(50);
        __atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
    }
    return unused;
}

static long now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int main(void)
{
    char answer[100];
    pthread_t thread;
    long before, start;

    for (int i = 0; i < 5; i++) {
        pthread_create(&thread, NULL, tick, NULL);
    }
    nap(200);
    before = __atomic_load_n(&ticks, __ATOMIC_RELAXED);
    start = now_ms();
    read(0, answer, sizeof(answer));
    printf("%ld %ld\n", __atomic_load_n(&ticks, __ATOMIC_RELAXED) - before, now_ms() - start);
    return 0;
}
