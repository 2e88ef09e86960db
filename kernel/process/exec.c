/*
 * execve(2): a new program in place of the old one.
 *
 * Everything that can fail is done first, on an address space of its own: strings are copied,
 * the ELF segments mapped, the stack built. Only then are the other threads ended and the old
 * address space given up, so a failed exec leaves the caller as it was.
 */
#include "process/exec.h"

#include "arch/cpu.h"
#include "arch/panic.h"
#include "fs/file.h"
#include "fs/notify.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "process/context.h"
#include "process/exit.h"
#include "sched/posix_timer.h"
#include "sched/explore.h"
#include "sched/inject.h"
#include "sched/sched.h"
#include "sched/traced.h"

#define INTERPRETERS_MAX 4
#define SCRIPT_LINE 256 /* bytes of a script that are looked at for its #! line */

/* Room for `size` bytes more. 0, -E2BIG, -ENOMEM. */
static long strings_reserve(struct exec_strings *strings, size_t size)
{
    size_t wanted = strings->size ? strings->size : EXEC_STRING_MAX;
    char *text;

    while (wanted - strings->used < size && wanted < EXEC_STRINGS_MAX) {
        wanted *= 2;
    }
    if (wanted - strings->used < size) {
        return -E2BIG;
    }
    if (wanted == strings->size) {
        return 0;
    }
    text = kmalloc(wanted);
    if (!text) {
        return -ENOMEM;
    }
    if (strings->used) {
        memcpy(text, strings->text, strings->used);
    }
    kfree(strings->text);
    strings->text = text;
    strings->size = wanted;
    return 0;
}

/* Append a string that is in the kernel. */
static long add_string(struct exec_strings *strings, const char *text)
{
    size_t size = strlen(text) + 1;
    long error = strings_reserve(strings, size);

    if (error) {
        return error;
    }
    memcpy(strings->text + strings->used, text, size);
    strings->used += size;
    return 0;
}

/* Append a string of the user's. */
static long add_user_string(struct exec_strings *strings, const char __user *user)
{
    long length, error;

    do {
        size_t room = strings->size - strings->used;

        length = room ? strncpy_from_user(strings->text + strings->used, user, room) : -ENAMETOOLONG;
        error = length == -ENAMETOOLONG ? strings_reserve(strings, room + 1) : 0;
    } while (length == -ENAMETOOLONG && !error);
    if (error || length < 0) {
        return error ? error : length;
    }
    strings->used += (size_t)length + 1;
    return (size_t)length < EXEC_STRING_MAX ? 0 : -E2BIG;
}

/* Append what a NULL-terminated array of user pointers points to. The count, or -errno. */
static long add_user_strings(struct exec_strings *strings, uint64_t array)
{
    long count = 0, error;

    for (; array; array += sizeof(uint64_t), count++) {
        uint64_t pointer;

        if (get_user(pointer, (uint64_t __user *)array)) {
            return -EFAULT;
        }
        if (!pointer) {
            break;
        }
        error = add_user_string(strings, (const char __user *)pointer);
        if (error) {
            return error;
        }
        if (strings->used + (size_t)(strings->argc + count + 1) * sizeof(pointer) > EXEC_STRINGS_MAX) {
            return -E2BIG;
        }
    }
    return count;
}

/* Put `count` strings before all others; argv[0] is dropped if `replace`. */
static long strings_prepend(struct exec_strings *strings, const char *const *texts, int count,
                            bool replace)
{
    size_t size = 0, skip = replace && strings->argc ? strlen(strings->text) + 1 : 0;
    long error;

    for (int i = 0; i < count; i++) {
        size += strlen(texts[i]) + 1;
    }
    error = strings_reserve(strings, size);
    if (error) {
        return error;
    }
    memmove(strings->text + size, strings->text + skip, strings->used - skip);
    strings->used += size - skip;
    strings->argc += count - (skip ? 1 : 0);
    size = 0;
    for (int i = 0; i < count; i++) {
        memcpy(strings->text + size, texts[i], strlen(texts[i]) + 1);
        size += strlen(texts[i]) + 1;
    }
    return 0;
}

void executable_get(struct inode *inode)
{
    if (inode) { /* which is being run, so nobody can write to it */
        inode_get_run(inode_get(inode));
    }
}

void executable_put(struct inode *inode)
{
    if (inode) {
        inode_put_run(inode);
        inode_put(inode);
    }
}

/* A referenced program that is kept from being written to (executable_put), or an error pointer. */
static struct inode *open_program(struct inode *base, const char *path)
{
    struct inode *inode = path_lookup(base, path, 0);
    long error;

    if (is_error(inode)) {
        return inode;
    }
    error = !S_ISREG(inode->mode) || !(inode->mode & 0111) ? -EACCES : inode_get_run(inode);
    if (error) {
        inode_put(inode);
        return error_pointer(error);
    }
    notify_place(inode, IN_OPEN);
    return inode;
}

static char *skip_blanks(char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    return text;
}

/*
 * "#!interpreter [argument]": how many words, and where. Only the beginning of a line is looked at:
 * of a longer argument the rest is cut, as execve(2) says; a longer interpreter is none.
 */
static int parse_script(char *header, const char *words[2])
{
    char *start = skip_blanks(header + 2), *end, *argument;

    header[SCRIPT_LINE] = '\0';
    if ((end = strchr(header, '\n')) != NULL) {
        *end = '\0';
    }
    for (end = start; *end && *end != ' ' && *end != '\t'; end++) {
    }
    if (end == start || end == header + SCRIPT_LINE) {
        return 0;
    }
    header[SCRIPT_LINE - 1] = '\0';
    words[0] = start;
    argument = *end ? skip_blanks(end + 1) : end;
    *end = '\0';
    for (end = argument + strlen(argument); end > argument && (end[-1] == ' ' || end[-1] == '\t');) {
        *--end = '\0';
    }
    words[1] = argument;
    return *argument ? 2 : 1;
}

/* The first EXEC_HEADER_SIZE bytes, with zeroes behind the end. 0 or -errno. */
static long read_header(struct inode *inode, char *header)
{
    long size = inode_read(inode, header, EXEC_HEADER_SIZE, 0);

    if (size < 0) {
        return size;
    }
    memset(header + size, 0, EXEC_HEADER_SIZE - (size_t)size);
    notify_place(inode, IN_ACCESS);
    return 0;
}

/* Follow #! lines to a binary, as open_program. `path` (PATH_MAX bytes) becomes its path. */
static struct inode *find_binary(struct inode *base, char *path, struct exec_strings *strings,
                                 char *header)
{
    for (int depth = 0; depth <= INTERPRETERS_MAX; depth++) {
        struct inode *inode = open_program(base, path);
        const char *texts[3];
        int words;
        long error;

        if (is_error(inode)) {
            return inode;
        }
        error = read_header(inode, header);
        if (error) {
            executable_put(inode);
            return error_pointer(error);
        }
        if (header[0] != '#' || header[1] != '!') {
            return inode;
        }
        notify_place(inode, IN_CLOSE_NOWRITE); /* of a program nobody is told: its end is far away */
        executable_put(inode);
        words = parse_script(header, texts);
        if (words == 0) {
            return error_pointer(-ENOEXEC);
        }
        texts[words] = path;
        error = strings_prepend(strings, texts, words + 1, true);
        if (error) {
            return error_pointer(error);
        }
        strlcpy(path, texts[0], PATH_MAX);
    }
    return error_pointer(-ELOOP);
}

/* The point of no return is behind us: become the program. */
static void image_install(struct mm *mm, const struct exec_image *image, const char *path)
{
    struct task *task = current;
    struct mm *old = task->mm;
    struct trap_frame *frame = task_frame(task);
    const char *name = strrchr(path, '/');
    uint64_t flags;

    task_release_mm(task, false);
    flags = spin_lock_irqsave(&tasks_lock);
    task->mm = mm;
    task->group->has_executed = true;
    mm_switch(mm);
    spin_unlock_irqrestore(&tasks_lock, flags);
    mm_put(old);
    files_close_on_exec(task->files);
    signal_exec(task);
    posix_timers_delete();
    strlcpy(task->name, name ? name + 1 : path, sizeof(task->name));
    trace_exec(task);
    inject_exec(task);
    explore_exec(image->entry);
    memset(frame, 0, sizeof(*frame));
    frame->rip = image->start;
    frame->rsp = image->stack;
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = SELECTOR_USER_DATA;
    frame->rflags = RFLAGS_IF;
    user_state_reset();
    sched_notify(current); /* all registers come from the frame */
}

/*
 * Handlers and descriptors that other processes share (vfork, CLONE_SIGHAND) become our own. Whether
 * they do is known only when the other threads are gone, which is too late to fail: so copies are
 * made before, of what anybody shares, and are then used or not.
 */
struct exec_copies {
    struct sighand *sighand;
    struct files *files;
};

static bool is_shared(const int *references)
{
    return __atomic_load_n(references, __ATOMIC_ACQUIRE) > 1;
}

static long copies_make(struct exec_copies *copies)
{
    struct task *task = current;

    if (is_shared(&task->sighand->references)) {
        copies->sighand = sighand_create(task->sighand);
        if (!copies->sighand) {
            return -ENOMEM;
        }
    }
    if (is_shared(&task->files->references)) {
        copies->files = files_copy(task->files);
        if (!copies->files) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* What is of no use then, of the copies or of the old ones, remains in `copies`. */
static void copies_use(struct exec_copies *copies)
{
    struct task *task = current;

    if (is_shared(&task->sighand->references)) {
        struct sighand *old = task->sighand;
        uint64_t flags = spin_lock_irqsave(&tasks_lock);

        task->sighand = copies->sighand;
        copies->sighand = old;
        spin_unlock_irqrestore(&tasks_lock, flags);
    }
    if (is_shared(&task->files->references)) {
        struct files *old = task->files;

        task->files = copies->files;
        copies->files = old;
    }
}

/* A dynamic program starts in its interpreter. `header` is room for that one's. */
static long load_interpreter(struct mm *mm, struct inode *base, struct inode *program, char *header,
                             struct exec_image *image)
{
    size_t size = image->interpreter_size;
    char *path = kmalloc(PATH_MAX);
    struct inode *inode;
    long error = -ENOEXEC, got;

    if (!path) {
        return -ENOMEM;
    }
    if (size < 2 || size > PATH_MAX) {
        goto out_path;
    }
    got = image->interpreter_at < 0 ? -EINVAL : inode_read(program, path, size, image->interpreter_at);
    if (got != (long)size) { /* the same errors as Linux */
        error = got < 0 ? got : -EIO;
        goto out_path;
    }
    if (path[size - 1] != '\0') {
        goto out_path;
    }
    inode = open_program(base, path);
    if (is_error(inode)) {
        error = pointer_error(inode);
        goto out_path;
    }
    error = read_header(inode, header);
    if (!error) {
        error = elf_load_interpreter(mm, inode, header, image);
    }
    executable_put(inode);
out_path:
    kfree(path);
    return error;
}

/* exec, after the strings have been read. Returns only on error. */
static long exec_with(struct inode *base, const char *path, struct exec_strings *strings)
{
    char *final_path = kmalloc(PATH_MAX), *header = kmalloc(EXEC_HEADER_SIZE);
    struct exec_image image = {0};
    struct exec_copies copies = {NULL, NULL};
    struct inode *inode;
    struct mm *mm;
    long error = -ENOMEM;

    if (!final_path || !header) {
        goto out_paths;
    }
    strlcpy(final_path, path, PATH_MAX);
    inode = find_binary(base, final_path, strings, header);
    if (is_error(inode)) {
        error = pointer_error(inode);
        goto out_paths;
    }
    mm = mm_create();
    if (!mm) {
        goto out_inode;
    }
    executable_get(inode);
    mm->executable = inode;
    error = elf_load(mm, inode, header, &image);
    if (error) {
        goto out_mm;
    }
    if (image.has_interpreter) {
        error = load_interpreter(mm, base, inode, header, &image);
        if (error) {
            goto out_mm;
        }
    }
    error = stack_build(mm, strings, final_path, &image);
    if (error) {
        goto out_mm;
    }
    error = copies_make(&copies);
    if (error) {
        goto out_copies;
    }
    error = task_end_other_threads();
    if (error) {
        goto out_copies;
    }
    /* The point of no return: nothing fails any more. */
    copies_use(&copies);
    image_install(mm, &image, final_path);
    mm = NULL;
out_copies:
    files_put(copies.files);
    sighand_put(copies.sighand);
out_mm:
    mm_put(mm);
out_inode:
    executable_put(inode);
out_paths:
    kfree(header);
    kfree(final_path);
    return error;
}

/* argv and envp of the user. 0 or -errno. */
static long strings_from_user(struct exec_strings *strings, uint64_t argv, uint64_t envp)
{
    long count = add_user_strings(strings, argv);

    if (count == 0) { /* Linux does the same: argv[0] always exists */
        count = add_string(strings, "");
        count = count ? count : 1;
    }
    if (count < 0) {
        return count;
    }
    strings->argc = (int)count;
    count = add_user_strings(strings, envp);
    if (count < 0) {
        return count;
    }
    strings->envc = (int)count;
    return 0;
}

long exec_program(struct inode *base, const char *path, uint64_t argv, uint64_t envp)
{
    struct exec_strings strings = {0};
    long error = strings_from_user(&strings, argv, envp);

    if (!error) {
        error = exec_with(base, path, &strings);
    }
    kfree(strings.text);
    return error;
}

void exec_first(const char *path)
{
    struct exec_strings strings = {.argc = 1, .envc = 2};
    long error = add_string(&strings, path);

    if (!error) {
        add_string(&strings, "HOME=/"); /* there is room */
        add_string(&strings, "TERM=linux");
        error = exec_with(vfs_root(), path, &strings);
    }
    kfree(strings.text);
    if (error) {
        machine_init_ended("it cannot be run: error", -error);
    }
}
