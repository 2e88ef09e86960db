/* Completing a word: the names that begin like it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sh.h"

static char **names;
static size_t name_count, name_room;

static void names_clear(void)
{
    while (name_count > 0) {
        free(names[--name_count]);
    }
}

static void name_add(const char *name, int is_folder)
{
    char *text = malloc(strlen(name) + 2);

    if (name_count == name_room) {
        name_room = name_room ? name_room * 2 : 64;
        names = realloc(names, name_room * sizeof(*names));
    }
    names[name_count++] = strcat(strcpy(text, name), is_folder ? "/" : "");
}

static int is_folder(const char *directory, const char *name)
{
    char path[4096];
    struct stat status;

    snprintf(path, sizeof(path), "%s/%s", *directory ? directory : ".", name);
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* What the directory has that begins with `start`. */
static void add_entries(const char *directory, const char *start, int only_folders)
{
    DIR *dir = opendir(*directory ? directory : ".");
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        int folder;

        if (strncmp(name, start, strlen(start)) != 0 || (*name == '.' && *start != '.') ||
            strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            continue;
        }
        folder = is_folder(directory, name);
        if (folder || !only_folders) {
            name_add(name, folder);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, and each once: a command may be in the shell and in /bin. */
static void sort_names(void)
{
    size_t kept = 0;

    qsort(names, name_count, sizeof(*names), compare);
    for (size_t i = 0; i < name_count; i++) {
        if (kept > 0 && strcmp(names[kept - 1], names[i]) == 0) {
            free(names[i]);
        } else {
            names[kept++] = names[i];
        }
    }
    name_count = kept;
}

size_t complete_word(const char *line, size_t start, size_t end, char ***found)
{
    char word[4096], *slash;
    size_t before = start, size = 0;
    int is_command;

    for (size_t at = start; at < end && size + 1 < sizeof(word); at++) {
        if (line[at] != '\\') { /* it is not of the name */
            word[size++] = line[at];
        }
    }
    word[size] = '\0';
    while (before > 0 && line[before - 1] == ' ') {
        before--;
    }
    is_command = before == 0 || strchr(";|&(", line[before - 1]);
    names_clear();
    slash = strrchr(word, '/');
    if (slash) {
        const char *base = slash + 1;
        char *directory = arena_copy(word, (size_t)(base - word));

        add_entries(directory, base, 0);
    } else if (is_command) {
        builtins_each(word, name_add);
        add_entries("/bin", word, 0);
    } else {
        add_entries("", word, strncmp(line, "cd ", 3) == 0);
    }
    sort_names();
    *found = names;
    return name_count;
}
