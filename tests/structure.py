"""The shape of the source: layers, sizes, headers, what the README names."""
import re
import subprocess

from driver import ROOT, call, check, test


LAYERS = ["lib", "arch", "mm", "sched", "fs", "syscall"]


@test
def includes_go_downwards() -> None:
    for path in (ROOT / "kernel").glob("*/*.[ch]"):
        layer = path.parent.name
        for found in re.findall(r'#include "(\w+)/', path.read_text()):
            if layer in ("dev", "trace"):
                ok = found in (layer, "arch", "lib")
            elif layer == "debug":  # looks at everything
                ok = True
            else:
                ok = found in ("dev", "trace") or LAYERS.index(found) <= LAYERS.index(layer)
            check(ok, f"{path.relative_to(ROOT)} includes {found}/")


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
    asserted: dict[tuple[str, str], set[str]] = {}
    for path in (ROOT / "kernel").glob("*/*.[ch]"):
        function = ""
        for line in path.read_text().splitlines():
            match = re.match(r"[a-z][^;=]*?(\w+)\(.*", line)
            function = match[1] if match else function
            for lock in re.findall(r"assert_held\(&[\w>.-]*?(\w+)\)", line):
                asserted.setdefault((function, lock), set()).add(path.parent.name)
    rows = re.findall(r"^\| `(\w+)` in `([\w/.]+)` \|[^|]*\|[^|]*\|(.*)$",
                      (ROOT / "docs/locking.md").read_text(), re.M)
    check(len(rows) > 30, f"{len(rows)} rows")
    for lock, file, where in rows:
        check(where.strip(" |"), f"{lock} in {file}: no word on where it is asserted")
        if "taken" in where or "one function" in where:
            continue
        for function in re.findall(r"`(\w+)`", where) or ["?"]:
            check(file.split("/")[0] in asserted.get((function, lock), ()),
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
