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
    long size;

    if (!text) {
        return error_pointer(-ENOMEM);
    }
    size = link->ops->readlink(link, text, PATH_MAX - 1);
    if (size == 0) {
        size = -ENOENT;
    } else if (size > 0 && (size_t)size + slash + strlen(rest) >= PATH_MAX) {
        size = -ENAMETOOLONG;
    }
    if (size < 0) {
        kfree(text);
        return error_pointer(size);
    }
    if (slash) {
        text[size++] = '/';
    }
    strlcpy(text + size, rest, PATH_MAX - (size_t)size);
    return text;
}

struct walk {
    int flags;           /* LOOKUP_* */
    char *last;          /* stop before the last component and copy it here; or NULL */
    bool directory_only; /* out: the path ended with a slash */
    int links;           /* followed so far */
    char *buffer;        /* what the path lies in once a link was followed */
};

/*
 * `link`, in `directory`, was the last component: where it leads, to go on from, or an error. If its
 * text is to be walked, that is put in front of *path, and *done is false.
 */
static struct inode *path_follow(struct walk *walk, struct inode *directory, struct inode *link,
                                 const char **path, bool slash, bool *done)
{
    struct inode *target;
    char *text;

    if (++walk->links > SYMLINK_MAX) {
        return error_pointer(-ELOOP);
    }
    target = link->ops->target ? link->ops->target(link) : NULL;
    if (target) {
        return target;
    }
    text = path_splice(link, *path, slash);
    if (is_error(text)) {
        return (struct inode *)text;
    }
    kfree(walk->buffer);
    *path = walk->buffer = text;
    *done = false;
    return inode_get(*text == '/' ? vfs_root() : directory);
}

/*
 * One component of *path under `directory`, whose reference is taken over. The inode to go on
 * from, or an error pointer; *done: it is the result.
 */
static struct inode *path_walk_step(struct walk *walk, struct inode *directory, const char **path,
                                    bool *done)
{
    char name[NAME_MAX + 1];
    long size = next_component(path, name);
    bool is_last = **path == '\0', slash = size > 0 && (*path)[-1] == '/';
    struct inode *child, *next;

    *done = is_last || size <= 0;
    if (size == 0) {
        return directory;
    }
    if (size < 0) {
        next = error_pointer(size);
        goto out;
    }
    if (is_last && walk->last) {
        strlcpy(walk->last, name, NAME_MAX + 1);
        walk->directory_only = slash;
        next = S_ISDIR(directory->mode) ? inode_get(directory) : error_pointer(-ENOTDIR);
        goto out;
    }
    next = child = path_step(directory, name);
    if (is_error(child)) {
        goto out;
    }
    if (S_ISLNK(child->mode) && (!is_last || slash || !(walk->flags & LOOKUP_NOFOLLOW))) {
        next = path_follow(walk, directory, child, path, slash, done);
        inode_put(child);
    }
    if (!is_error(next) && slash && !S_ISDIR(next->mode)) {
        inode_put(next);
        next = error_pointer(-ENOTDIR);
    }
out:
    inode_put(directory);
    return next;
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

long path_parent(struct inode *base, const char *path, struct place *place)
{
    struct walk state = {.last = place->name};

    strlcpy(place->name, ".", NAME_MAX + 1);
    place->directory = path_walk(&state, base, path);
    place->slash = state.directory_only;
    return is_error(place->directory) ? pointer_error(place->directory) : 0;
}
