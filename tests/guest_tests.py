"""user/test/NAME.c: each runs on the host first and then in the guest; the outputs must be equal.

A choice of them also runs in the same initramfs under a Linux kernel.
"""
import fcntl
import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from driver import ROOT, TESTS, Machine, Skipped, call_alone, check, guest, test

TIMED = ("pthread_cost",)
# Not on the host: a busy one gives its least important tasks no time, and a container no priorities.
GUEST_ALONE = ("realtime", "inherit")
MEMORY = {"co_many": "640"}  # MiB, where the guest's usual memory is not enough


@functools.cache  # the guest's machine is another one each time, the host is not
def output_on_host(name: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        result = call_alone([str(ROOT / f"build/user/test/{name}")], directory)
    check("not ok" not in result.stdout and result.returncode == 0,
          f"on the host:\n{result.stdout}{result.stderr}")
    return result.stdout


def guest_test(name: str) -> None:
    if name in TIMED and Machine.free:
        raise Skipped("it measures time")
    expected = output_on_host(name) if name not in GUEST_ALONE else None
    in_guest = guest("sh", "-c", f"cd /tmp; /bin/test/{name} 2>errors; s=$?; echo @@; cat errors; exit $s",
                     options=["--icount", *(["--mem", MEMORY[name]] if name in MEMORY else []),
                              *(["--append", "inject"] if name.startswith("inject_") else [])])
    output, _, errors = in_guest.stdout.partition("@@\n")
    check("not ok" not in output and expected in (output, None), f"host and guest differ:\n{output}{errors}")


@test
def host_program_is_over_when_it_ends_whatever_it_leaves_behind() -> None:
    said = call_alone(["sh", "-c", "setsid sleep 60 2>/dev/null & echo $!; sleep 1000 & kill -STOP $!; echo $!"], ROOT).stdout
    apart, left = map(int, said.split())
    os.kill(apart, signal.SIGKILL)  # it still ran: nobody has waited for it
    while Path(f"/proc/{left}").exists():  # whoever adopted it has still to bury it
        time.sleep(0.01)


for program in [*sorted(path.stem for path in (ROOT / "user/test").glob("*.c")), "torture"]:
    TESTS.append((f"guest_{program}", lambda name=program: guest_test(name)))


def linux_kernel() -> Path | None:
    """Debian's kernel for virtual machines, from its packages; None where apt cannot give it."""
    directory = ROOT / "build/linux"
    kernel = directory / "vmlinuz"
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:  # another test may want it at the same moment
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kernel.exists() and shutil.which("apt-get"):
            unpack_kernel(directory, kernel)
    return kernel if kernel.exists() else None


def unpack_kernel(directory: Path, kernel: Path) -> None:
    """Out of the package of the image, or, since Linux 7, one that it needs."""
    names = needed("linux-image-cloud-amd64", "linux-image-")
    names += [name for image in names for name in needed(image, "linux-binary-")]
    if not names or subprocess.run(["apt-get", "download", *names], cwd=directory, capture_output=True).returncode:
        return
    with tempfile.TemporaryDirectory(dir=directory) as part:  # one that was interrupted leaves no half of a kernel
        for package in directory.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), part], check=True)
        for image in (*Path(part).glob("boot/vmlinuz-*"), *Path(part).glob("usr/lib/modules/*/vmlinuz")):
            image.rename(kernel)


def needed(package: str, kind: str) -> list[str]:
    """The packages of a kind that it depends on."""
    told = subprocess.run(["apt-cache", "depends", package], text=True, capture_output=True).stdout
    return re.findall(rf" Depends: ({kind}\S+)", told)


@test
def guest_tests_under_linux() -> None:
    kernel = linux_kernel()
    if not kernel:
        raise Skipped("apt has no linux-image-cloud-amd64 to download")
    names = ("file", "memory", "process", "signals", "threads", "badptr", "errors", "killed", "socket",
             "epoll", "eventfd", "inotify", "inotify_sets", "nonblock", "registers", "instructions", "leaks_out")
    result = guest("sh", "-c", f"for test in {' '.join(names)}; do echo \"# $test\"; "
                   "/bin/test/$test || echo \"not ok: status $?\"; done",
                   options=["--linux", str(kernel), "--timeout", "200"])
    check("not ok" not in result.stdout and result.stdout.count("\nok 1 - ") == len(names), result.stdout)


@test
def last_words_under_linux_are_heard() -> None:
    """Of a command that ends right behind them, and that Linux does not interrupt for init in between."""
    kernel = linux_kernel()
    if not kernel:
        raise Skipped("apt has no linux-image-cloud-amd64 to download")
    result = guest("sh", "-c", "sleep 0.5; exec echo last", options=["--linux", str(kernel), "--icount", "--timeout", "600"])
    check(result.stdout == "last\n", f"{result}")
