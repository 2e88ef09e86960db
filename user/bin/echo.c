/* echo [-n] [-e] WORD...: words and a newline. -e: \n \t \e \\ mean what they mean in C. */
#include <stdio.h>
#include <string.h>

static void put_escaped(const char *s)
{
    static const char names[] = "nterab\\", values[] = "\n\t\033\r\a\b\\";

    for (; *s; s++) {
        const char *found = *s == '\\' && s[1] ? strchr(names, s[1]) : NULL;

        putchar(found ? values[found - names] : *s);
        s += found != NULL;
    }
}

int main(int argc, char **argv)
{
    int newline = 1, escapes = 0, i = 1;

    for (; i < argc && (strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "-e") == 0); i++) {
        newline &= argv[i][1] != 'n';
        escapes |= argv[i][1] == 'e';
    }
    for (; i < argc; i++) {
        if (escapes) {
            put_escaped(argv[i]);
        } else {
            fputs(argv[i], stdout);
        }
        if (i + 1 < argc) {
            putchar(' ');
        }
    }
    if (newline) {
        putchar('\n');
    }
    return fflush(stdout) != 0;
}
