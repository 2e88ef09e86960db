/*
 * chmod MODE FILE...: who may read, write and run a file. MODE is octal (640) or says what changes:
 * u+x, go-w, a=r, g=u, several with commas. Without a letter before + - = it is all that umask lets.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mask;

/* The bits of *text's letters that `letters` has, each with its own of `bits`; *text moves on. */
static mode_t read_letters(const char **text, const char *letters, const mode_t *bits)
{
    mode_t found = 0;
    const char *at;

    for (; **text && (at = strchr(letters, **text)); (*text)++) {
        found |= bits[at - letters];
    }
    return found;
}

/* What stands behind + - or =: rwxXst, or one of ugo, whose three bits all of them get. */
static mode_t read_permissions(const char **text, mode_t mode)
{
    const mode_t run = S_ISDIR(mode) || mode & 0111 ? 0111 : 0;
    const mode_t bits[] = {0444, 0222, 0111, run, 06000, 01000};
    static const char whose[] = "ogu";
    const char *at = **text ? strchr(whose, **text) : NULL;

    if (!at) {
        return read_letters(text, "rwxXst", bits);
    }
    (*text)++;
    return (mode >> 3 * (at - whose) & 7) * 0111;
}

/* One piece between commas; a character that does not belong there is where *text ends up. */
static void change_piece(const char **text, mode_t *mode)
{
    static const mode_t whose[] = {04700, 02070, 01007, 07777};
    mode_t who = read_letters(text, "ugoa", whose);

    while (**text && strchr("+-=", **text)) {
        char operation = *(*text)++;
        mode_t bits = read_permissions(text, *mode) & (who ? who : ~mask);

        if (operation == '=') {
            *mode &= ~(who ? who : 07777u);
        }
        *mode = operation == '-' ? *mode & ~bits : *mode | bits;
    }
}

/* `mode` as text wants it. Returns 0 if that is no mode. */
static int change(const char *text, mode_t *mode)
{
    const size_t digits = strspn(text, "01234567");
    char last;

    if (digits && !text[digits]) {
        mode_t wanted = 0;

        for (; *text && wanted <= 07777; text++) {
            wanted = wanted * 8 + (mode_t)(*text - '0');
        }
        *mode = wanted;
        return wanted <= 07777;
    }
    do {
        if (!text[strspn(text, "ugoa")] || !strchr("+-=", text[strspn(text, "ugoa")])) {
            return 0;
        }
        change_piece(&text, mode);
        last = *text++;
    } while (last == ',');
    return last == '\0';
}

static int chmod_path(const char *text, const char *path)
{
    const char *failed = "cannot access";
    struct stat st;

    if (stat(path, &st) == 0) {
        change(text, &st.st_mode);
        if (chmod(path, st.st_mode & 07777) == 0) {
            return 0;
        }
        failed = "changing permissions of";
    }
    fprintf(stderr, "chmod: %s '%s': %s\n", failed, path, strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1, status = 0; /* -w is a mode, too */
    mode_t tried = 0;

    if (argc - first < 2) {
        fprintf(stderr, argc == first ? "chmod: missing operand\n" : "chmod: missing operand after '%s'\n",
                argv[argc - 1]);
        fprintf(stderr, "usage: chmod MODE FILE...\n");
        return 1;
    }
    umask(mask = umask(0));
    if (!change(argv[first], &tried)) {
        fprintf(stderr, "chmod: invalid mode: '%s'\n", argv[first]);
        return 1;
    }
    for (int i = first + 1; i < argc; i++) {
        status |= chmod_path(argv[first], argv[i]);
    }
    return status;
}
