"""What a machine needs to start: a build, images that are some, a CPU that has all. Where one lacks, tools/run
names it."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from driver import HANG, ROOT, RUN, Failed, call, check, hear_signals, test
from launching import child_of, one_line

NOBODY = 65534


def checkout(directory: str, built: bool) -> Path:
    """What tools/run needs of this tree, elsewhere."""
    tree = Path(directory) / "tree"
    for name in ("tools", "iso", "kernel/trace", "kernel/syscall"):
        shutil.copytree(ROOT / name, tree / name)
    if built:
        (tree / "build").mkdir()
        for name in ("baton.elf", "baton32.elf", "initramfs.cpio"):
            shutil.copy(ROOT / "build" / name, tree / "build" / name)
    return tree


@test
def what_is_not_built_is_named() -> None:
    with tempfile.TemporaryDirectory() as directory:
        one_line(call([str(checkout(directory, built=False) / "tools/run"), "--", "true"]), 126, "baton.elf",
                 "make all")


@test
def a_checkout_need_not_be_writable() -> None:
    """It belongs to somebody else: a run does what it always does, and a failed one says what it cannot keep."""
    with tempfile.TemporaryDirectory() as directory:
        tree = checkout(directory, built=True)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        os.chmod(directory, 0o755)
        for path in [tree, *tree.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)
        try:
            for options, status, said in (([], 0, ""), (["--append", "crash=panic"], 125, "nothing was kept")):
                result = subprocess.run([str(tree / "tools/run"), *options, "--", "true"], text=True, cwd="/",
                                        stdin=subprocess.DEVNULL, capture_output=True, **user)
                check(result.returncode == status and said in result.stderr and "Traceback" not in result.stderr,
                      result.stderr)
        finally:
            for path in [tree, *tree.rglob("*")]:
                path.chmod(path.stat().st_mode | 0o200)


@test
def a_checkout_may_have_any_path() -> None:
    """QEMU puts the kernel's path before the options: its words are none. A recording is one anywhere, too."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "-a b's quiet=x \"中文\", session=once", "init=/bin/false ")
        place.mkdir(parents=True)
        run = str(checkout(str(place), built=True) / "tools/run")
        for options in ([], ["--record", f"{place}/of a run"], ["--replay", f"{place}/of a run"]):
            result = call([run, *options, "--log", f"{place}/log", *([] if "--replay" in options else ["--", "echo", "hi"])])
            check((result.returncode, result.stdout, result.stderr) == (0, "hi\n", ""), f"{options}: {result}")
            check("no option" not in Path(place, "log").read_text(), Path(place, "log").read_text())


def file_in(archive: bytes, name: bytes) -> tuple[int, int]:
    """Where a file's header and its content are in a newc archive."""
    at = 0
    while archive[at + 110:at + 111 + len(name)] != name + b"\0":
        size, length = (int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in (6, 11))
        at = (at + 110 + length + 3 & ~3) + size + 3 & ~3
    return at, at + 110 + len(name) + 1 + 3 & ~3


def with_changed(tree: Path, name: str, at: int, data: bytes) -> None:
    content = bytearray((ROOT / "build" / name).read_bytes())
    content[at:at + len(data)] = data
    (tree / "build" / name).write_bytes(content)


@test
def images_that_are_none_are_named() -> None:
    with tempfile.TemporaryDirectory() as directory:
        tree = checkout(directory, built=True)
        for name, said in (("baton32.elf", "no multiboot header"), ("initramfs.cpio", "no whole cpio archive")):
            whole = (ROOT / "build" / name).read_bytes()
            for content in (b"", b"\x7fELF" + bytes(9999), whole[:len(whole) // 2] if "cpio" in name else b"x"):
                (tree / "build" / name).write_bytes(content)
                one_line(call([str(tree / "tools/run"), "--", "true"]), 126, f"build/{name}", said)
            (tree / "build" / name).write_bytes(whole)


@test
def what_is_wrong_with_the_first_program_is_named() -> None:
    archive = (ROOT / "build/initramfs.cpio").read_bytes()
    header, content = file_in(archive, b"init")
    with tempfile.TemporaryDirectory() as directory:
        tree = checkout(directory, built=True)
        for at, data, said in ((header + 110, b"inix", "No such file"), (content, b"XELF", "Exec format"),
                               (header + 14, b"%08x" % 0o100644, "Permission denied")):
            with_changed(tree, "initramfs.cpio", at, data)
            result = call([str(tree / "tools/run"), "--trace", f"{directory}/t.ktr", "--", "true"])
            check(result.returncode == 128 and f"it cannot be run: /init: {said}" in result.stderr, result.stderr)


@test
def a_cpu_that_lacks_something_is_told_so() -> None:
    for cpu, said in (("486", "no 64 bits"), ("qemu32", "no 64 bits"), ("max,-lm", "no 64 bits"),
                      ("max,-nx", "no NX"), ("max,-syscall", "no SYSCALL"), ("max,-sse2", "no SSE2")):
        with tempfile.TemporaryDirectory() as directory:
            result = call([RUN, "--log", f"{directory}/log", "--evidence", f"{directory}/kept", "--trace",
                           f"{directory}/t.ktr", "--cpu", cpu, "--", "true"])
            check(result.returncode == 125 and re.search(f"PANIC: this CPU has .*{said}", result.stderr),
                  f"{cpu}: {result.stderr}")


@test
def where_a_machine_was_that_says_nothing() -> None:
    """A triple fault, late and before there is an IDT; a kernel that hangs before it has a port."""
    entry = (ROOT / "build/baton32.elf").read_bytes().index((0x1badb002).to_bytes(4, "little")) + 16
    with tempfile.TemporaryDirectory() as directory:
        tree = checkout(directory, built=True)
        run = [str(tree / "tools/run"), "--trace", f"{directory}/t.ktr"]

        def tripled(options: list[str], place: str) -> None:
            result = call([*run, *options, "--", "true"])
            check(result.returncode == 126 and re.search(rf"CPU 0 is at 0x\w+ {place}.*; cr2 ", result.stderr)
                  and "a triple fault" in result.stderr and "make gdb" in result.stderr, result.stderr)

        tripled(["--append", "crash=triple"], "crash_triple")
        with_changed(tree, "baton32.elf", entry, b"\x0f\x0b")  # ud2
        tripled([], "boot_start")
        with_changed(tree, "baton32.elf", entry, b"\xeb\xfe")  # jmp to itself
        said = ""
        for seconds in (4, 16, 64):  # the firmware has to end before it
            process = subprocess.Popen([*run, "--", "true"], text=True, stdin=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, preexec_fn=hear_signals)
            child_of(process.pid)
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=HANG)[1]
            if "boot_start" in said:
                return
        raise Failed(said)
