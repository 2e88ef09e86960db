/* Coroutines, layer 3: select over several channels. */
#include <co.h>

#include "ktap.h"

#define MS 1000000l

static struct co_chan *a, *b;
static int sent, received;

/* Receives from a and b, sends 9 to b. */
static int select_3(int deadline_ms, int *from_a, int *from_b, int *result)
{
    int nine = 9, chosen;
    struct co_case cases[] = {
        {.chan = a, .element = from_a},
        {.chan = b, .element = from_b},
        {.chan = b, .send = 1, .element = &nine},
    };

    chosen = co_select(cases, 3, deadline_ms <= 0 ? deadline_ms : co_now() + deadline_ms * MS);
    *result = chosen >= 0 ? cases[chosen].result : 0;
    return chosen;
}

static void *send_a_later(void *value)
{
    CHECK(co_yield_now() == 0);
    CHECK(co_chan_send(a, &(int){(int)(long)value}, CO_NEVER) == 0);
    sent++;
    return NULL;
}

static void *receive_b_later(void *in)
{
    CHECK(co_yield_now() == 0);
    CHECK(co_chan_recv(b, &received, CO_NEVER) == 0);
    return in;
}

static void *select_a(void *in)
{
    int from_a = 0, from_b = 0, result;

    CHECK(select_3(CO_NEVER, &from_a, &from_b, &result) == 0);
    CHECK(result == 0 && from_a == 5 && from_b == 0);
    return in;
}

static void *select_to_b(void *in)
{
    int from_a = 0, from_b = 0, result;

    CHECK(select_3(CO_NEVER, &from_a, &from_b, &result) == 2);
    CHECK(result == 0 && from_a == 0 && from_b == 0);
    return in;
}

static void channels(size_t capacity)
{
    a = co_chan_create(sizeof(int), capacity);
    b = co_chan_create(sizeof(int), capacity);
    sent = received = 0;
}

/* Nobody is left in a queue, whichever case it was. */
static void destroy(void)
{
    CHECK(co_chan_trysend(a, &(int){1}) == -EAGAIN && co_chan_trysend(b, &(int){1}) == -EAGAIN);
    CHECK(co_chan_tryrecv(a, &received) == -EAGAIN && co_chan_tryrecv(b, &received) == -EAGAIN);
    CHECK(co_chan_destroy(a) == 0 && co_chan_destroy(b) == 0);
}

static void first_case_that_can_goes_on(void)
{
    channels(0);
    co_go(select_a, NULL, NULL);
    co_go(send_a_later, (void *)5, NULL);
    CHECK(co_run() == 0);
    CHECK(sent == 1);
    destroy();
}

static void select_sends_as_well(void)
{
    channels(0);
    co_go(select_to_b, NULL, NULL);
    co_go(receive_b_later, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(received == 9);
    destroy();
}

static void *select_one(void *in)
{
    int value = 0;
    struct co_case only = {.chan = a, .element = &value};

    CHECK(co_select(&only, 1, CO_NEVER) == 0);
    CHECK(only.result == 0 && value == 5);
    return in;
}

static void select_of_one_is_a_receive(void)
{
    channels(0);
    co_go(select_one, NULL, NULL);
    co_go(send_a_later, (void *)5, NULL);
    CHECK(co_run() == 0);
    destroy();
}

static void *select_same_twice(void *in)
{
    int values[2] = {0, 0}, chosen;
    struct co_case cases[] = {{.chan = a, .element = &values[0]}, {.chan = a, .element = &values[1]}};

    chosen = co_select(cases, 2, CO_NEVER);
    CHECK(chosen == 0 && values[0] == 5 && values[1] == 0); /* one element, taken once */
    CHECK(co_select(cases, 2, CO_NEVER) == 0 && values[0] == 6 && values[1] == 0);
    return in;
}

static void same_channel_twice_takes_one_element(void)
{
    channels(0);
    co_go(select_same_twice, NULL, NULL);
    co_go(send_a_later, (void *)5, NULL);
    co_go(send_a_later, (void *)6, NULL);
    CHECK(co_run() == 0);
    CHECK(sent == 2);
    destroy();
}

static void *send_and_receive_same(void *in)
{
    int out = 3, value = 0, chosen;
    struct co_case cases[] = {{.chan = a, .send = 1, .element = &out}, {.chan = a, .element = &value}};

    chosen = co_select(cases, 2, co_now() + 5 * MS);
    if (in) { /* two of them meet each other */
        CHECK(chosen == 0 || (chosen == 1 && value == 3));
        received += chosen;
    } else { /* one does not meet itself */
        CHECK(chosen == -ETIMEDOUT);
    }
    return NULL;
}

static void select_does_not_meet_itself_but_another(void)
{
    channels(0);
    co_go(send_and_receive_same, NULL, NULL);
    CHECK(co_run() == 0);
    co_go(send_and_receive_same, "", NULL);
    co_go(send_and_receive_same, "", NULL);
    CHECK(co_run() == 0);
    CHECK(received == 1); /* one sent, the other received */
    destroy();
}

static void *with_deadlines(void *in)
{
    int from_a = 0, from_b = 0, result;
    int64_t before = co_now();

    CHECK(select_3(0, &from_a, &from_b, &result) == -EAGAIN);
    CHECK(select_3(5, &from_a, &from_b, &result) == -ETIMEDOUT);
    CHECK(co_now() >= before + 5 * MS);
    co_go(send_a_later, (void *)7, NULL);
    CHECK(select_3(60000, &from_a, &from_b, &result) == 0 && from_a == 7);
    return in;
}

static void select_has_a_deadline(void)
{
    channels(0);
    CHECK(co_select(NULL, 0, 0) == -EINVAL);
    co_go(with_deadlines, NULL, NULL);
    CHECK(co_run() == 0);
    destroy();
}

static void *select_closed(void *in)
{
    int from_a = 0, from_b = 0, result;

    CHECK(select_3(CO_NEVER, &from_a, &from_b, &result) == 0 && result == -EPIPE); /* later */
    CHECK(select_3(CO_NEVER, &from_a, &from_b, &result) == 0 && result == -EPIPE); /* at once */
    return in;
}

static void *close_a(void *in)
{
    CHECK(co_chan_close(a) == 0);
    return in;
}

static void closed_channel_is_ready(void)
{
    channels(0);
    co_go(select_closed, NULL, NULL);
    co_go(close_a, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(co_chan_destroy(a) == 0);
    CHECK(co_chan_trysend(b, &(int){1}) == -EAGAIN); /* the case that lost is gone */
    CHECK(co_chan_destroy(b) == 0);
}

static void *select_then_look(void *in)
{
    int from_a = 0, from_b = 0, result;

    CHECK(select_3(CO_NEVER, &from_a, &from_b, &result) == 0 && from_a == 5);
    CHECK(co_sleep(5 * MS) == 0);
    CHECK(from_b == 0); /* nobody writes to a case that lost */
    return in;
}

static void *send_a_then_b(void *in)
{
    int value = 5;

    CHECK(co_chan_send(a, &value, CO_NEVER) == 0);
    CHECK(co_chan_trysend(b, &value) == -EAGAIN); /* the selector has not run yet, but has chosen */
    CHECK(co_chan_tryrecv(b, &value) == -EAGAIN);
    CHECK(co_chan_send(b, &value, co_now() + MS) == -ETIMEDOUT);
    return in;
}

static void losing_cases_are_dequeued(void)
{
    channels(0);
    co_go(select_then_look, NULL, NULL);
    co_go(send_a_then_b, NULL, NULL);
    CHECK(co_run() == 0);
    destroy();
}

static void *select_canceled(void *in)
{
    int from_a = 0, from_b = 0, result;

    CHECK(select_3(CO_NEVER, &from_a, &from_b, &result) == -ECANCELED);
    return in;
}

static void *cancel_it(void *co)
{
    CHECK(co_cancel(co) == 0);
    return NULL;
}

static void canceled_select_leaves_no_case_behind(void)
{
    channels(0);
    co_go(cancel_it, co_go(select_canceled, NULL, NULL), NULL);
    CHECK(co_run() == 0);
    destroy();
}

int main(void)
{
    static const struct test tests[] = {
        TEST(first_case_that_can_goes_on), TEST(select_sends_as_well), TEST(select_of_one_is_a_receive),
        TEST(same_channel_twice_takes_one_element), TEST(select_does_not_meet_itself_but_another),
        TEST(select_has_a_deadline), TEST(closed_channel_is_ready), TEST(losing_cases_are_dequeued),
        TEST(canceled_select_leaves_no_case_behind),
    };
    return RUN_TESTS(tests);
}
