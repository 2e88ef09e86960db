/* Torture: things that only some may do at a time, and those who wait for their turn. */
#include "torture.h"

#define SLOTS 3

/* ---- A bounded buffer: mutex and condition variables; with signals, or one and broadcasts ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t conds[2], *not_empty, *not_full;
    int *items[SLOTS], count;
    long put, taken;
} buffer = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void buffer_wait(struct worker *w, pthread_cond_t *cond)
{
    struct timespec time = soon(w, CLOCK_MONOTONIC);
    int error = draw(&w->random, 4) ? pthread_cond_wait(cond, &buffer.mutex)
                                    : pthread_cond_timedwait(cond, &buffer.mutex, &time);

    EXPECT(error == 0 || error == ETIMEDOUT);
}

static void buffer_wake(pthread_cond_t *cond)
{
    EXPECT((buffer.not_empty == buffer.not_full ? pthread_cond_broadcast(cond)
                                                : pthread_cond_signal(cond)) == 0);
}

static void put_item(struct worker *w)
{
    int *item = malloc(sizeof(*item));

    EXPECT(item);
    *item = (int)draw(&w->random, 1000);
    pthread_mutex_lock(&buffer.mutex);
    while (buffer.count == SLOTS) {
        buffer_wait(w, buffer.not_full);
    }
    buffer.put += *item;
    buffer.items[buffer.count++] = item;
    buffer_wake(buffer.not_empty);
    pthread_mutex_unlock(&buffer.mutex);
}

static void take_item(struct worker *w)
{
    int *item;

    pthread_mutex_lock(&buffer.mutex);
    while (buffer.count == 0) {
        buffer_wait(w, buffer.not_empty);
    }
    item = buffer.items[--buffer.count];
    buffer.taken += *item;
    buffer_wake(buffer.not_full);
    pthread_mutex_unlock(&buffer.mutex);
    free(item);
}

static void use_buffer(struct worker *w)
{
    for (int i = 0; i < WORK; i++) {
        step(w, w->producer ? "buffer: put" : "buffer: take");
        if (w->producer) {
            put_item(w);
        } else {
            take_item(w);
        }
    }
}

static void check_buffer(void)
{
    EXPECT(buffer.count == 0 && buffer.put == buffer.taken);
    buffer.not_empty = buffer.not_empty == &buffer.conds[0] ? &buffer.conds[1] : &buffer.conds[0];
}

/* ---- The same with semaphores, and a mutex that checks its users ---- */

static sem_t empty, full;
static pthread_mutex_t strict = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static long stock, passed;

static void use_semaphores(struct worker *w)
{
    for (int i = 0; i < WORK; i++) {
        step(w, w->producer ? "semaphore: put" : "semaphore: take");
        take_semaphore(w->producer ? &empty : &full);
        EXPECT(pthread_mutex_lock(&strict) == 0 && pthread_mutex_lock(&strict) == EDEADLK);
        stock += w->producer ? 1 : -1;
        passed++;
        EXPECT(stock >= 0 && stock <= SLOTS);
        EXPECT(pthread_mutex_unlock(&strict) == 0);
        EXPECT(sem_post(w->producer ? &full : &empty) == 0);
    }
}

static void check_semaphores(void)
{
    int slots, items;

    EXPECT(sem_getvalue(&empty, &slots) == 0 && sem_getvalue(&full, &items) == 0);
    EXPECT(stock == 0 && slots == SLOTS && items == 0 && passed == WORKERS * WORK);
    passed = 0;
}

/* ---- Readers and writers ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long first, second, written;

static int lock_somehow(struct worker *w, int write)
{
    struct timespec time = soon(w, CLOCK_REALTIME);

    switch (draw(&w->random, 4)) {
    case 0: return write ? pthread_rwlock_trywrlock(&rwlock) : pthread_rwlock_tryrdlock(&rwlock);
    case 1: return write ? pthread_rwlock_timedwrlock(&rwlock, &time)
                         : pthread_rwlock_timedrdlock(&rwlock, &time);
    default: return write ? pthread_rwlock_wrlock(&rwlock) : pthread_rwlock_rdlock(&rwlock);
    }
}

static void read_and_write(struct worker *w)
{
    for (int i = 0; i < WORK; i++) {
        int write = draw(&w->random, 3) == 0, error;

        step(w, write ? "rwlock: write" : "rwlock: read");
        error = lock_somehow(w, write);
        if (error) {
            EXPECT(error == EBUSY || error == ETIMEDOUT);
            continue;
        }
        EXPECT(first == second);
        first += write;
        step(w, write ? "rwlock: inside, writing" : "rwlock: inside, reading");
        second += write;
        EXPECT(first == second);
        add(&written, write);
        EXPECT(pthread_rwlock_unlock(&rwlock) == 0);
    }
}

static void check_rwlock(void)
{
    EXPECT(first == written && second == written);
    EXPECT(pthread_rwlock_trywrlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
}

/* ---- Mutexes of all kinds, and a spin lock ---- */

static struct {
    pthread_mutex_t mutex;
    long count;
    volatile long inside;
} sections[3] = {
    {.mutex = PTHREAD_MUTEX_INITIALIZER}, {.mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP},
    {.mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP},
};
static pthread_spinlock_t spin;
static long spun;
static volatile long sectioned;

static int lock_mutex_somehow(struct worker *w, pthread_mutex_t *mutex)
{
    struct timespec time = soon(w, CLOCK_REALTIME);

    switch (draw(&w->random, 4)) {
    case 0: return pthread_mutex_trylock(mutex);
    case 1: return pthread_mutex_timedlock(mutex, &time);
    default: return pthread_mutex_lock(mutex);
    }
}

static void use_mutexes(struct worker *w)
{
    for (int i = 0; i < WORK; i++) {
        unsigned which = draw(&w->random, 3);
        int error;

        step(w, "mutex: lock");
        error = lock_mutex_somehow(w, &sections[which].mutex);
        if (error) {
            EXPECT(error == EBUSY || error == ETIMEDOUT);
            continue;
        }
        EXPECT(add(&sections[which].inside, 1) == 1);
        EXPECT(which != 1 || (pthread_mutex_lock(&sections[1].mutex) == 0 &&
                              pthread_mutex_unlock(&sections[1].mutex) == 0));
        step(w, "mutex: inside");
        sections[which].count++;
        add(&sectioned, 1);
        EXPECT(add(&sections[which].inside, -1) == 0);
        EXPECT(pthread_mutex_unlock(&sections[which].mutex) == 0);
        pthread_spin_lock(&spin);
        spun++;
        pthread_spin_unlock(&spin);
    }
}

static void check_mutexes(void)
{
    EXPECT(sections[0].count + sections[1].count + sections[2].count == sectioned);
    EXPECT(spun == sectioned);
}

const struct scenario exclusions[EXCLUSIONS] = {
    {use_buffer, check_buffer}, {use_semaphores, check_semaphores}, {read_and_write, check_rwlock},
    {use_mutexes, check_mutexes},
};

void exclusions_start(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&buffer.conds[0], &attr);
    pthread_cond_init(&buffer.conds[1], &attr);
    buffer.not_empty = buffer.not_full = &buffer.conds[0];
    sem_init(&empty, 0, SLOTS);
    sem_init(&full, 0, 0);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
}
