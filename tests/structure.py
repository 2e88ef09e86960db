"""The shape of the source: layers, sizes, headers, what the README names."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from driver import ROOT, Skipped, call, check, test


# Lower ones first; those of one line do not know each other. dev, trace and debug stand beside them.
LAYERS = [{"lib"}, {"arch"}, {"mm"}, {"sched"}, {"fs"}, {"event"}, {"tty"}, {"process"},
          {"ipc", "procfs"}, {"syscall"}]
BESIDE = {"dev", "trace"}  # all but lib may use them


def level(room: str) -> int:
    return next(i for i, rooms in enumerate(LAYERS) if room in rooms)


def may_use(room: str, other: str) -> bool:
    if room == other or room == "debug":  # debug looks at everything
        return True
    if room in BESIDE:
        return other in ("arch", "lib")
    return other in BESIDE or other != "debug" and level(other) < level(room)


@test
def includes_go_downwards() -> None:
    for path in (ROOT / "kernel").glob("*/*.[ch]"):
        for found in re.findall(r'#include "(\w+)/', path.read_text()):
            check(may_use(path.parent.name, found), f"{path.relative_to(ROOT)} includes {found}/")


def declarations(header: Path):
    """(comment, name) of each function. A comment holds for all prototypes up to the next one, the
    header's first for those of which none says more."""
    opening = said = ""
    pattern = r"(/\*(?:[^*]|\*(?!/))*\*/)|^(?!static|typedef|extern)[a-z][\w *]*[ *](\w+)\([^;{]*;"
    for comment, name in re.findall(pattern, header.read_text(), re.M):
        opening, said = opening or comment, comment or said
        if name:
            yield opening + said, name


@test
def what_is_above_is_reached_by_upcalls_alone() -> None:
    """A header that declares what a room above it defines says so: an upcall, and in which file."""
    kernel = ROOT / "kernel"
    defined = {name: path for path in sorted(kernel.glob("*/*.c"))
               for name in re.findall(r"^(?!static\b)[a-z][\w *]*[ *](\w+)\([^;]*?\)\n\{", path.read_text(), re.M)}
    upcalls = 0
    for path in sorted(kernel.glob("*/*.h")):
        for said, name in declarations(path):
            at = defined.get(name)
            if at and not may_use(path.parent.name, at.parent.name):
                upcalls += 1
                check("Upcall" in said and str(at.relative_to(kernel)) in said,
                      f"{path.relative_to(ROOT)}: {name}() is defined in {at.relative_to(kernel)}, "
                      "and its comment does not say \"Upcall\" and this name")
    check(upcalls > 20, f"{upcalls} upcalls")
    for path in sorted(kernel.glob("*/*.c")):
        for name in re.findall(r"^\s*extern\b(?! const| char).*\b(\w+)", path.read_text(), re.M):
            check(False, f"{path.relative_to(ROOT)} declares {name} by itself: that is a header's task")


# Files that know each other: two halves of one thing, or a struct and what it is made of.
CIRCLES = ["arch/boot arch/paging", "fs/file fs/locks", "mm/alloc_debug mm/buddy mm/page",
           "sched/cpu_timer sched/group sched/posix_timer sched/sched sched/signal sched/task sched/wait"]


def reached_from(start: str, includes: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = includes[ahead.pop()] - found
        found |= new
        ahead += new
    return found


@test
def files_know_each_other_one_way() -> None:
    """A file, with its header, does not come to know itself again over others."""
    kernel = ROOT / "kernel"
    includes: dict[str, set[str]] = {}
    for path in sorted(kernel.glob("*/*.[ch]")):
        name = str(path.relative_to(kernel).with_suffix(""))
        includes.setdefault(name, set()).update(re.findall(r'#include "(\w+/\w+)\.h"', path.read_text()))
    for name in includes:
        includes[name] &= includes.keys() - {name}
    reached = {name: reached_from(name, includes) for name in includes}
    circles = {" ".join(sorted(other for other in reached[name] if name in reached[other]))
               for name in reached if name in reached[name]}
    check(circles == set(CIRCLES), f"new: {circles - set(CIRCLES)}, gone: {set(CIRCLES) - circles}")


CORE = ["arch", "mm", "sched", "process"]
SERVES = 5  # declarations: a comment that is to serve more says little of each


def functions_without_comment(header: str) -> list[str]:
    """Those whose line bears no comment, and that stand in no short group, without a gap, below one."""
    silent = []
    below: int | None = None  # how many declarations stand between the last comment and here
    rest = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n") + "/**/", header, flags=re.S)
    for line in re.sub(r"^(.*\([^;{}]*),\n\s+", r"\1, ", rest, flags=re.M).split("\n"):
        name = re.match(r"(?!static|typedef|extern|struct \w+ \{)[a-z][\w *]*[ *](\w+)\(.*\).*;(.*)", line)
        if name:
            below = None if below is None else below + 1
            if "/**/" not in name[2] and (below is None or below > SERVES):
                silent.append(name[1])
        elif line.startswith("/**/"):
            below = 0
        elif not line or line[0] not in " }":
            below = None
    return silent


@test
def functions_of_the_core_say_their_contract() -> None:
    """What a function of the core does, needs and returns stands where its caller looks: above its
    declaration, with others of its kind or alone."""
    check(functions_without_comment("/* Its. */\nint a(int x,\n      int y);\nint *b(void);\n\nvoid c(void);\n"
                                    "/* A type. */\nstruct d {\n    int e;\n};\nlong f(void);\nint g(void); /* Its. */\n")
          == ["c", "f"], "it does not find the ones without")
    silent = [f"{path.relative_to(ROOT)}: {', '.join(found)}" for room in CORE
              for path in sorted((ROOT / "kernel" / room).glob("*.h"))
              if (found := functions_without_comment(path.read_text()))]
    check(not silent, "no comment says what the caller of these has to know: " + "; ".join(silent))


@test
def no_pointer_has_one_value() -> None:
    """A pointer to a function that is set once hides who is called."""
    for path in sorted((ROOT / "kernel").glob("*/*.[ch]")):
        found = re.findall(r"\(\*(\w+_hook)\)", path.read_text())
        check(not found, f"{path.relative_to(ROOT)}: {found}")


# Instructions, and the sisters of public functions. Others say whose verb they are.
BARE = {"cpuid", "rdmsr", "wrmsr", "rdtsc", "invlpg", "stac", "clac", "fxsave", "fxrstor", "inb", "inw", "inl",
        "outb", "outw", "outl", "kzalloc", "trace"}


@test
def static_functions_bear_their_subject() -> None:
    """`break NAME` stops in one place, and the name says where that is."""
    known: dict[str, Path] = {}
    function = r"^static (?:[\w*]+ |\*|__attribute__\(\(\w+\)\) )*\*?(\w+)\([^;{]*\)\n\{"
    for path in sorted((ROOT / "kernel").glob("**/*.[ch]")):
        for name in re.findall(function, path.read_text(), re.M):
            check(name not in known, f"{name}() is in {path.relative_to(ROOT)} and in {known.get(name)}")
            check("_" in name or name in BARE or path.parent.name == "lib",
                  f"{path.relative_to(ROOT)}: {name}() does not say whose it is")
            known[name] = path.relative_to(ROOT)
    check(len(known) > 500, f"only {len(known)} functions found")


@test
def a_second_is_written_once() -> None:
    """Numbers that have a name are written where the name is made."""
    found = [f"{path.relative_to(ROOT)}" for path in sorted((ROOT / "kernel").glob("**/*.[ch]"))
             for _ in re.findall(r"\b\d+0{9}u?l?\b", path.read_text())]
    check(found == ["kernel/lib/types.h"], f"nanoseconds of a second: {found}")


@test
def system_calls_are_made_by_name() -> None:
    """Their numbers stand in one list for programs, <sys/syscall.h>, and it is the kernel's."""
    header = (ROOT / "user/ulib/include/sys/syscall.h").read_text()
    kernel = dict(re.findall(r"SYSCALL\((\d+), (\w+),", (ROOT / "kernel/syscall/calls.h").read_text()))
    for name, number in re.findall(r"SYS_(\w+) = (\d+)", header):
        check(kernel.get(number, name) == name, f"SYS_{name} is {number}, the kernel's {kernel.get(number)}")
    check(len(kernel) > 200, f"{len(kernel)} calls")
    for path in sorted(path for room in ("user", "labs") for path in (ROOT / room).rglob("*.[ch]")):
        bare = re.findall(r"\b(?:(?:ulib_)?syscall|co_call|CALL\d)\(\d+", path.read_text())
        bare += [] if path.name == "syscall.h" else re.findall(r"\bSYS_\w+ = \d+", path.read_text())
        check(not bare, f"{path.relative_to(ROOT)}: {bare}")


@test
def a_line_makes_one_choice() -> None:
    """`?:` chooses a value, one on a line; what is to be done is chosen by if. A few lines stay that
    are read at once, such as two bounds."""
    silent = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'"
    twice, again = [], []
    for path in sorted((ROOT / "kernel").glob("**/*.[ch]")):
        code = re.sub(silent, lambda found: "\n" * found[0].count("\n"), path.read_text(), flags=re.S)
        for number, line in enumerate(code.split("\n"), 1):
            place = f"{path.relative_to(ROOT)}:{number}"
            if line.count("?") > 1:
                twice.append(place)
            if re.search(r"\berror = error \? error : .*\(", line):
                again.append(place)
    check(not again, f"an error is an if and a goto: {again}")
    check(len(twice) < 15, f"{len(twice)} lines with two ?: {twice}")


@test
def kernel_files_are_short() -> None:
    for path in (ROOT / "kernel").rglob("*.*"):
        check(len(path.read_text().splitlines()) < 500, f"{path} has 500 lines or more")


@test
def headers_compile_alone() -> None:
    for compiler in ["gcc"]:
        include = subprocess.check_output([compiler, "-print-file-name=include"], text=True).strip()
        for path in sorted((ROOT / "kernel").glob("*/*.h")):
            result = call([compiler, "-std=gnu17", "-ffreestanding", "-nostdinc", "-isystem", include,
                           "-Wall", "-Wextra", "-Werror", "-Ikernel", "-fsyntax-only", "-x", "c",
                           "-include", str(path), "/dev/null"])
            check(result.returncode == 0, result.stderr)


MISLAID = """int main(int count, char* names[])
{
  if(count>1) {
        return count;
    }
    return names[0]!=0;
}
"""
LAID = """int main(int count, char *names[])
{
    if (count > 1) {
        return count;
    }
    return names[0] != 0;
}
"""


@test
def spaces_are_as_make_format_puts_them() -> None:
    result = call(["tools/format", "--check"])
    if result.returncode == 3:
        raise Skipped("no clang-format here")
    check(result.returncode == 0, result.stdout + result.stderr)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "kernel.c"
        shutil.copy(ROOT / ".clang-format", directory)
        path.write_text(MISLAID)
        check(call(["tools/format", "--check", str(path)]).returncode == 1, "nothing is wrong")
        call(["tools/format", str(path)])
        check(path.read_text() == LAID, path.read_text())


@test
def readme_names_each_room_of_the_kernel() -> None:
    text = (ROOT / "README.md").read_text()
    rooms = {path.name for path in (ROOT / "kernel").iterdir() if path.is_dir()}
    named = set(re.findall(r"^\| `kernel/(\w+)/`", text, re.M))
    check(named == rooms, f"missing: {rooms - named}, gone: {named - rooms}")


@test
def readme_commands_exist() -> None:
    text = (ROOT / "README.md").read_text()
    helps = call(["make", "help"]).stdout
    for target in re.findall(r"^\s+make ([\w-]+)", text, re.M):
        check(f"make {target}" in helps, f"README names `make {target}`, make help does not")
    for tool in re.findall(r"^\s+(tools/\w+)", text, re.M):
        check((ROOT / tool).exists(), f"README names {tool}")


@test
def book_quotes_code_and_output_as_they_are() -> None:
    result = call(["tools/docs", "--check"])
    check(result.returncode == 0, result.stdout + result.stderr)


@test
def locks_are_asserted_where_the_book_says() -> None:
    """The last column of docs/locking.md: functions with assert_held(), or in words who takes the lock."""
    asserted: set[tuple[str, str]] = set()
    for path in (ROOT / "kernel").glob("*/*.[ch]"):
        function = ""
        for line in path.read_text().splitlines():
            match = re.match(r"[a-z][^;=]*?(\w+)\(.*", line)
            function = match[1] if match else function
            for lock in re.findall(r"assert_held\(&.*?(\w+)\);", line):
                asserted.add((function, lock))
    rows = re.findall(r"^\| `(\w+)` in `([\w/.]+)` \|[^|]*\|[^|]*\|(.*)$",
                      (ROOT / "docs/locking.md").read_text(), re.M)
    check(len(rows) > 30, f"{len(rows)} rows")
    for lock, file, where in rows:
        check(where.strip(" |"), f"{lock} in {file}: no word on where it is asserted")
        if "taken" in where or "one function" in where:
            continue
        for function in re.findall(r"`(\w+)`", where) or ["?"]:
            check((function, lock) in asserted,
                  f"{lock} in {file}: {function} has no assert_held of it")


@test
def every_lock_is_in_the_book() -> None:
    """docs/locking.md names each spinlock and mutex of the kernel with its file, and no others."""
    declaration = re.compile(r"struct (?:spinlock|mutex) (\w+)( = \w+\(?|;)")
    known = set(re.findall(r"^\| `(\w+)` in `([\w/.]+)`", (ROOT / "docs/locking.md").read_text(), re.M))
    found = set()
    for path in (ROOT / "kernel").glob("*/*.[ch]"):
        for line in path.read_text().splitlines():
            match = declaration.search(line)
            if match and "extern" not in line and not line.strip().startswith("//"):
                found.add((match[1], str(path.relative_to(ROOT / "kernel"))))
    found -= {("a", "debug/crash.c")}  # crash=deadlock
    check(found == known, f"missing: {found - known}, gone: {known - found}")
