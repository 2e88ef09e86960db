/*
 * Walking paths, as path_resolution(7) has it.
 *
 * A symbolic link is put in front of what is left of the path, and the walk goes on: no recursion,
 * so a chain of links costs no kernel stack. All links of one walk count against SYMLINK_MAX.
 */
#include "fs/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"

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

/* A new buffer: the text of `link`, then `rest`. An error pointer: -ENOENT for an empty link. */
static char *path_splice(struct inode *link, const char *rest, bool slash)
{
    char *text = kmalloc(PATH_MAX);
    long size = text ? link->ops->readlink(link, text, PATH_MAX - 1) : -ENOMEM;

    if (size > 0 && (size_t)size + slash + strlen(rest) < PATH_MAX) {
        if (slash) {
            text[size++] = '/';
        }
        strlcpy(text + size, rest, PATH_MAX - (size_t)size);
        return text;
    }
    kfree(text);
    return error_pointer(size > 0 ? -ENAMETOOLONG : size ? size : -ENOENT);
}

struct walk {
    int flags;           /* LOOKUP_* */
    char *last;          /* stop before the last component and copy it here; or NULL */
    bool directory_only; /* out: the path ended with a slash */
    int links;           /* followed so far */
    char *buffer;        /* what the path lies in once a link was followed */
};

/*
 * One component of *path under `directory`, whose reference is taken over. The inode to go on
 * from, or an error pointer; *done: it is the result.
 */
static struct inode *path_walk_step(struct walk *walk, struct inode *directory, const char **path,
                                    bool *done)
{
    char name[NAME_MAX + 1], *text;
    long size = next_component(path, name);
    bool is_last = **path == '\0', slash = size > 0 && (*path)[-1] == '/';
    struct inode *child;

    *done = is_last || size <= 0;
    if (size <= 0) {
        child = size ? error_pointer(size) : inode_get(directory);
    } else if (is_last && walk->last) {
        strlcpy(walk->last, name, NAME_MAX + 1);
        walk->directory_only = slash;
        child = S_ISDIR(directory->mode) ? inode_get(directory) : error_pointer(-ENOTDIR);
    } else {
        child = path_step(directory, name);
        if (!is_error(child) && S_ISLNK(child->mode) &&
            (!is_last || slash || !(walk->flags & LOOKUP_NOFOLLOW))) {
            text = ++walk->links > SYMLINK_MAX ? error_pointer(-ELOOP)
                                               : path_splice(child, *path, slash);
            inode_put(child);
            if (is_error(text)) {
                child = (struct inode *)text;
            } else {
                kfree(walk->buffer);
                *path = walk->buffer = text;
                child = inode_get(*text == '/' ? vfs_root() : directory);
                *done = false;
            }
        } else if (!is_error(child) && slash && !S_ISDIR(child->mode)) {
            inode_put(child);
            child = error_pointer(-ENOTDIR);
        }
    }
    inode_put(directory);
    return child;
}

static struct inode *path_walk(struct walk *walk, struct inode *base, const char *path)
{
    struct inode *inode = inode_get(*path == '/' ? vfs_root() : base);
    bool done = false;

    if (!*path) {
        inode_put(inode);
        return error_pointer(-ENOENT);
    }
    while (!done && !is_error(inode)) {
        inode = path_walk_step(walk, inode, &path, &done);
    }
    kfree(walk->buffer);
    return inode;
}

struct inode *path_lookup(struct inode *base, const char *path, int flags)
{
    struct walk state = {.flags = flags};

    return path_walk(&state, base, path);
}

struct inode *path_parent(struct inode *base, const char *path, char *name, bool *directory_only)
{
    struct walk state = {.last = name};
    struct inode *directory;

    strlcpy(name, ".", NAME_MAX + 1);
    directory = path_walk(&state, base, path);
    *directory_only = state.directory_only;
    return directory;
}
