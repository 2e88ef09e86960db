/* A value for an argument of each kind: mostly one that makes sense, sometimes the worst there is. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

uint64_t draw(struct thread *t)
{
    t->random ^= t->random << 13; /* Marsaglia, xorshift; the multiplication makes low bits as good */
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return t->random * 0x2545f4914f6cdd1dul >> 11;
}

uint64_t number_make(struct thread *t)
{
    static const uint64_t odd[] = {
        0, 1, 2, 3, 7, 8, 16, 63, 64, 65, 512, 4095, 4096, 4097, 65536, 0x7ffffffe, 0x7fffffff, 0x80000000,
        0x80000001, 0xc0000000, 0xfffffffe, 0xffffffff, 1ul << 32, (1ul << 32) + 1, 1ul << 40, 1ul << 47,
        INT64_MAX - 4096, INT64_MAX - 1, INT64_MAX, 1ul << 63, -4096ul, -4095ul, -100ul, -2ul, -1ul,
    };

    switch (below(t, 4)) {
    case 0: return below(t, 32);
    case 1: return draw(t) << below(t, 12);
    default: return odd[below(t, sizeof(odd) / sizeof(*odd))];
    }
}

uint64_t hostile_address(struct thread *t)
{
    static const uint64_t bases[][2] = { /* from, how far */
        {0xffff888000000000, 32 << 20}, /* all memory */
        {0xffffffff80000000, 4 << 20},  /* the kernel's image */
        {0xffffc90000000000, 1 << 20},  /* its stacks */
        {0x0000800000000000, 4096}, {0x0000800000000000 - 64, 64}, {0xffff7ffffffff000, 4096},
        {0, 4096}, {-4096ul, 4096}, {-16ul, 16}, {0x00007ffffffff000 - 8192, 8192}, {0x400000, 1 << 16},
        {SCRATCH_END - 64, 64}, {SCRATCH_END, 4096}, {SCRATCH_END + PAGE, 4096}, {WORDS_AT, 4096},
        {WORDS_AT + PAGE - 16, 4096}, {MAPS_AT, MAPS_PAGES * PAGE}, {STACKS_AT, STACK_SIZE},
        {0xffffffffff600000, 4096},
    };
    const uint64_t *base = bases[below(t, sizeof(bases) / sizeof(*bases))];

    return one_in(t, 16) ? draw(t) << below(t, 12) : base[0] + below(t, base[1]);
}

/* The next part of the scratch memory: what was there before may still be in use by another thread. */
static uint64_t scratch_cell(struct thread *t)
{
    return SCRATCH_AT + 1024 * (t->cell++ % (SCRATCH_PAGES * PAGE / 1024 - 1)) + 8 * below(t, 8);
}

uint64_t value_place(struct thread *t, const void *data, size_t size)
{
    uint64_t at = scratch_cell(t);

    switch (below(t, 32)) {
    case 0: return hostile_address(t);
    case 1: return pool_draw(t, POOL_MAP);
    case 2: at = SCRATCH_END - size; break; /* the last bytes there are */
    case 3: at = SCRATCH_END - size / 2; break;
    case 4: at = WORDS_AT + 256; break;
    case 5: at += below(t, 8); break;
    default: break;
    }
    memcpy((void *)at, data, at < SCRATCH_END && at + size > SCRATCH_END ? SCRATCH_END - at : size);
    return at;
}

/* ---- Numbers and descriptors ---- */

static uint64_t bits_make(struct thread *t, uint64_t mask)
{
    switch (below(t, 8)) {
    case 0: return 0;
    case 1: return mask & 1ul << below(t, 32);
    case 2: return draw(t) & draw(t) & draw(t) & mask;
    case 3: return one_in(t, 4) ? draw(t) << below(t, 12) : mask;
    default: return draw(t) & draw(t) & mask;
    }
}

static uint64_t list_make(struct thread *t, const long *list)
{
    uint64_t count = 0;

    while (list[count] != LIST_END) {
        count++;
    }
    return one_in(t, 32) ? number_make(t) : (uint64_t)list[below(t, count)];
}

static uint64_t fd_make(struct thread *t, enum kind kind)
{
    static const enum pool pools[] = {[EPOLL] = POOL_EPOLL, [INOTIFY] = POOL_INOTIFY, [SOCKET] = POOL_SOCKET,
                                      [TIMER] = POOL_TIMER, [DIRECTORY] = POOL_DIRECTORY};
    uint64_t fd = 0;

    if (kind == NEW_FD || one_in(t, 32)) {
        return one_in(t, 8) ? number_make(t) : below(t, 70);
    }
    if (kind != FD && !one_in(t, 8)) {
        fd = pool_draw(t, pools[kind]);
    }
    return fd ? fd : kind == DIRECTORY ? (uint64_t)-100 /* AT_FDCWD */ : pool_draw(t, POOL_FD);
}

/* Only of processes and threads that are ours may anything be changed. */
static uint64_t child_make(struct thread *t)
{
    uint64_t pid = pool_draw(t, POOL_CHILD);

    switch (below(t, 16)) {
    case 0: return 0;
    case 1: return 0x800000 + below(t, 0x7f000000);
    case 2: return 0x80000000;
    case 3: return -pid;
    default: return pid;
    }
}

static uint64_t pid_make(struct thread *t)
{
    return one_in(t, 4) ? number_make(t) : one_in(t, 4) ? 1 : child_make(t);
}

static uint64_t offset_make(struct thread *t)
{
    return one_in(t, 3) ? below(t, 3) * PAGE : one_in(t, 2) ? below(t, 8192) : number_make(t);
}

/* ---- Names ---- */

static const char *const own_names[] = {"a", "b", "c", "d", "d/a", "d/b", "d/d", "a/..", "./b", "elf", "script"};
/* Nothing that reads /init or writes to the wire: what starts a second init ends the machine. */
static const char *const names[] = {
    "/init", "/bin/true", "/proc", "/proc/self", "/proc/self/task", "/proc/self/stat", "/proc/self/status",
    "/proc/self/maps", "/proc/self/comm", "/proc/self/wchan", "/proc/self/cmdline", "/proc/self/exe",
    "/proc/self/cwd", "/proc/1/stat", "/proc/1/maps", "/proc/meminfo", "/proc/stat", "/proc/loadavg",
    "/proc/kmsg", "/proc/unimplemented", "/proc/uptime", "/dev", "/dev/null", "/dev/zero", "/dev/full",
    "/dev/random", "/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts", "/dev/pts/0", "/tmp", ".", "",
    "/", "/proc/self/exe/x", "/proc/99999999999/x",
    "/dev/ktrace", /* the last: not with little memory, since its rings stay */
};
static const char *const programs[] = {"/bin/true", "/proc/self/exe", "/proc/self/exe", "elf", "elf", "script",
                                       "a", "d", "/dev/null"};
static const char *const targets[2][6] = {
    {"a", "b", "d", "/proc/self/exe", "/dev/zero", "./d"}, /* of a symbolic link */
    {"/proc/self", "/proc/1/task", "/proc", "/dev/null", "/proc/self/stat", "/nothing"}, /* of a mount */
};
#define PICK(t, array) (array)[below(t, sizeof(array) / sizeof(*(array)))]

static uint64_t name_place(struct thread *t, const char *name)
{
    char text[512];
    size_t size = strlen(name) + 1;

    memcpy(text, name, size);
    memcpy(t->entry->text, name, size < 15 ? size : 15);
    switch (below(t, 64)) {
    case 0: /* not terminated, and nothing behind it */
        memset((void *)(SCRATCH_END - 300), 'x', 300);
        return SCRATCH_END - 300;
    case 1:
        memset(text, 'a', 256);
        size = 1 + below(t, 260);
        text[size - 1] = '\0';
        break;
    case 2: /* longer than a path may be */
        for (uint64_t at = SCRATCH_AT; at < SCRATCH_AT + 4200; at += 2) {
            memcpy((void *)at, "a/", 3);
        }
        return SCRATCH_AT;
    case 3:
        memcpy(text + size - 1, "/", 2);
        size++;
        break;
    default: break;
    }
    return value_place(t, text, size);
}

static uint64_t path_make(struct thread *t)
{
    uint64_t count = sizeof(names) / sizeof(*names) - !shared->ktrace;

    return name_place(t, one_in(t, 2) ? PICK(t, own_names) : names[below(t, count)]);
}

/* Of program arguments and of the environment: the fuzzer itself can be started by them. */
uint64_t argv_make(struct thread *t)
{
    static char texts[4][24] = {"fuzz", "--worker"};
    uint64_t vector[8] = {0};
    int count = (int)below(t, 7);

    if (one_in(t, 2)) {
        snprintf(texts[2], sizeof(texts[2]), "%lu", (unsigned long)draw(t));
        snprintf(texts[3], sizeof(texts[3]), "%lu", (unsigned long)below(t, 40));
        for (int i = 0; i < 4; i++) {
            vector[i] = (uint64_t)texts[i];
        }
    } else {
        for (int i = 0; i < count; i++) {
            vector[i] = name_place(t, PICK(t, own_names));
        }
    }
    return one_in(t, 8) ? 0 : value_place(t, vector, sizeof(vector));
}

/* ---- Memory ---- */

static uint64_t map_make(struct thread *t)
{
    switch (below(t, 32)) {
    case 0: return hostile_address(t);
    case 1: return SCRATCH_AT + below(t, SCRATCH_PAGES + 4) * PAGE;
    case 2: return (uint64_t)RAW(12, 0, 0, 0) + below(t, 5) * PAGE; /* brk: where the heap ends */
    case 3: return MAPS_AT + below(t, MAPS_PAGES * PAGE);
    case 4: case 5: case 6: return 0;
    case 7: case 8: case 9: case 10: return pool_draw(t, POOL_MAP);
    default: return MAPS_AT + below(t, MAPS_PAGES) * PAGE;
    }
}

static uint64_t pointer_make(struct thread *t, enum kind kind)
{
    uint64_t data[64];
    size_t size;

    if (one_in(t, 32)) {
        return one_in(t, 2) ? 0 : hostile_address(t);
    }
    size = struct_fill(t, kind, data);
    return size ? value_place(t, data, size) : data[0];
}

static uint64_t clone_flags(struct thread *t)
{
    static const uint64_t usual[] = {17, 0x4111, 0x50f00, 0x10f00 | 0x1200000, 0x1200011, 0x3d0f00, 0x8011, 0x911,
                                     0x100, 0x300};

    return one_in(t, 2) ? usual[below(t, 10)] ^ (one_in(t, 4) ? 1ul << below(t, 33) : 0)
                        : (draw(t) & draw(t) & 0xffffff00) | below(t, 66);
}

uint64_t value_make(struct thread *t, uint64_t argument)
{
    uint64_t number = ARG_NUMBER(argument);
    enum kind kind = ARG_KIND(argument);

    switch (kind) {
    case NONE: return 0;
    case NUMBER: return number_make(t);
    case SIZE: case LENGTH:
        return one_in(t, 8) ? number_make(t) : kind == SIZE ? below(t, 2048) : below(t, 9) * PAGE;
    case OFFSET: return offset_make(t);
    case BITS: return bits_make(t, number);
    case BELOW: return one_in(t, 32) ? number_make(t) : below(t, number);
    case LIST: return list_make(t, lists[number]);
    case EXACT: return one_in(t, 64) ? number_make(t) : number;
    case FD: case EPOLL: case INOTIFY: case SOCKET: case TIMER: case DIRECTORY: case NEW_FD: return fd_make(t, kind);
    case PATH: return path_make(t);
    case OWN_PATH: return name_place(t, PICK(t, own_names));
    case PROGRAM: return name_place(t, PICK(t, programs));
    case TARGET: return name_place(t, targets[number][below(t, 6)]);
    case ARGV: return argv_make(t);
    case MAP: return map_make(t);
    case CODE_ADDRESS: return one_in(t, 2) ? hostile_address(t) : map_make(t);
    case STACK_ADDRESS: return one_in(t, 2) ? hostile_address(t) : one_in(t, 2) ? t->child_stack - 512 : 0;
    case CLONE_FLAGS: return clone_flags(t);
    case CHILD: return child_make(t);
    case ANY_PID: return pid_make(t);
    case SIGNAL: return one_in(t, 16) ? number_make(t) : below(t, 66);
    case WORD: return one_in(t, 8) ? pointer_make(t, BUFFER) : WORDS_AT + 4 * below(t, 8);
    case NAME_SIZE: return one_in(t, 8) ? number_make(t) : one_in(t, 2) ? 8 : 2 + below(t, 110);
    case IO_ARGUMENT: return one_in(t, 3) ? number_make(t) : pointer_make(t, BUFFER);
    default: return pointer_make(t, kind);
    }
}
