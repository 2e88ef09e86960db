/* Four threads of OpenMP: a sum, a critical section, tasks. */
#include <omp.h>
#include <stdio.h>

static long fibonacci(int n)
{
    long a, b;

    if (n < 2) {
        return n;
    }
#pragma omp task shared(a)
    a = fibonacci(n - 1);
    b = fibonacci(n - 2);
#pragma omp taskwait
    return a + b;
}

int main(void)
{
    long sum = 0, result = 0;
    int threads = 0;

    omp_set_num_threads(4);
#pragma omp parallel for reduction(+ : sum)
    for (int i = 0; i < 10000; i++) {
        sum += i;
    }
#pragma omp parallel
    {
#pragma omp critical
        threads++;
#pragma omp barrier
#pragma omp single
        result = fibonacci(12);
    }
    printf("%ld %d %ld\n", sum, threads, result);
}
