"""make as people expect it: alone it builds and says what is next; it shows what it does, and nothing
where there is nothing to do; two at once get on; on a bare system it installs what is missing."""
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from driver import HANG, ROOT, Skipped, call, check, test

NOBODY = 65534
FAKE_SETUP = """#!/bin/sh
[ "$1" = --check ] && { [ -e installed ]; exit; }
echo "$@" >>installed
"""


@contextmanager
def tree(built: bool) -> Iterator[Path]:
    """A copy of this one, with what is built, or without."""
    names = call(["git", "ls-files", "-co", "--exclude-standard"]).stdout.splitlines()
    with tempfile.TemporaryDirectory(prefix="tree-") as directory:
        for name in names:
            if (ROOT / name).is_file() and not name.startswith(("tests/golden", "docs/")):
                (Path(directory) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(directory) / name)
        if built:
            (Path(directory) / "build").mkdir()
            for name in ("boot", "kernel", "labs", "user", "stripped"):
                if (ROOT / "build" / name).exists():
                    shutil.copytree(ROOT / "build" / name, Path(directory) / "build" / name)
            for path in (ROOT / "build").glob("*"):
                if path.suffix in (".elf", ".o", ".d", ".asm", ".cpio") or path.name == "flags":
                    shutil.copy2(path, Path(directory) / "build")
        yield Path(directory)


def made(where: Path, *arguments: str, status: int = 0) -> str:
    result = call(["make", *arguments], cwd=where)
    check(result.returncode == status, f"{arguments}: status {result.returncode}\n{result.stderr}")
    return result.stdout + result.stderr


@test
def make_says_what_it_does_and_no_more() -> None:
    with tree(built=True) as where:
        made(where, "all")
        check(made(where, "all") == "", "it speaks though there is nothing to do")
        check(made(where).startswith("Built. Next: make run"), "make alone does not say what is next")
        (where / "kernel/lib/string.c").touch()
        lines = made(where, "all").splitlines()
        check(lines[:2] == ["CC   kernel/lib/string.c", "LD   build/baton-first.elf"], f"{lines}")
        (where / "kernel/lib/string.c").touch()
        check(made(where, "-s", "all") == "", "make -s speaks")
        (where / "kernel/lib/string.c").touch()
        shown = made(where, "V=1", "build/kernel/lib/string.o")
        check("-c -o build/kernel/lib/string.o" in shown and "CC  " not in shown, shown)
        (where / "kernel/lib/string.c").write_text("mistake")
        check("kernel/lib/string.c:1" in made(where, "all", status=2), "a mistake is not shown")


@test
def files_come_and_go_and_no_makefile_lists_them() -> None:
    """A file of the kernel, of the library and a program: the next make has it, and the one after that not."""
    def symbols(name: str) -> str:
        return call(["nm", str(where / "build" / name)]).stdout

    with tree(built=True) as where:
        made(where, "all")
        added = [where / name for name in ("kernel/lib/added.c", "user/ulib/added.c", "user/bin/added.c")]
        for path in added:
            path.write_text("int main(void);\nint added_here(void);\nint added_here(void)\n{\n    return 1;\n}\n"
                            + ("int main(void)\n{\n    return 0;\n}\n" if path.parent.name == "bin" else ""))
        made(where, "all")
        for there in (True, False):
            check(("added_here" in symbols("baton.elf")) == there, f"the kernel: {there}")
            check(("added_here" in symbols("user/libu.a")) == there, f"the library: {there}")
            check((b"bin/added\0" in (where / "build/initramfs.cpio").read_bytes()) == there, f"the program: {there}")
            for path in added if there else ():
                path.unlink()
            made(where, "all")
        check(made(where, "all") == "", "it speaks though there is nothing to do")


@test
def other_options_make_other_objects() -> None:
    with tree(built=True) as where:
        made(where, "all")
        text = (where / "kernel/kernel.mk").read_text()
        (where / "kernel/kernel.mk").write_text(text.replace(" -O2 -g ", " -O1 -g "))
        check("CC   kernel/lib/string.c" in made(where, "build/kernel/lib/string.o"), "they are taken as they are")


@test
def make_needs_nothing_of_its_surroundings() -> None:
    """No PATH, as in a cron job or a bare container; a reader that has seen enough; no shell to ask, which is
    no reason to say that the tree cannot be written."""
    with tree(built=True) as where:
        made(where, "all")
        (where / "kernel/lib/string.c").touch()
        result = call(["env", "-i", shutil.which("make"), "all"], cwd=where)
        check(result.returncode == 0 and "CC   kernel/lib/string.c\n" in result.stdout, f"{result}")
        result = call(["sh", "-c", "make help | head -1"], cwd=where)
        check(not result.stderr and result.stdout.startswith("make  "), f"{result}")
        check(call(["sh", "-c", "make help >/dev/full"], cwd=where).returncode == 2, "a full disk is not told")
        result = call(["make", "SHELL=/nonexistent", "all"], cwd=where)
        check(result.returncode == 2 and "cannot be written" not in result.stderr, f"{result}")


@test
def make_uses_all_cpus_unless_told() -> None:
    def jobs(*told: str) -> list[str]:
        words = call(["make", "MAKE=echo CALLED", *told, "all"]).stdout.split()
        return [word for word in words[words.index("CALLED"):] if word.startswith("-j")]
    check(jobs() == [f"-j{len(os.sched_getaffinity(0))}"] and jobs("-j3") == [], f"{jobs()} {jobs('-j3')}")


@test
def make_n_only_shows() -> None:
    with tree(built=False) as where:
        (where / "tools/setup").write_text(FAKE_SETUP)
        shown = made(where, "-n", "run", "CMD=true")
        check("-c -o build/kernel/main.o" in shown and re.search("tools/run +-- sh -c", shown), shown[-1000:])
        check(not (where / "build").exists() and not (where / "installed").exists(), "it did more")


@test
def make_installs_what_is_missing_where_it_builds() -> None:
    with tree(built=False) as where:
        (where / "tools/setup").write_text(FAKE_SETUP)
        for goals in (["help"], ["clean"], ["-n", "all"]):
            made(where, *goals)
            check(not (where / "installed").exists(), f"{goals} installs")
        for goals, purpose in ((["build/kernel/lib/string.o"], "run"), (["docs", "MAKE=true"], "test")):
            call(["make", *goals], cwd=where)
            check((where / "installed").read_text() == purpose + "\n", f"{goals}")
            (where / "installed").unlink()


@test
def two_makes_at_once_get_on() -> None:
    """The second one waits, whoever holds the lock; who dies holds none."""
    with tree(built=True) as where:
        made(where, "all")
        with open(where / "build/lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = subprocess.Popen(["make", "all"], cwd=where, text=True, stdout=subprocess.PIPE)
            line = second.stdout.readline()
            check("another make is at work in this tree" in line, line)
            check(second.poll() is None, "it did not wait")
        check(second.communicate(timeout=HANG)[0] == "" and second.returncode == 0, "it failed then")
        holder = subprocess.Popen(["tools/alone", "build/lock", "sh", "-c", "echo held; exec sleep 1000"],
                                  cwd=where, text=True, stdout=subprocess.PIPE)
        check(holder.stdout.readline() == "held\n", "no lock")
        holder.send_signal(signal.SIGKILL)
        holder.communicate(timeout=HANG)  # of all who write there
        check("waiting" not in made(where, "all"), "the lock outlived its holder")


@test
def what_a_killed_make_was_making_is_made_again() -> None:
    """Half of a file is newer than what it is made of: make alone would take it as it is."""
    with tree(built=True) as where:
        made(where, "all")
        half, whole = where / "build/user/bin/cat", where / "build/user/bin/ls"
        before = whole.stat().st_mtime_ns
        killed = call(["tools/alone", "build/lock", "sh", "-c", ": >build/user/bin/cat; kill -9 $PPID"], cwd=where)
        check(killed.returncode == -signal.SIGKILL and not half.stat().st_size, f"{killed}")
        check(made(where, "all").startswith("the last make was killed"), "it does not say what it does")
        check(half.stat().st_size and whole.stat().st_mtime_ns == before, "half a file is taken as it is")
        call(["tools/alone", "build/lock", "sh", "-c", "touch build/user/bin/cat; exit 1"], cwd=where)
        check("killed" not in made(where, "all"), "who only fails is taken for killed")


@test
def a_tree_that_cannot_be_written_is_told_in_one_line() -> None:
    with tree(built=False) as where:
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        where.chmod(0o555)
        result = subprocess.run(["make"], cwd=where, text=True, capture_output=True, **user)
        where.chmod(0o755)
        check(result.returncode == 2 and len((result.stdout + result.stderr).splitlines()) == 1
              and f"{where} cannot be written" in result.stderr, result.stdout + result.stderr)


@test
def setup_knows_what_each_system_calls_a_package() -> None:
    """On systems that have nothing but their package manager."""
    wanted = {
        "apt-get": "gcc binutils nasm qemu-system-x86 grub-common xorriso mtools chromium gdb patch qemu-utils",
        "dnf": "gcc binutils nasm qemu-system-x86-core grub2-tools-extra xorriso mtools chromium gdb patch qemu-img",
        "pacman": "gcc binutils nasm qemu-system-x86 grub libisoburn mtools chromium gdb patch qemu-img",
        "zypper": "gcc binutils nasm qemu-x86 grub2 xorriso mtools chromium gdb patch qemu-tools",
        "brew": "x86_64-elf-gcc x86_64-elf-binutils nasm qemu i686-elf-grub xorriso mtools chromium gdb patch"}
    for manager, packages in wanted.items():
        with tempfile.TemporaryDirectory() as directory:
            system = "Darwin arm64" if manager == "brew" else "Linux x86_64"
            for name, script in ((manager, f'echo "$@" >>{directory}/asked'), ("id", "echo 0"),
                                 ("uname", f'case "$1" in -sm) echo {system} ;; *) echo {system.split()[0]} ;; esac')):
                (Path(directory) / name).write_text(f"#!/bin/sh\n{script}\n")
                (Path(directory) / name).chmod(0o755)
            result = call(["env", f"PATH={directory}", "/bin/sh", "tools/setup", "test"])
            asked = (Path(directory) / "asked").read_text().split()
            missing = [package for package in packages.split() if package not in asked]
            check(result.returncode == 0 and not missing, f"{manager}: {missing} not in {asked}\n{result.stderr}")
            check(len(asked) == len(set(asked)), f"{manager}: twice in {asked}")
    with tempfile.TemporaryDirectory() as directory:
        for name in ("id", "uname"):
            (Path(directory) / name).symlink_to(shutil.which(name))
        result = call(["env", f"PATH={directory}", "/bin/sh", "tools/setup", "run"])
        check(result.returncode == 1 and "by hand" in result.stderr, result.stderr)


@test
def without_grub_the_kernel_is_booted_directly() -> None:
    with tree(built=True) as where:
        (where / "tools/mkiso").write_text("#!/bin/sh\nexit 3\n")
        result = call(["tools/run"], stdin="echo it runs\npoweroff\n", cwd=where)
        check(result.returncode == 0 and "\nit runs" in result.stdout and "boots the kernel itself" in result.stderr,
              result.stdout + result.stderr)
        result = call(["tools/run", "--iso", "--", "true"], cwd=where)
        check(result.returncode == 126 and "no image to boot from" in result.stderr, result.stderr)


@test
def a_bare_metal_toolchain_builds_the_kernel() -> None:
    """Such as x86_64-elf-gcc; here LLVM's, which has nothing of Linux in it either."""
    tools = {"LD": "ld.lld", "NM": "llvm-nm", "AR": "llvm-ar", "OBJCOPY": "llvm-objcopy"}
    lacking = [tool for tool in ("clang", *tools.values()) if not shutil.which(tool)]
    if lacking:
        raise Skipped(f"there is no {lacking[0]}")
    with tree(built=False) as where:
        made(where, "CC=clang --target=x86_64-unknown-none-elf", *[f"{name}={tool}" for name, tool in tools.items()],
             "build/baton32.elf", "build/user/bin/echo")
        shutil.copy2(ROOT / "build/initramfs.cpio", where / "build")
        result = call(["tools/run", "--add", "build/user/bin/echo:/bin/say", "--", "say", "it runs"], cwd=where)
        check(result.returncode == 0 and result.stdout == "it runs\n", result.stdout + result.stderr)
