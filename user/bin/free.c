/* free: memory in all, used and free (from /proc/meminfo). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    long total = 0, left = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "MemTotal:", 9) == 0) {
            total = atol(line + 9);
        } else if (strncmp(line, "MemFree:", 8) == 0) {
            left = atol(line + 8);
        }
    }
    printf("              total        used        free\nMem (kB): %9ld   %9ld   %9ld\n", total,
           total - left, left);
    return !file;
}
