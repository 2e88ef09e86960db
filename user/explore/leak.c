/*
 * See leak.h. One run that leaves less behind says little: the kernel keeps some things for the next
 * one, and the program may have made a file longer. What is lost is lost each time. So the schedule
 * is run a few times more, and the files there are before and after are compared.
 */
#include "leak.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMES 3
#define PATIENCE 20 /* looks, a millisecond each, until init has buried what was left to it */

static int grew(const struct count *before, const struct count *after)
{
    int more = after->tasks > before->tasks || after->pages > before->pages;

    for (int i = 0; i < SIZES; i++) {
        more |= after->objects[i] > before->objects[i];
    }
    return more;
}

static int still_grown(const struct count *before, struct count *after)
{
    for (int i = 0; i < PATIENCE; i++) {
        device_count(after);
        if (!grew(before, after)) {
            return 0;
        }
        usleep(1000);
    }
    return 1;
}

struct files {
    unsigned long count, blocks;
};

/* All below `path`, which has room for more, but for what lies on other file systems. */
static void count_files(char *path, size_t room, dev_t device, struct files *files)
{
    size_t length = strlen(path);
    struct stat info;
    struct dirent *entry;
    DIR *directory;

    if (lstat(path, &info) || info.st_dev != device) {
        return;
    }
    files->count++;
    files->blocks += (unsigned long)info.st_blocks;
    directory = S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    while (directory && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            length + strlen(entry->d_name) + 2 < room) {
            snprintf(path + length, room - length, "%s%s", length > 1 ? "/" : "", entry->d_name);
            count_files(path, room, device, files);
            path[length] = '\0';
        }
    }
    if (directory) {
        closedir(directory);
    }
}

static struct files all_files(void)
{
    char path[1024] = "/";
    struct files files = {0};
    struct stat root;

    if (stat("/", &root) == 0) {
        count_files(path, sizeof(path), root.st_dev, &files);
    }
    return files;
}

static void say_one(char *text, size_t size, uint64_t before, uint64_t after, const char *what)
{
    size_t used = strlen(text);

    if (after > before) {
        snprintf(text + used, size - used, "%s%lu %s%s", used ? ", " : "", after - before, what,
                 after - before > 1 ? "s" : "");
    }
}

static void say(struct search *search, const struct count *before, const struct count *after)
{
    char *text = search->lost;
    size_t size = sizeof(search->lost);

    text[0] = '\0';
    say_one(text, size, before->tasks, after->tasks, "task");
    say_one(text, size, before->pages, after->pages, "page");
    for (int i = 0; i < SIZES; i++) {
        char what[32];

        snprintf(what, sizeof(what), "%u-byte object", after->sizes[i]);
        say_one(text, size, before->objects[i], after->objects[i], what);
    }
}

int leak_is_found(struct search *search, const struct schedule *schedule, const struct count *before)
{
    struct count from = *before, to;
    struct files files, now;

    if (!still_grown(&from, &to)) {
        return 0;
    }
    files = all_files();
    device_count(&from);
    for (int i = 0; i < TIMES; i++) {
        search_run(search, schedule);
        if (!still_grown(&from, &to)) {
            return 0;
        }
        say(search, &from, &to);
        from = to;
    }
    now = all_files();
    return now.count == files.count && now.blocks == files.blocks;
}
