/* date [+FORMAT]: the time now, UTC. */
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
    char text[256];
    time_t now = time(NULL);

    strftime(text, sizeof(text), argc > 1 && argv[1][0] == '+' ? argv[1] + 1 : "%a %b %e %T %Z %Y",
             gmtime(&now));
    puts(text);
    return 0;
}
