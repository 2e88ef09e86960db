"""What the tests share: how one is registered, how the guest is called, how one fails.

Tests run side by side, so each keeps to files of its own below build/.
"""
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent
RUN = str(ROOT / "tools/run")
TESTS: list[tuple[str, Callable[[], str | None]]] = []
HANG = 1200  # seconds on the host after which something hangs, however loaded the machine is


# How guests run unless a test says otherwise: tests/run --smp and --free change it.
class Machine:
    cpus = 1
    free = False  # not under icount: CPUs run at the same time, in real time


class Failed(Exception):
    pass


class Skipped(Exception):
    """The host lacks what the test needs; says what."""


def test(function: Callable[[], str | None]) -> Callable[[], str | None]:
    """Register a test. What it returns is shown behind its name: a seed, say."""
    TESTS.append((function.__name__, function))
    return function


def deterministic(function: Callable[[], None]) -> Callable[[], None]:
    """For a test that measures guest time: it means something under icount, on one CPU alone."""
    @functools.wraps(function)
    def wrapper() -> None:
        if Machine.free or Machine.cpus > 1:
            raise Skipped("it measures guest time on one CPU")
        function()
    return wrapper


def check(condition: object, message: str) -> None:
    if not condition:
        raise Failed(message)


def call(command: list[str], stdin: str | None = None, limit: int = HANG,
         cwd: str | Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=cwd, input=stdin or "", text=True, capture_output=True,
                          timeout=limit, errors="replace")


def guest(*arguments: str, options: list[str] | None = None, stdin: str | None = None,
          status: int = 0) -> subprocess.CompletedProcess:
    log = tempfile.mktemp(prefix="log-", suffix=".txt", dir=ROOT / "build")
    options = [o for o in options or [] if not (Machine.free and o == "--icount")]
    if Machine.cpus > 1 and "--smp" not in options and "--linux" not in options:
        options += ["--smp", str(Machine.cpus)]
    result = call([RUN, "--log", log, *options, "--", *arguments], stdin)
    check(result.returncode == status, f"status {result.returncode}, not {status}\n"
          f"{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
    os.unlink(log)
    shutil.rmtree(ROOT / "build/failed" / Path(log).stem, ignore_errors=True)
    return result
