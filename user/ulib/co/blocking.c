/*
 * Layer 3: what has to block does so on a thread of its own, while the coroutine is parked.
 *
 * The helper thread sends the job's address through a pipe when it is done; the run loop polls
 * the other end. The job lies on the coroutine's stack, so the coroutine stays parked until the
 * helper has let go of it, canceled or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "internal.h"

enum { SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_pipe2 = 293 };

struct job {
    co_function function;
    void *argument, *result;
    struct co *co;
    int done_fd;
};

static _Thread_local int open_pipe;
static _Thread_local int ends[2];

int blocking_descriptor(void)
{
    return open_pipe ? ends[0] : -1;
}

void blocking_finished(void)
{
    struct job *jobs[16];
    long got = co_call(SYS_read, ends[0], (long)jobs, sizeof(jobs), 0, 0, 0);

    for (long i = 0; i < got / (long)sizeof(*jobs); i++) {
        loop_wake(jobs[i]->co, 0);
    }
}

void blocking_release(void)
{
    if (open_pipe) {
        co_call(SYS_close, ends[0], 0, 0, 0, 0, 0);
        co_call(SYS_close, ends[1], 0, 0, 0, 0, 0);
        open_pipe = 0;
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
    struct job job = {function, argument, NULL, co_current, 0};
    struct co_loop *loop = loop_here();
    pthread_t thread;

    if (!loop) {
        return -EPERM;
    }
    if (co_canceled()) {
        return -ECANCELED;
    }
    if (!open_pipe) {
        long error = co_call(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0, 0, 0);

        if (error) {
            return (int)error;
        }
        open_pipe = 1;
    }
    job.done_fd = ends[1];
    if (pthread_create(&thread, NULL, help, &job)) {
        return -EAGAIN;
    }
    loop_count_job(loop, 1);
    loop_park_firmly("helper thread");
    loop_count_job(loop, -1);
    pthread_join(thread, NULL); /* it has nothing left to do but to end */
    if (result) {
        *result = job.result;
    }
    return 0;
}
