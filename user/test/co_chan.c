/* Coroutines, layer 3: channels. */
#include <co.h>

#include "ktap.h"

#define MS 1000000l

static char trace[256];
static struct co_chan *chan;

static void note(const char *text)
{
    CHECK(strlen(trace) + strlen(text) < sizeof(trace));
    strcat(trace, text);
}

static void *send_text(void *text)
{
    for (const char *at = text; *at; at++) {
        CHECK(co_chan_send(chan, at, CO_NEVER) == 0);
    }
    return NULL;
}

static void *send_and_close(void *text)
{
    send_text(text);
    CHECK(co_chan_close(chan) == 0);
    return NULL;
}

static void *receive_all(void *mark)
{
    char text[2] = "";
    int error;

    while ((error = co_chan_recv(chan, text, CO_NEVER)) == 0) {
        note(mark);
        note(text);
    }
    CHECK(error == -EPIPE);
    return NULL;
}

static void either_side_may_come_first(void)
{
    for (size_t capacity = 0; capacity < 4; capacity++) {
        for (int sender_first = 0; sender_first < 2; sender_first++) {
            trace[0] = '\0';
            chan = co_chan_create(1, capacity);
            co_go(sender_first ? send_and_close : receive_all, sender_first ? "hello" : "", NULL);
            co_go(sender_first ? receive_all : send_and_close, sender_first ? "" : "hello", NULL);
            CHECK(co_run() == 0);
            CHECK(strcmp(trace, "hello") == 0);
            CHECK(co_chan_destroy(chan) == 0);
        }
    }
}

static void *receive_one(void *mark)
{
    char text[2] = "";

    CHECK(co_chan_recv(chan, text, CO_NEVER) == 0);
    note(mark);
    note(text);
    return NULL;
}

static void receivers_are_served_in_their_order(void)
{
    chan = co_chan_create(1, 0);
    co_go(receive_one, "1", NULL);
    co_go(receive_one, "2", NULL);
    co_go(receive_one, "3", NULL);
    co_go(send_text, "abc", NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "1a2b3c") == 0);
}

static void senders_are_served_in_their_order(void)
{
    chan = co_chan_create(1, 0);
    co_go(send_text, "a", NULL);
    co_go(send_text, "b", NULL);
    co_go(send_text, "c", NULL);
    for (int i = 0; i < 3; i++) {
        co_go(receive_one, "", NULL);
    }
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "abc") == 0);
}

/* A buffer of two: the sender is ahead by that much, and no more. */
static void *send_and_note(void *text)
{
    for (const char *at = text; *at; at++) {
        CHECK(co_chan_send(chan, at, CO_NEVER) == 0);
        note("s");
    }
    return NULL;
}

static void *receive_three(void *in)
{
    for (int i = 0; i < 3; i++) {
        receive_one("");
    }
    return in;
}

static void full_buffer_stops_the_sender(void)
{
    chan = co_chan_create(1, 2);
    co_go(send_and_note, "abc", NULL);
    co_go(receive_three, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "ssabcs") == 0);
}

struct large {
    char bytes[5000];
};

static void *send_large(void *in)
{
    struct large element;

    for (int i = 0; i < 5; i++) {
        memset(element.bytes, 'a' + i, sizeof(element.bytes));
        CHECK(co_chan_send(chan, &element, CO_NEVER) == 0);
        memset(element.bytes, 0, sizeof(element.bytes)); /* it was copied */
    }
    return in;
}

static void *receive_large(void *in)
{
    struct large element;

    for (int i = 0; i < 5; i++) {
        CHECK(co_chan_recv(chan, &element, CO_NEVER) == 0);
        for (size_t at = 0; at < sizeof(element.bytes); at++) {
            CHECK(element.bytes[at] == 'a' + i);
        }
    }
    return in;
}

static void *send_nothing(void *in)
{
    for (int i = 0; i < 5; i++) {
        CHECK(co_chan_send(chan, NULL, CO_NEVER) == 0);
    }
    return in;
}

static void *receive_nothing(void *in)
{
    for (int i = 0; i < 5; i++) {
        CHECK(co_chan_recv(chan, NULL, CO_NEVER) == 0);
    }
    note("n");
    return in;
}

static void elements_may_be_large_or_empty(void)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        chan = co_chan_create(sizeof(struct large), capacity);
        co_go(send_large, NULL, NULL);
        co_go(receive_large, NULL, NULL);
        CHECK(co_run() == 0);
        CHECK(co_chan_destroy(chan) == 0);
        chan = co_chan_create(0, capacity);
        co_go(receive_nothing, NULL, NULL);
        co_go(send_nothing, NULL, NULL);
        CHECK(co_run() == 0);
        CHECK(co_chan_destroy(chan) == 0);
    }
    CHECK(strcmp(trace, "nnn") == 0);
    CHECK(co_chan_create((size_t)1 << 40, (size_t)1 << 40) == NULL);
}

static void *receive_closed(void *in)
{
    char byte;

    CHECK(co_chan_recv(chan, &byte, CO_NEVER) == -EPIPE);
    note("r");
    return in;
}

static void *send_closed(void *in)
{
    CHECK(co_chan_send(chan, "x", CO_NEVER) == -EPIPE);
    note("s");
    return in;
}

static void *close_it(void *in)
{
    CHECK(co_chan_close(chan) == 0);
    CHECK(co_chan_close(chan) == -EPIPE);
    return in;
}

static void close_wakes_all_who_wait(void)
{
    chan = co_chan_create(1, 0);
    for (int i = 0; i < 3; i++) {
        co_go(receive_closed, NULL, NULL);
    }
    co_go(close_it, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(co_chan_destroy(chan) == 0);
    chan = co_chan_create(1, 0);
    for (int i = 0; i < 3; i++) {
        co_go(send_closed, NULL, NULL);
    }
    co_go(close_it, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "rrrsss") == 0);
}

static void closed_channel_is_drained_first(void)
{
    char byte;

    chan = co_chan_create(1, 3);
    CHECK(co_chan_trysend(chan, "a") == 0 && co_chan_trysend(chan, "b") == 0);
    CHECK(co_chan_close(chan) == 0);
    CHECK(co_chan_trysend(chan, "c") == -EPIPE);
    CHECK(co_chan_tryrecv(chan, &byte) == 0 && byte == 'a');
    co_go(receive_all, "", NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "b") == 0);
    CHECK(co_chan_tryrecv(chan, &byte) == -EPIPE);
}

static void *meet_by_trying(void *in)
{
    char byte;

    CHECK(co_chan_tryrecv(chan, &byte) == 0 && byte == 'x'); /* a sender waits */
    CHECK(co_chan_tryrecv(chan, &byte) == -EAGAIN);
    return in;
}

static void trying_does_not_wait(void)
{
    char byte;

    chan = co_chan_create(1, 1);
    CHECK(co_chan_tryrecv(chan, &byte) == -EAGAIN);
    CHECK(co_chan_trysend(chan, "a") == 0);
    CHECK(co_chan_trysend(chan, "b") == -EAGAIN);
    CHECK(co_chan_tryrecv(chan, &byte) == 0 && byte == 'a');
    chan = co_chan_create(1, 0);
    CHECK(co_chan_trysend(chan, "a") == -EAGAIN);
    co_go(send_text, "x", NULL);
    co_go(meet_by_trying, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *with_deadlines(void *in)
{
    int64_t deadline = co_now() + 5 * MS;
    char byte;

    CHECK(co_chan_recv(chan, &byte, 0) == -EAGAIN);
    CHECK(co_chan_send(chan, "a", 0) == -EAGAIN);
    CHECK(co_chan_recv(chan, &byte, deadline) == -ETIMEDOUT && co_now() >= deadline);
    deadline = co_now() + 5 * MS;
    CHECK(co_chan_send(chan, "a", deadline) == -ETIMEDOUT && co_now() >= deadline);
    co_go(receive_one, "", NULL);
    CHECK(co_chan_send(chan, "k", co_now() + 60000 * MS) == 0);
    return in;
}

static void waits_have_deadlines(void)
{
    chan = co_chan_create(1, 0);
    co_go(with_deadlines, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "k") == 0); /* whoever gave up sent nothing */
    CHECK(co_chan_destroy(chan) == 0);
}

static void *destroy_in_use(void *in)
{
    CHECK(co_chan_destroy(chan) == -EBUSY);
    CHECK(co_chan_close(chan) == 0);
    CHECK(co_chan_destroy(chan) == 0);
    return in;
}

static void channel_in_use_is_not_destroyed(void)
{
    char byte;

    chan = co_chan_create(1, 0);
    CHECK(co_chan_recv(chan, &byte, CO_NEVER) == -EPERM); /* outside of coroutines */
    CHECK(co_chan_send(chan, &byte, CO_NEVER) == -EPERM);
    co_go(receive_closed, NULL, NULL);
    co_go(destroy_in_use, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "r") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(either_side_may_come_first), TEST(receivers_are_served_in_their_order),
        TEST(senders_are_served_in_their_order), TEST(full_buffer_stops_the_sender),
        TEST(elements_may_be_large_or_empty), TEST(close_wakes_all_who_wait),
        TEST(closed_channel_is_drained_first), TEST(trying_does_not_wait),
        TEST(waits_have_deadlines), TEST(channel_in_use_is_not_destroyed),
    };
    return RUN_TESTS(tests);
}
