/* libuv: a timer, a pipe to a child, a piece of work in the pool of threads, an async wake-up. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uv_async_t async;
static uv_pipe_t output;
static int worked;

static void on_timer(uv_timer_t *timer)
{
    puts("timer");
    uv_close((uv_handle_t *)timer, NULL);
}

static void work(uv_work_t *request)
{
    (void)request;
    worked = 42;
    uv_async_send(&async);
}

static void after_work(uv_work_t *request, int status)
{
    (void)request;
    printf("worked %d %d\n", worked, status);
    uv_close((uv_handle_t *)&async, NULL);
}

static void on_async(uv_async_t *handle)
{
    (void)handle;
}

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(malloc(size), size);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count > 0) {
        printf("read %.*s", (int)count, buffer->base);
    } else {
        uv_close((uv_handle_t *)stream, NULL);
    }
    free(buffer->base);
}

static void on_end(uv_process_t *process, int64_t status, int signal)
{
    printf("child %d %d\n", (int)status, signal);
    uv_close((uv_handle_t *)process, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    char *arguments[] = {"sh", "-c", "echo text; exit 3", NULL};
    uv_stdio_container_t files[] = {{.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&output}};
    uv_process_options_t options = {.file = "sh", .args = arguments, .exit_cb = on_end, .stdio = files, .stdio_count = 2};
    uv_process_t process;
    uv_timer_t timer;
    uv_work_t request;

    setvbuf(stdout, NULL, _IONBF, 0);
    uv_async_init(loop, &async, on_async);
    uv_queue_work(loop, &request, work, after_work);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_timer, 20, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_pipe_init(loop, &output, 0);
    printf("spawn %d\n", uv_spawn(loop, &process, &options));
    uv_read_start((uv_stream_t *)&output, allocate, on_read);
    printf("left %d\n", uv_run(loop, UV_RUN_DEFAULT));
}
