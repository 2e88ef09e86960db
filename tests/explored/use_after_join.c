/* Memory goes when one thread has ended, but another one still uses it. Right: wait for both. */
#include <sys/mman.h>

#include "explored.h"

static volatile int *shared;

static void *use(void *unused)
{
    *shared = 1;
    return unused;
}

int main(void)
{
    pthread_t first, second;

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_create(&first, NULL, use, NULL);
    pthread_create(&second, NULL, use, NULL);
    pthread_join(first, NULL);
    IF_RIGHT(pthread_join(second, NULL);)
    munmap((void *)shared, 4096);
    IF_WRONG(pthread_join(second, NULL);)
    return 0;
}
