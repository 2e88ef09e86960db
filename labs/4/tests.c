/* Lab 4, threads: shared memory, futex, and a mutex and a condition variable on it. */
#include "limits.h"
#include "steps.h"
#include "threads.h"
#include "ways.h"
#include "words.h"

static volatile uint64_t cells[64];

static void *writes(void *argument)
{
    long me = (long)argument;

    cells[me] = grade_mix(grade_number((uint64_t)me) + cells[me]);
    flags[me] = 1 + (getpid() != gettid());
    return NULL;
}

static void shared_memory(void)
{
    pthread_t thread;

    for (long i = 0; i < 8; i++) {
        cells[i] = (uint64_t)i;
        start(&thread, writes, i);
        await(&flags[i], "what a thread writes is there for the others");
        EXPECT(flags[i] == 2, "a thread has an id of its own, in the same process", "the same id");
        sum += cells[i];
    }
    grade_value("cells", sum);
}

static void *ends(void *argument)
{
    return argument;
}

static void ends_are_heard(void)
{
    pthread_t thread;

    start(&thread, writes, 0);
    await(&flags[0], "what a thread writes is there for the others");
    for (long i = 0; i < 300; i++) {
        void *result = NULL;

        start(&thread, ends, (long)(grade_number((uint64_t)i) >> 1));
        EXPECT(pthread_join(thread, &result) == 0, "pthread_join gives 0", "an error");
        sum += (uint64_t)result;
    }
    grade_value("results", sum);
    grade_hint("step 4: put_user of an int 0 first, then futex_wake of one, whatever its bits");
    last_words();
}

static void *sleeps(void *argument)
{
    volatile int *at = argument ? &other_word : &word;

    flags[0] = 1;
    flags[1] = futex(at, WAIT, 0, 1000 * MS) == 0 ? 2 : 1;
    return NULL;
}

static void waiters_sleep(void)
{
    long before = cpu_ms(), result;
    pthread_t thread;

    word = 1;
    result = futex(&word, WAIT, 0, 50 * MS);
    EXPECT(result == -EAGAIN, "another value in the word: -EAGAIN, at once", "%ld", result);
    result = futex(&word, WAIT, 1, 50 * MS);
    EXPECT(result == -ETIMEDOUT, "nobody wakes: -ETIMEDOUT after 50 ms", "%ld", result);
    word = 0;
    start(&thread, sleeps, 0);
    usleep(100000);
    EXPECT(flags[0] == 1 && !flags[1], "a thread that waits while the word is 0", "state %d, %d",
           flags[0], flags[1]);
    EXPECT(cpu_ms() - before < 20, "who waits uses no CPU time", "%ld ms of it", cpu_ms() - before);
    result = wake(&word, 1);
    EXPECT(result == 1, "FUTEX_WAKE tells how many it woke: 1", "%ld", result);
    await(&flags[1], "the woken one runs");
    EXPECT(flags[1] == 2, "its FUTEX_WAIT gives 0", "an error");
    grade_value("slept", grade_number(7));
}

static volatile int awake[2];

static void *waits_for(void *argument)
{
    volatile int *at = argument ? &other_word : &word;

    flags[0]++;
    futex(at, WAIT, 0, 0);
    __atomic_fetch_add(&awake[argument != NULL], 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void wakes_the_right_ones(void)
{
    static const int counts[] = {2, 1, 3};
    pthread_t threads[16];

    for (long i = 0; i < 16; i++) {
        start(&threads[i], waits_for, i % 2);
    }
    usleep(50000);
    EXPECT(flags[0] == 16, "sixteen threads that wait", "%d", flags[0]);
    EXPECT(awake[0] + awake[1] == 0, "nobody is awake yet", "%d are", awake[0] + awake[1]);
    for (int i = 0; i < 3; i++) {
        long woken = wake(&word, counts[i]);
        int already = i == 0 ? 0 : i == 1 ? 2 : 3;

        EXPECT(woken == counts[i], "as many as asked for", "%ld, not %d", woken, counts[i]);
        usleep(20000);
        EXPECT(awake[0] == already + counts[i] && awake[1] == 0,
               "that many awake, and only those of this word", "%d, and %d of the other", awake[0], awake[1]);
    }
    grade_value("woken", (uint64_t)wake(&word, 100) * 100 + (uint64_t)wake(&other_word, 100));
}

static volatile uint64_t token;

/* Two threads hand a token to and fro: word 0 or 1 says whose it is. */
static void play(int me)
{
    for (int round = 0; round < 1000; round++) {
        while (word != me) {
            futex(&word, WAIT, !me, 0);
        }
        token = grade_mix(token + (uint64_t)me);
        word = !me;
        wake(&word, 1);
    }
}

static void *partner(void *unused)
{
    play(1);
    return unused;
}

static void to_and_fro(void)
{
    long before = cpu_ms();
    pthread_t thread;

    start(&thread, writes, 9);
    await(&flags[9], "what a thread writes is there for the others");
    start(&thread, partner, 0);
    play(0);
    pthread_join(thread, NULL);
    grade_value("token", token);
    grade_value("cpu_ms", (uint64_t)(cpu_ms() - before));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int inside, most_inside;

static void *adds(void *argument)
{
    for (int i = 0; i < 500; i++) {
        uint64_t seen;

        pthread_mutex_lock(&mutex);
        inside++;
        most_inside = inside > most_inside ? inside : most_inside;
        seen = sum;
        sched_yield(); /* in the middle, where it hurts */
        sum = seen + (uint64_t)argument;
        inside--;
        pthread_mutex_unlock(&mutex);
    }
    flags[(long)argument] = 1;
    return NULL;
}

static void mutex_excludes(void)
{
    pthread_t threads[5];

    for (long i = 1; i < 5; i++) {
        start(&threads[i], adds, i);
    }
    for (long i = 1; i < 5; i++) {
        for (int wait = 0; wait < 2000 && !flags[i]; wait++) {
            usleep(1000);
        }
        EXPECT(flags[i], "each thread gets the mutex 500 times and ends", "thread %ld waits for ever", i);
    }
    EXPECT(most_inside == 1, "one thread at a time in the middle", "%d at once", most_inside);
    grade_value("sum", sum);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static volatile int turn, gone;

/* Six threads in a row: each waits for its turn, and wakes all when it has had it. */
static void *takes_turns(void *argument)
{
    int me = (int)(long)argument;

    pthread_mutex_lock(&mutex);
    for (int round = 0; round < 50; round++) {
        while (turn % 6 != me) {
            pthread_cond_wait(&changed, &mutex);
        }
        sum = grade_mix(sum + (uint64_t)me);
        turn++;
        pthread_cond_broadcast(&changed);
    }
    gone++;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void condition_wakes(void)
{
    long before = cpu_ms();
    pthread_t threads[6];

    for (long i = 5; i > 0; i--) { /* who waits for longest is not whose turn it is */
        start(&threads[i], takes_turns, i);
    }
    usleep(100000);
    EXPECT(cpu_ms() - before < 20, "who waits for its turn uses no CPU time", "%ld ms of it",
           cpu_ms() - before);
    start(&threads[0], takes_turns, 0);
    for (int wait = 0; wait < 2000 && gone < 6; wait++) {
        usleep(1000);
    }
    EXPECT(gone == 6, "all six have had their fifty turns", "%d have; it stands at turn %d", gone, turn);
    grade_value("turns", sum);
    condition_steps();
}

void queues_first(void); /* queue.c */

static const struct grade_test tests[] = {
    GRADE(shared_memory), GRADE(address_spaces), GRADE(waiters_sleep), GRADE(odd_words),
    GRADE(queues_first), GRADE(wakes_the_right_ones), GRADE(keys_and_bits), GRADE(ends_are_heard),
    GRADE(to_and_fro), GRADE(mutex_excludes), GRADE(mutex_steps), GRADE(condition_wakes),
    GRADE(mutex_every_way), GRADE(condition_every_way), GRADE(limits),
};
GRADE_MAIN(tests)
