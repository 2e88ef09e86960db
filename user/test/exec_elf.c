/*
 * What exec makes of ELF files that no linker makes: each is made here, a program that ends with 42
 * and perhaps an interpreter that ends with 43. Linux finds some errors only when the old program
 * is gone, and kills the process: there an error will do, too (DIES).
 */
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ktap.h"

enum { BASE = 0x400000, PROGRAM_ENDS = 42, INTERPRETER_ENDS = 43, HEADERS = 3 };
enum { DIES = -1 }; /* outcomes are 0..255: exit status; 256 + errno; 1024 + signal */
#define FAILS(error) (256 + (error))
#define KILLED(signal) (1024 + (signal))

/* A whole file: the code and the interpreter's name are behind its headers. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr program_headers[HEADERS];
    uint8_t code[16];
    char interpreter[64];
};

static struct image program, interpreter;

/* mov edi, status; mov eax, 60 (exit); syscall */
static void image_make(struct image *image, int type, uint64_t base, uint8_t status)
{
    const uint8_t code[] = {0xbf, status, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};

    *image = (struct image){
        .header = {.e_ident = "\177ELF\2\1\1", .e_type = (uint16_t)type, .e_machine = EM_X86_64,
                   .e_version = 1, .e_entry = base + offsetof(struct image, code),
                   .e_phoff = offsetof(struct image, program_headers), .e_ehsize = 64,
                   .e_phentsize = 56, .e_phnum = 1},
        .program_headers = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base,
                             .p_filesz = sizeof(*image), .p_memsz = sizeof(*image), .p_align = 4096}},
    };
    memcpy(image->code, code, sizeof(code));
}

/* A dynamic program; its interpreter is the file of that name. */
static void program_name_interpreter(const char *name)
{
    program.header.e_phnum = 2;
    program.program_headers[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                                              .p_offset = offsetof(struct image, interpreter),
                                              .p_filesz = strlen(name) + 1};
    strcpy(program.interpreter, name);
}

static void file_write(const char *name, const void *content, size_t size, int mode)
{
    int fd;

    unlink(name);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
    CHECK(fd >= 0 && write(fd, content, size) == (ssize_t)size && close(fd) == 0);
}

/* How it ends. A second is enough, and it may run for ever. */
static int outcome(const char *path)
{
    char *argv[] = {(char *)path, NULL}, *envp[] = {NULL};
    int fds[2], error = 0, status;
    pid_t pid;

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(1);
        execve(path, argv, envp);
        error = errno;
        write(fds[1], &error, sizeof(error));
        _exit(0);
    }
    close(fds[1]);
    read(fds[0], &error, sizeof(error));
    close(fds[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    return error ? FAILS(error) : WIFSIGNALED(status) ? KILLED(WTERMSIG(status)) : WEXITSTATUS(status);
}

static void both_make(void)
{
    image_make(&program, ET_EXEC, BASE, PROGRAM_ENDS);
    image_make(&interpreter, ET_DYN, 0, INTERPRETER_ENDS);
    program_name_interpreter("./interpreter");
}

static void expect_outcome(const char *what, int expected)
{
    int got = outcome("./program");

    if (expected == DIES ? got < 256 : got != expected) {
        fprintf(stderr, "# %s: %d, not %d\n", what, got, expected);
        CHECK(!"as expected");
    }
}

static void expect(const char *what, int expected)
{
    file_write("program", &program, sizeof(program), 0700);
    file_write("interpreter", &interpreter, sizeof(interpreter), 0700);
    expect_outcome(what, expected);
}

/* With one thing changed in a good program, or in a good interpreter. */
#define CASE(change, expected) \
    do {                       \
        both_make();           \
        change;                \
        expect(#change, expected); \
    } while (0)

static void plain(void)
{
    image_make(&program, ET_EXEC, BASE, PROGRAM_ENDS);
}

static void an_interpreter_runs_first(void)
{
    CASE((void)0, INTERPRETER_ENDS);
    CASE(plain(), PROGRAM_ENDS);
    CASE(image_make(&program, ET_DYN, 0, PROGRAM_ENDS), PROGRAM_ENDS);
    CASE(image_make(&interpreter, ET_EXEC, 0x800000, INTERPRETER_ENDS), INTERPRETER_ENDS);
    both_make();
    program.header.e_type = ET_DYN;
    expect("a position-independent program with an interpreter", INTERPRETER_ENDS);
    both_make();
    program.program_headers[2] = program.program_headers[1];
    program.header.e_phnum = 3;
    program.program_headers[2].p_filesz = 0;
    expect("the first of two names counts", INTERPRETER_ENDS);
}

static void a_name_that_is_none_is_refused(void)
{
    CASE(program.program_headers[1].p_filesz = 0, FAILS(ENOEXEC));
    CASE(program.program_headers[1].p_filesz = 1, FAILS(ENOEXEC));
    CASE(program.program_headers[1].p_filesz -= 1, FAILS(ENOEXEC));
    CASE(program.program_headers[1].p_filesz = 4097, FAILS(ENOEXEC));
    CASE(program.program_headers[1].p_filesz = UINT64_MAX, FAILS(ENOEXEC));
    CASE(program.program_headers[1].p_filesz = 4096, FAILS(EIO));
    CASE(program.program_headers[1].p_offset = sizeof(program), FAILS(EIO));
    CASE(program.program_headers[1].p_offset = 1ul << 40, FAILS(EIO));
    CASE(program.program_headers[1].p_offset = UINT64_MAX, FAILS(EINVAL));
    CASE(strcpy(program.interpreter, ""), DIES);
    CASE(program_name_interpreter("./none"), FAILS(ENOENT));
    CASE(program_name_interpreter("./program/x"), FAILS(ENOTDIR));
    CASE(program_name_interpreter("."), FAILS(EACCES));
    CASE(program_name_interpreter("/dev/null"), FAILS(EACCES));
    CASE(program_name_interpreter("./interpreter/"), FAILS(ENOTDIR));
}

static void interpreter_file(const char *what, const void *content, size_t size, int mode, int expected)
{
    both_make();
    file_write("program", &program, sizeof(program), 0700);
    file_write("interpreter", content, size, mode);
    expect_outcome(what, expected);
}

static void an_interpreter_that_is_none_is_refused(void)
{
    interpreter_file("an empty one", "", 0, 0700, FAILS(EIO));
    interpreter_file("a short one", "#!/bin/true\n", 12, 0700, FAILS(EIO));
    interpreter_file("a script", "#!/bin/true\n# ---------------------------------------------------",
                     65, 0700, FAILS(ELIBBAD));
    interpreter_file("one that must not run", &interpreter, sizeof(interpreter), 0600, FAILS(EACCES));
    CASE(interpreter.header.e_machine = EM_386, FAILS(ELIBBAD));
    CASE(interpreter.header.e_phentsize = 32, FAILS(ELIBBAD));
    CASE(interpreter.header.e_phnum = 0, FAILS(ELIBBAD));
    CASE(interpreter.header.e_phoff = sizeof(interpreter), FAILS(ELIBBAD));
    CASE(interpreter.header.e_type = ET_REL, DIES);
    CASE(interpreter.program_headers[0].p_type = PT_NULL, DIES);
    CASE(interpreter.program_headers[0].p_memsz = UINT64_MAX, DIES);
    CASE(interpreter.header.e_entry = UINT64_MAX / 2, DIES);
    both_make();
    memcpy(&interpreter.program_headers[1], &program.program_headers[1], sizeof(Elf64_Phdr));
    strcpy(interpreter.interpreter, "./none");
    interpreter.header.e_phnum = 2;
    expect("its own interpreter is not looked at", INTERPRETER_ENDS);
    CASE(program_name_interpreter("./program"), PROGRAM_ENDS);
}

static void headers_may_lie_anywhere(void)
{
    static char file[80000];
    size_t at[] = {64, 65, 1000, 4095, 4096, 4097, 8001, 65536};

    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        plain();
        memset(file, 0, sizeof(file));
        program.header.e_entry = BASE + 70000;
        program.header.e_phoff = at[i];
        program.program_headers[0].p_filesz = program.program_headers[0].p_memsz = sizeof(file);
        memcpy(file, &program.header, sizeof(program.header));
        memcpy(file + at[i], program.program_headers, sizeof(program.program_headers));
        memcpy(file + 70000, program.code, sizeof(program.code));
        file_write("program", file, sizeof(file), 0700);
        expect_outcome("headers elsewhere", PROGRAM_ENDS);
        for (int count = 1170; count <= 1171; count++) { /* 64 KiB and more */
            program.header.e_phnum = (uint16_t)count;
            memcpy(file, &program.header, sizeof(program.header));
            if (at[i] + 1171 * sizeof(Elf64_Phdr) < 70000) {
                file_write("program", file, sizeof(file), 0700);
                expect_outcome("many headers", count == 1170 ? PROGRAM_ENDS : FAILS(ENOEXEC));
            }
        }
    }
    CASE(program.header.e_phoff = sizeof(program), FAILS(ENOEXEC));
    CASE(program.header.e_phoff = sizeof(program) - 55, FAILS(ENOEXEC));
    CASE(program.header.e_phoff = 1ul << 50, FAILS(ENOEXEC));
    CASE(program.header.e_phoff = INT64_MAX, FAILS(ENOEXEC));
    CASE(program.header.e_phoff = UINT64_MAX - 7, FAILS(ENOEXEC));
    CASE(program.header.e_phentsize = 55, FAILS(ENOEXEC));
    CASE(program.header.e_phnum = 0, FAILS(ENOEXEC));
    CASE(program.header.e_phnum = 65535, FAILS(ENOEXEC));
}

static void a_file_that_is_no_program_is_refused(void)
{
    CASE(program.header.e_ident[0] = 'x', FAILS(ENOEXEC));
    CASE(program.header.e_machine = EM_AARCH64, FAILS(ENOEXEC));
    CASE(program.header.e_type = ET_CORE, FAILS(ENOEXEC));
    for (size_t size = 0; size < offsetof(struct image, program_headers[1]); size++) {
        plain();
        file_write("program", &program, size, 0700);
        expect_outcome("a part of one", FAILS(ENOEXEC));
    }
}

/* A second segment, of zeroes alone unless `change` says more. */
static void program_add_segment(uint64_t address, uint64_t size)
{
    plain();
    program.header.e_phnum = 2;
    program.program_headers[1] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W,
                                              .p_vaddr = address, .p_memsz = size, .p_align = 4096};
}

static void segments_may_be_odd(void)
{
    CASE(program_add_segment(BASE + 0x10000, 123456), PROGRAM_ENDS);
    CASE(program_add_segment(BASE + 0x10000, 1 << 26), PROGRAM_ENDS);
    CASE(program_add_segment(BASE + 0x10000, 1ul << 46), DIES);
    CASE(program_add_segment(BASE + 0x10000, UINT64_MAX - BASE - 0x10000), DIES);
    CASE(program_add_segment(1ul << 47, 4096), DIES);
    CASE(program_add_segment(0xffffffff80000000, 4096), DIES);
    CASE(program_add_segment(UINT64_MAX - 4095, 4096), DIES);
    both_make();
    program_add_segment(BASE + 0x10000, 4096);
    program.program_headers[1].p_filesz = 8192;
    expect("more in the file than in memory", DIES);
    plain();
    program.program_headers[0].p_vaddr += 1;
    expect("not where it is in the file's page", DIES);
    plain();
    program.program_headers[0].p_memsz = program.program_headers[0].p_filesz = 1 << 20;
    expect("longer than the file", PROGRAM_ENDS);
    plain();
    program.program_headers[0].p_offset = 1 << 20;
    expect("behind the file's end", DIES);
}

static void an_entry_that_is_none_kills(void)
{
    CASE((plain(), program.header.e_entry = 0), DIES);
    CASE((plain(), program.header.e_entry = 0x7ffffffff000), DIES);
    CASE((plain(), program.header.e_entry = 0x7fffffffffff), DIES);
    CASE((plain(), program.header.e_entry = 1ul << 47), DIES);
    CASE((plain(), program.header.e_entry = 0xffffffff80000000), DIES);
    CASE((plain(), program.header.e_entry = UINT64_MAX), DIES);
    CASE((plain(), program.program_headers[0].p_flags = PF_R), DIES);
    CASE((plain(), program.program_headers[0].p_flags = 0), DIES);
}

static void segments_may_be_many(void)
{
    enum { COUNT = 1000 };
    static struct {
        struct image first;
        Elf64_Phdr others[COUNT];
    } file;

    plain();
    file.first = program;
    file.first.header.e_phoff = sizeof(file.first);
    file.first.header.e_phnum = COUNT;
    for (int i = 0; i < COUNT; i++) { /* each second page; and the code in the last */
        file.others[i] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_memsz = 4096,
                                      .p_vaddr = 2 * BASE + (uint64_t)i * 8192};
    }
    file.others[COUNT - 1] = program.program_headers[0];
    file_write("program", &file, sizeof(file), 0700);
    expect_outcome("many segments", PROGRAM_ENDS);
    for (int i = 0; i < COUNT; i++) { /* one over the other */
        file.others[i] = program.program_headers[0];
    }
    file_write("program", &file, sizeof(file), 0700);
    expect_outcome("overlapping segments", PROGRAM_ENDS);
}

static void a_running_program_can_be_deleted(void)
{
    both_make();
    memcpy(program.code, (uint8_t[]){0xeb, 0xfe}, 2); /* jmp here */
    program.header.e_phnum = 1;
    file_write("program", &program, sizeof(program), 0700);
    for (int i = 0; i < 2; i++) { /* while it runs, and while a process that ran it still is one */
        char *argv[] = {"./program", NULL};
        int status, fds[2];
        pid_t pid;
        char c;

        CHECK(pipe2(fds, O_CLOEXEC) == 0);
        pid = fork();
        if (pid == 0) {
            execve("./program", argv, argv + 1);
            _exit(1);
        }
        close(fds[1]);
        CHECK(read(fds[0], &c, 1) == 0); /* it has been started */
        close(fds[0]);
        CHECK_ERROR(open("./program", O_WRONLY), ETXTBSY);
        if (i == 1) {
            CHECK(unlink("./program") == 0);
            CHECK(outcome("./program") == FAILS(ENOENT));
        }
        CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static uint32_t fuzz_state = 20201;

static uint32_t fuzz_next(void)
{
    fuzz_state ^= fuzz_state << 13;
    fuzz_state ^= fuzz_state >> 17;
    return fuzz_state ^= fuzz_state << 5;
}

/* One to four bytes of the headers become others, often those that numbers have at their edges. */
static void image_damage(struct image *image)
{
    static const uint8_t edges[] = {0, 1, 7, 8, 0x3f, 0x40, 0x7f, 0x80, 0xf0, 0xff};

    for (uint32_t n = fuzz_next() % 4 + 1; n > 0; n--) {
        uint8_t *byte = (uint8_t *)image + fuzz_next() % offsetof(struct image, code);

        *byte = fuzz_next() % 2 ? edges[fuzz_next() % sizeof(edges)] : (uint8_t)fuzz_next();
    }
}

static void damaged_files_are_refused_or_run(void)
{
    for (int i = 0; i < 600; i++) {
        both_make();
        if (i % 3 == 0) {
            program_add_segment(BASE + 0x10000, 8192);
        }
        image_damage(i % 3 == 1 ? &interpreter : &program);
        file_write("program", &program, sizeof(program), 0700);
        file_write("interpreter", &interpreter, sizeof(interpreter), 0700);
        outcome("./program");
    }
    CASE((void)0, INTERPRETER_ENDS);
}

static void clean(void)
{
    CHECK(unlink("program") == 0 && unlink("interpreter") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(an_interpreter_runs_first),
        TEST(a_name_that_is_none_is_refused),
        TEST(an_interpreter_that_is_none_is_refused),
        TEST(headers_may_lie_anywhere),
        TEST(a_file_that_is_no_program_is_refused),
        TEST(segments_may_be_odd),
        TEST(segments_may_be_many),
        TEST(an_entry_that_is_none_kills),
        TEST(a_running_program_can_be_deleted),
        TEST(damaged_files_are_refused_or_run),
        TEST(clean),
    };

    return RUN_TESTS(tests);
}
