/* uname [-amnrsv]: what the kernel calls itself. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const char letters[] = "snrvm";
    struct utsname names;
    const char *texts[] = {names.sysname, names.nodename, names.release, names.version, names.machine};
    int wanted = 0, option, printed = 0;

    while ((option = getopt(argc, argv, "asnrvm")) != -1) {
        if (option == '?') {
            fprintf(stderr, "usage: uname [-asnrvm]\n");
            return 2;
        }
        wanted |= option == 'a' ? 31 : 1 << (strchr(letters, option) - letters);
    }
    wanted = wanted ? wanted : 1;
    uname(&names);
    for (int i = 0; i < 5; i++) {
        if (wanted >> i & 1) {
            printf("%s%s", printed++ ? " " : "", texts[i]);
        }
    }
    printf("\n");
    return 0;
}
