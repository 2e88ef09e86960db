/* unknown NUMBER...: calls that the kernel is said not to have; prints those that it has. For the guest alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (syscall(atol(argv[i]), -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != ENOSYS) {
            printf("%s: errno %d\n", argv[i], errno);
        }
    }
    return 0;
}
