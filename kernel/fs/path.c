/*
 * Walking paths, as path_resolution(7) has it.
 *
 * `walk` goes from a directory it owns a reference to; a symbolic link restarts it on the link's
 * text, from the link's directory. All links of one lookup count against SYMLINK_MAX, which also
 * bounds the recursion.
 */
#include "fs/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"

struct walk {
    int links;           /* followed so far */
    int flags;           /* LOOKUP_* */
    char *last;          /* stop before the last component and copy it here; or NULL */
    bool directory_only; /* the whole path ended with a slash */
};

/*
 * Copy the next component of *path to `name` and move *path behind it and its slashes.
 * Returns its length, 0 at the end, -ENAMETOOLONG.
 */
static long next_component(const char **path, char *name)
{
    const char *end;
    size_t size;

    while (**path == '/') {
        (*path)++;
    }
    for (end = *path; *end && *end != '/'; end++) {
    }
    size = (size_t)(end - *path);
    if (size > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(name, *path, size);
    name[size] = '\0';
    while (*end == '/') {
        end++;
    }
    *path = end;
    return (long)size;
}

static struct inode *walk(struct walk *walk, struct inode *directory, const char *path);

/* `link` was found in `directory`; takes over both references. */
static struct inode *follow(struct walk *state, struct inode *directory, struct inode *link)
{
    char *text;
    long size;
    struct inode *result;

    if (++state->links > SYMLINK_MAX) {
        inode_put(link);
        inode_put(directory);
        return error_pointer(-ELOOP);
    }
    text = kmalloc(PATH_MAX);
    size = text ? link->ops->readlink(link, text, PATH_MAX - 1) : -ENOMEM;
    inode_put(link);
    if (size <= 0) {
        inode_put(directory);
        result = error_pointer(size ? size : -ENOENT);
    } else {
        text[size] = '\0';
        result = walk(state, directory, text);
    }
    kfree(text);
    return result;
}

/* Takes over the reference of `directory`; returns one, or an error pointer. */
static struct inode *walk(struct walk *state, struct inode *directory, const char *path)
{
    char name[NAME_MAX + 1];

    if (*path == '/') {
        inode_put(directory);
        directory = inode_get(vfs_root());
    }
    for (;;) {
        long size = next_component(&path, name);
        bool is_last = *path == '\0', slash = size > 0 && path[-1] == '/';
        struct inode *child;

        if (size < 0) {
            inode_put(directory);
            return error_pointer(size);
        }
        if (size == 0) {
            return directory;
        }
        if (is_last && state->last) {
            if (!S_ISDIR(directory->mode)) {
                inode_put(directory);
                return error_pointer(-ENOTDIR);
            }
            strlcpy(state->last, name, NAME_MAX + 1);
            state->directory_only |= slash;
            return directory;
        }
        child = path_step(directory, name);
        if (is_error(child)) {
            inode_put(directory);
            return child;
        }
        if (S_ISLNK(child->mode) && (!is_last || slash || !(state->flags & LOOKUP_NOFOLLOW))) {
            struct walk outer = *state;

            state->last = NULL; /* the link's own text is walked to its end */
            state->flags = 0;
            child = follow(state, directory, child);
            state->last = outer.last;
            state->flags = outer.flags;
            if (is_error(child)) {
                return child;
            }
        } else {
            inode_put(directory);
        }
        if (slash && !S_ISDIR(child->mode)) {
            inode_put(child);
            return error_pointer(-ENOTDIR);
        }
        directory = child;
    }
}

struct inode *path_lookup(struct inode *base, const char *path, int flags)
{
    struct walk state = {.flags = flags};

    return *path ? walk(&state, inode_get(base), path) : error_pointer(-ENOENT);
}

struct inode *path_parent(struct inode *base, const char *path, char *name, bool *directory_only)
{
    struct walk state = {.last = name};
    struct inode *directory;

    if (!*path) {
        return error_pointer(-ENOENT);
    }
    strlcpy(name, ".", NAME_MAX + 1);
    directory = walk(&state, inode_get(base), path);
    *directory_only = state.directory_only;
    return directory;
}
