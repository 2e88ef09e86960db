/*
 * Programs as lectures have them, in POSIX names only: each must compile and do its work as it
 * stands, with this library and with the host's.
 */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "ktap.h"

/* ---- Bounded buffer with semaphores ---- */

#define SLOTS 4
#define ITEMS 2000
#define PRODUCERS 3
#define CONSUMERS 2

static int buffer[SLOTS], in, out;
static sem_t empty, full;
static pthread_mutex_t buffer_mutex = PTHREAD_MUTEX_INITIALIZER;
static long consumed_sum, consumed_count;

static void *producer(void *arg)
{
    int id = *(int *)arg;

    for (int i = 0; i < ITEMS; i++) {
        sem_wait(&empty);
        pthread_mutex_lock(&buffer_mutex);
        buffer[in] = id * ITEMS + i;
        in = (in + 1) % SLOTS;
        pthread_mutex_unlock(&buffer_mutex);
        sem_post(&full);
    }
    return NULL;
}

static void *consumer(void *arg)
{
    (void)arg;
    for (;;) {
        int item;

        sem_wait(&full);
        pthread_mutex_lock(&buffer_mutex);
        item = buffer[out];
        out = (out + 1) % SLOTS;
        if (item >= 0) {
            consumed_sum += item;
            consumed_count++;
        }
        pthread_mutex_unlock(&buffer_mutex);
        sem_post(&empty);
        if (item < 0) {
            pthread_exit(NULL);
        }
    }
}

static void producers_and_consumers(void)
{
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    int ids[PRODUCERS];
    long n = (long)PRODUCERS * ITEMS;

    sem_init(&empty, 0, SLOTS);
    sem_init(&full, 0, 0);
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_create(&consumers[i], NULL, consumer, NULL);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        ids[i] = i;
        pthread_create(&producers[i], NULL, producer, &ids[i]);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i], NULL);
    }
    for (int i = 0; i < CONSUMERS; i++) { /* one end mark for each */
        sem_wait(&empty);
        pthread_mutex_lock(&buffer_mutex);
        buffer[in] = -1;
        in = (in + 1) % SLOTS;
        pthread_mutex_unlock(&buffer_mutex);
        sem_post(&full);
    }
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_join(consumers[i], NULL);
    }
    CHECK(consumed_count == n && consumed_sum == n * (n - 1) / 2);
}

/* ---- A monitor: mutex and two conditions around a queue ---- */

static struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    int items[SLOTS], count;
} queue = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .not_empty = PTHREAD_COND_INITIALIZER,
    .not_full = PTHREAD_COND_INITIALIZER,
};

static void queue_put(struct queue *q, int item)
{
    pthread_mutex_lock(&q->mutex);
    while (q->count == SLOTS) {
        pthread_cond_wait(&q->not_full, &q->mutex);
    }
    q->items[q->count++] = item;
    pthread_cond_signal(&q->not_empty);
    pthread_mutex_unlock(&q->mutex);
}

static int queue_take(struct queue *q)
{
    int item;

    pthread_mutex_lock(&q->mutex);
    while (q->count == 0) {
        pthread_cond_wait(&q->not_empty, &q->mutex);
    }
    item = q->items[--q->count];
    pthread_cond_signal(&q->not_full);
    pthread_mutex_unlock(&q->mutex);
    return item;
}

static void *put_many(void *arg)
{
    for (int i = 1; i <= ITEMS; i++) {
        queue_put(arg, i);
    }
    return NULL;
}

static void *take_many(void *arg)
{
    long sum = 0;

    for (int i = 0; i < ITEMS; i++) {
        sum += queue_take(arg);
    }
    return (void *)sum;
}

static void monitor_with_two_conditions(void)
{
    pthread_t putters[4], takers[4];
    long sum = 0;

    for (int i = 0; i < 4; i++) {
        pthread_create(&putters[i], NULL, put_many, &queue);
        pthread_create(&takers[i], NULL, take_many, &queue);
    }
    for (int i = 0; i < 4; i++) {
        void *result;

        pthread_join(putters[i], NULL);
        pthread_join(takers[i], &result);
        sum += (long)result;
    }
    CHECK(sum == 4l * ITEMS * (ITEMS + 1) / 2 && queue.count == 0);
}

/* ---- Readers and writers, by the book: the first reader locks, the last one unlocks ---- */

static sem_t room, count_guard;
static int inside, copy_a, copy_b;

static void *book_reader(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++) {
        sem_wait(&count_guard);
        if (++inside == 1) {
            sem_wait(&room);
        }
        sem_post(&count_guard);
        CHECK(copy_a == copy_b);
        sem_wait(&count_guard);
        if (--inside == 0) {
            sem_post(&room);
        }
        sem_post(&count_guard);
    }
    return NULL;
}

static void *book_writer(void *arg)
{
    for (int i = 0; i < 500; i++) {
        sem_wait(&room);
        copy_a++;
        if (i % 50 == 0) {
            usleep(10);
        }
        copy_b++;
        sem_post(&room);
    }
    return arg;
}

static void readers_and_writers(void)
{
    pthread_t threads[6];

    sem_init(&room, 0, 1);
    sem_init(&count_guard, 0, 1);
    for (int i = 0; i < 6; i++) {
        pthread_create(&threads[i], NULL, i < 4 ? book_reader : book_writer, NULL);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(copy_a == 1000 && copy_b == 1000);
}

/* ---- Dining philosophers: the forks are ordered, so there is no circle of waiting ---- */

#define PHILOSOPHERS 5

static pthread_mutex_t forks[PHILOSOPHERS];
static int eating[PHILOSOPHERS], meals[PHILOSOPHERS];

static void *philosopher(void *arg)
{
    int me = (int)(long)arg, left = me, right = (me + 1) % PHILOSOPHERS;
    int first = left < right ? left : right, second = left < right ? right : left;

    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&forks[first]);
        pthread_mutex_lock(&forks[second]);
        eating[me] = 1;
        CHECK(!eating[(me + 1) % PHILOSOPHERS]);
        CHECK(!eating[(me + PHILOSOPHERS - 1) % PHILOSOPHERS]);
        if (i % 16 == 0) {
            usleep(20);
        }
        meals[me]++;
        eating[me] = 0;
        pthread_mutex_unlock(&forks[second]);
        pthread_mutex_unlock(&forks[first]);
    }
    return NULL;
}

static void dining_philosophers(void)
{
    pthread_t threads[PHILOSOPHERS];

    for (int i = 0; i < PHILOSOPHERS; i++) {
        pthread_mutex_init(&forks[i], NULL);
    }
    for (long i = 0; i < PHILOSOPHERS; i++) {
        pthread_create(&threads[i], NULL, philosopher, (void *)i);
    }
    for (int i = 0; i < PHILOSOPHERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < PHILOSOPHERS; i++) {
        CHECK(meals[i] == 300 && pthread_mutex_destroy(&forks[i]) == 0);
    }
}

/* ---- The sum of a matrix, a part for each thread; a barrier between two phases ---- */

#define SIZE 64
#define WORKERS 4

static int matrix[SIZE][SIZE];
static long partial[WORKERS];
static pthread_barrier_t filled;

struct range {
    int worker, first_row, last_row;
};

static void *sum_rows(void *arg)
{
    struct range *range = arg;

    for (int row = range->first_row; row < range->last_row; row++) {
        for (int column = 0; column < SIZE; column++) {
            matrix[row][column] = row * SIZE + column;
        }
    }
    pthread_barrier_wait(&filled);
    for (int row = range->first_row; row < range->last_row; row++) {
        for (int column = 0; column < SIZE; column++) { /* the transposed rows: others filled them */
            partial[range->worker] += matrix[column][row];
        }
    }
    return NULL;
}

static void matrix_sum(void)
{
    pthread_t threads[WORKERS];
    struct range ranges[WORKERS];
    long total = 0, n = SIZE * SIZE;

    pthread_barrier_init(&filled, NULL, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        ranges[i] = (struct range){i, i * SIZE / WORKERS, (i + 1) * SIZE / WORKERS};
        pthread_create(&threads[i], NULL, sum_rows, &ranges[i]);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        total += partial[i];
    }
    pthread_barrier_destroy(&filled);
    CHECK(total == n * (n - 1) / 2);
}

/* ---- "Cancellation": a flag that the thread looks at ---- */

static pthread_mutex_t flag_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t flag_changed = PTHREAD_COND_INITIALIZER;
static int please_stop, rounds;

static void *work_until_told(void *arg)
{
    pthread_mutex_lock(&flag_mutex);
    while (!please_stop) {
        rounds++;
        pthread_cond_signal(&flag_changed);
        pthread_cond_wait(&flag_changed, &flag_mutex);
    }
    pthread_mutex_unlock(&flag_mutex);
    return arg;
}

static void stop_by_flag(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, work_until_told, NULL);
    pthread_mutex_lock(&flag_mutex);
    while (rounds == 0) {
        pthread_cond_wait(&flag_changed, &flag_mutex);
    }
    please_stop = 1;
    pthread_cond_signal(&flag_changed);
    pthread_mutex_unlock(&flag_mutex);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(producers_and_consumers), TEST(monitor_with_two_conditions), TEST(readers_and_writers),
        TEST(dining_philosophers), TEST(matrix_sum), TEST(stop_by_flag),
    };

    return RUN_TESTS(tests);
}
