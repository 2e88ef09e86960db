/*
 * Layer 3: what has to block does so on a thread of its own, while the coroutine is parked.
 *
 * The helper thread sends the job's address through a pipe when it is done; the run loop polls
 * the other end. The job lies on the coroutine's stack, so the coroutine stays parked until the
 * helper has let go of it, canceled or not. A forked child has no helpers: there the jobs under way
 * have failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "interest.h"

struct job {
    struct co_list link; /* in `jobs` */
    co_function function;
    void *argument, *result;
    struct loop_co *co;
    int done_fd, error;
};

static _Thread_local struct co_list jobs; /* under way, of this thread's coroutines */
static _Thread_local int open_pipe;
static _Thread_local int ends[2];

void blocking_finished(void)
{
    struct job *done[16];
    long got = co_call(SYS_read, ends[0], (long)done, sizeof(done), 0, 0, 0);

    for (long i = 0; i < got / (long)sizeof(*done); i++) {
        loop_wake(done[i]->co, 0);
    }
}

static int blocking_open(void)
{
    long error;

    if (open_pipe) {
        return 0;
    }
    error = co_call(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0, 0, 0);
    if (error) {
        return (int)error;
    }
    open_pipe = 1;
    error = set_watch_helpers(ends[0]);
    if (error) {
        blocking_release();
        return (int)error;
    }
    list_init(&jobs);
    return 0;
}

void blocking_release(void)
{
    if (open_pipe) {
        co_call(SYS_close, ends[0], 0, 0, 0, 0, 0);
        co_call(SYS_close, ends[1], 0, 0, 0, 0, 0);
        open_pipe = 0;
    }
}

/* The pipe is the parent's, and its messages are addresses of the parent's jobs. */
void blocking_forked(void)
{
    if (!open_pipe) {
        return;
    }
    blocking_release();
    for (struct co_list *node = jobs.next; node != &jobs; node = node->next) {
        struct job *job = CO_ENTRY(node, struct job, link);

        job->error = -EAGAIN;
        loop_wake(job->co, 0);
    }
}

static void *help(void *argument)
{
    struct job *job = argument;
    int fd = job->done_fd;

    job->result = job->function(job->argument);
    co_call(SYS_write, fd, (long)&job, sizeof(job), 0, 0, 0); /* the job may be gone from here on */
    return NULL;
}

int co_blocking(co_function function, void *argument, void **result)
{
    struct job job = {.function = function, .argument = argument, .co = loop_current()};
    struct co_loop *loop = loop_here();
    pthread_t thread;
    int error;

    if (!loop) {
        return -EPERM;
    }
    if (co_canceled()) {
        return -ECANCELED;
    }
    error = blocking_open();
    if (error) {
        return error;
    }
    job.done_fd = ends[1];
    if (pthread_create(&thread, NULL, help, &job)) {
        return -EAGAIN;
    }
    list_add_last(&jobs, &job.link);
    loop_count_job(loop, 1);
    loop_park_firmly("helper thread");
    loop_count_job(loop, -1);
    list_take(&job.link);
    if (job.error) {
        return job.error;
    }
    pthread_join(thread, NULL); /* it has nothing left to do but to end */
    if (result) {
        *result = job.result;
    }
    return 0;
}
