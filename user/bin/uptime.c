/* uptime: how long the system has been up. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("up %ld:%02ld:%02ld\n", now.tv_sec / 3600, now.tv_sec / 60 % 60, now.tv_sec % 60);
    return 0;
}
