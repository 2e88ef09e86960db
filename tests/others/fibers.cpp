// boost.fiber: a buffered channel between fibers, a mutex of theirs, and sleeping.
#include <boost/fiber/all.hpp>
#include <chrono>
#include <iostream>

int main()
{
    boost::fibers::buffered_channel<int> numbers(4);
    boost::fibers::mutex mutex;
    int sum = 0;
    boost::fibers::fiber producer([&] {
        for (int i = 0; i < 10; i++) {
            numbers.push(i);
        }
        numbers.close();
    });
    boost::fibers::fiber consumer([&] {
        for (int n : numbers) {
            std::lock_guard<boost::fibers::mutex> lock(mutex);
            sum += n;
        }
    });
    boost::fibers::fiber sleeper([] {
        boost::this_fiber::sleep_for(std::chrono::milliseconds(20));
        std::cout << "woke\n";
    });
    producer.join();
    consumer.join();
    std::cout << sum << '\n';
    sleeper.join();
}
