// Boost.Context: fibers that are resumed by hand.
#include <boost/context/fiber.hpp>

#include "measure.h"

using boost::context::fiber;

static void pairs(long count)
{
    fiber other([](fiber &&resumer) {
        for (;;) {
            resumer = std::move(resumer).resume();
        }
        return std::move(resumer);
    });

    for (long i = 0; i < count; i++) {
        other = std::move(other).resume();
    }
}

static void create_and_end(long count)
{
    for (long i = 0; i < count; i++) {
        fiber([](fiber &&resumer) { return std::move(resumer); }).resume();
    }
}

static void one(long count)
{
    measure("resume_yield_pair", pairs, count);
    measure("create_end", create_and_end, count / 10 + 1);
}

int main(int count, char **arguments)
{
    return rounds(count, arguments, one);
}
