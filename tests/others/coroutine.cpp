// Coroutines of C++20, an exception through one, and a thread.
#include <coroutine>
#include <iostream>
#include <stdexcept>
#include <thread>

struct Numbers {
    struct promise_type {
        int value = 0;
        std::exception_ptr error;
        Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(int n) { value = n; return {}; }
        void return_void() {}
        void unhandled_exception() { error = std::current_exception(); }
    };
    std::coroutine_handle<promise_type> handle;
};

static Numbers count(int end)
{
    for (int i = 0; i < end; i++) {
        co_yield i;
    }
    throw std::runtime_error("counted");
}

int main()
{
    Numbers numbers = count(3);

    for (numbers.handle.resume(); !numbers.handle.done(); numbers.handle.resume()) {
        std::cout << numbers.handle.promise().value << '\n';
    }
    std::thread([] { std::cout << "thread\n"; }).join();
    try {
        std::rethrow_exception(numbers.handle.promise().error);
    } catch (const std::exception &error) {
        std::cout << error.what() << '\n';
    }
    numbers.handle.destroy();
}
