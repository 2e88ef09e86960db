// Boost.Fiber: fibers with a scheduler, which yield to each other.
#include <boost/fiber/all.hpp>

#include <vector>

#include "measure.h"

static void yield_among(long fibers, long count)
{
    std::vector<boost::fibers::fiber> all;

    for (long i = 0; i < fibers; i++) {
        all.emplace_back([=] {
            for (long left = count / fibers; left > 0; left--) {
                boost::this_fiber::yield();
            }
        });
    }
    for (auto &fiber : all) {
        fiber.join();
    }
}

static void yield_2(long count)
{
    yield_among(2, count);
}

static void yield_1000(long count)
{
    yield_among(1000, count);
}

static void create_and_end(long count)
{
    for (long i = 0; i < count; i++) {
        boost::fibers::fiber([] {}).join();
    }
}

static void one(long count)
{
    measure("yield_now_2", yield_2, count);
    measure("yield_now_1000", yield_1000, count);
    measure("create_end", create_and_end, count / 10 + 1);
}

int main(int count, char **arguments)
{
    return rounds(count, arguments, one);
}
