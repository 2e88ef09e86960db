"""What the tests share: how one is registered, how the guest is called, how one fails.

Tests run side by side, so each keeps to files of its own below build/.
"""
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent
RUN = str(ROOT / "tools/run")
TESTS: list[tuple[str, Callable[[], str | None]]] = []
HANG = 600  # seconds on the host after which something hangs, however loaded the machine is


last = threading.local()  # of the test that this thread runs: .run, its newest guest; .asked


class Machines:
    """How guests run unless a test says otherwise; tests/run chooses. What a test asks of it is noted
    in last.asked: with another machine the test is another one only if that differs."""

    def __init__(self) -> None:
        self.chosen = {"cpus": 1, "free": False}

    def _ask(self, what: str) -> int:
        last.asked.add(what)
        return self.chosen[what]

    @property
    def cpus(self) -> int:
        return self._ask("cpus")

    @property
    def free(self) -> bool:
        """Not under icount: CPUs run at the same time, in real time."""
        return bool(self._ask("free"))


Machine = Machines()


class Failed(Exception):
    pass


class Skipped(Exception):
    """The host lacks what the test needs; says what."""


def test(function: Callable[[], str | None]) -> Callable[[], str | None]:
    """Register a test. What it returns is shown behind its name: a seed, say."""
    TESTS.append((function.__name__, function))
    return function


def deterministic(function: Callable[[], str | None]) -> Callable[[], str | None]:
    """For a test that measures guest time: it means something under icount, on one CPU alone."""
    @functools.wraps(function)
    def wrapper() -> str | None:
        if Machine.free or Machine.cpus > 1:
            raise Skipped("it measures guest time on one CPU")
        return function()
    return wrapper


def check(condition: object, message: str) -> None:
    if not condition:
        raise Failed(message)


def call(command: list[str], stdin: str | None = None, limit: int = HANG,
         cwd: str | Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=cwd, input=stdin or "", text=True, capture_output=True,
                          timeout=limit, errors="replace")


def call_alone(command: list[str], cwd: str | Path, limit: int = HANG) -> subprocess.CompletedProcess:
    """For a program whose children may outlive it, stopped or waiting for ever. It is over when it ends,
    whoever still has its output open; what is left of its group is killed. It has no terminal."""
    process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    said: list[list[bytes]] = [[], []]
    readers = [threading.Thread(target=lambda file=file, into=into: into.extend(iter(lambda: file.read1(65536), b"")),
                                daemon=True) for file, into in zip((process.stdout, process.stderr), said)]
    for reader in readers:
        reader.start()
    try:
        process.wait(limit)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for reader in readers:
        reader.join(10)  # a child with a session of its own may keep it open
    return subprocess.CompletedProcess(command, process.returncode,
                                       *(b"".join(parts).decode(errors="replace") for parts in said))


def hear_signals() -> None:
    """For preexec_fn: what started the tests may ignore some, as a shell's & and nohup(1) do, and
    children inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def program(directory: str, source: str) -> str:
    """One of tests/guest, linked with the host's C library."""
    binary = f"{directory}/{Path(source).stem}"
    built = call(["gcc", "-O1", "-static", "-o", binary, source])
    check(built.returncode == 0, built.stderr)
    return binary


def rerun_for_evidence(name: str) -> str:
    """Run the failed test's newest guest again, traced; how to look at what that leaves."""
    options, arguments, stdin = getattr(last, "run", None) or ([], None, None)
    if not arguments or "--linux" in options:
        return ""
    with tempfile.TemporaryDirectory(prefix="evidence-") as directory:
        result = call([RUN, *options, "--log", f"{directory}/log", "--trace", f"{directory}/trace.ktr",
                       "--evidence", str(ROOT / "build/failed" / name), "--", *arguments], stdin)
    told = result.stderr.rpartition("tools/run: status")
    return f"its guest, run again with a trace: status{told[2]}" if told[1] else ""


def guest(*arguments: str, options: list[str] | None = None, stdin: str | None = None,
          status: int = 0) -> subprocess.CompletedProcess:
    log = tempfile.mktemp(prefix="log-", suffix=".txt", dir=ROOT / "build")
    options = [o for o in options or [] if not (o == "--icount" and Machine.free)]
    if "--smp" not in options and "--linux" not in options and Machine.cpus > 1:
        options += ["--smp", str(Machine.cpus)]
    last.run = options, arguments, stdin
    result = call([RUN, "--log", log, *options, "--", *arguments], stdin)
    check(result.returncode == status, f"status {result.returncode}, not {status}\n"
          f"{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
    os.unlink(log)
    shutil.rmtree(ROOT / "build/failed" / Path(log).stem, ignore_errors=True)
    return result


def guest_with(source: str, script: str, options: list[str]) -> list[str]:
    """What the shell says to a script that uses a program of tests/guest. It stays if the test fails."""
    directory = tempfile.mkdtemp(prefix=f"{source}-", dir=ROOT / "build")
    binary = program(directory, str(ROOT / f"tests/guest/{source}.c"))
    result = guest("sh", "-c", script, options=[*options, "--add", f"{binary}:/bin/{source}"])
    shutil.rmtree(directory)
    return result.stdout.splitlines()
