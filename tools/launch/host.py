"""What tools/run owes the host and its user: output that is whole or refused in one line, and no QEMU that
outlives it, whatever ends it."""
import ctypes
import errno
import io
import os
import select
import signal
import subprocess
import sys
import threading
from typing import Callable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
KERNEL = os.path.join(BUILD, "baton.elf")
FAILED = 126  # status of a run that did not come to its command's end
TEXT_MAX = 16 << 20
PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl  # found before a fork, not between it and exec


class LaunchError(Exception):
    """What is wrong, and what to do: for one line; and the status to end with."""
    status = FAILED


class WrongUse(LaunchError):
    """The command line asks for what cannot be."""
    status = 2


class Ended(BaseException):
    """A signal has told this process to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def say(text: str) -> None:
    """On standard error, if that takes it: there is nobody to be told otherwise."""
    try:
        os.write(2, text.encode(errors="surrogateescape") + b"\n")
    except OSError:
        pass


def on_end(number: int, _: object) -> None:
    raise Ended(number)


def end_again(dropped: "sys.UnraisableHookArgs") -> None:
    """Python drops what is raised in a hook of fork(2), which logging has, or in a destructor. The signal comes
    once more, when that is over."""
    if isinstance(dropped.exc_value, Ended):
        threading.Timer(0.01, os.kill, (os.getpid(), dropped.exc_value.number)).start()
    else:
        sys.__unraisablehook__(dropped)


def handle_ends() -> None:
    sys.unraisablehook = end_again
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup(1) asked for that
            signal.signal(number, on_end)


def die_of(number: int) -> None:
    """End as by this signal, so that who waits sees it: a shell's loop ends at ^C."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def tied_to_us(number: int = signal.SIGKILL) -> Callable[[], None]:
    """For Popen(preexec_fn=): the child gets this signal when this process ends, also by SIGKILL."""
    parent = os.getpid()

    def tie() -> None:
        _prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(FAILED)  # it had ended before that
    return tie


def call(command: list[str], timeout: float | None = None, **options: object) -> subprocess.CompletedProcess:
    """subprocess.run() with all output kept. But what ends us ends the child by SIGTERM, not by SIGKILL:
    tools/run removes its files then."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.terminate()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def write_all(fd: int, data: bytes) -> None:
    """All of it, also where the other end is slow and asked for O_NONBLOCK."""
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            select.select([], [fd], [])


class Output(io.TextIOWrapper):
    """Standard output, whose errors say so: they come where it is flushed, or at any write."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            error.filename = "standard output"
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            error.filename = "standard output"
            raise


def name_output() -> None:
    old = sys.stdout
    if type(old) is io.TextIOWrapper:  # not None: it was closed
        settings = {"encoding": old.encoding, "errors": old.errors, "line_buffering": old.line_buffering,
                    "write_through": old.write_through}
        sys.stdout = Output(old.detach(), **settings)


def flush_output() -> None:
    if sys.stdout:
        sys.stdout.flush()


def drop_output() -> None:
    """What could not be written is not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def text_of(path: str | os.PathLike) -> str:
    """What a text file has; a device that never ends, or what is no text, is refused."""
    with open(path, "rb") as file:
        data = file.read(TEXT_MAX + 1)
    if len(data) > TEXT_MAX:
        raise WrongUse(f"{path}: more than {TEXT_MAX >> 20} MiB")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise WrongUse(f"{path}: not in UTF-8, at byte {error.start}") from None


def reason(error: OSError) -> str:
    """As one line: what, and why."""
    name = error.errno == errno.ENOSPC and error.filename2 or error.filename  # a copy's second one is full
    return f"{name}: {error.strerror}" if name else error.strerror or str(error)


def run(main: Callable[[], int], name: str = "tools/run", failed: int = FAILED) -> int:
    """main(), with each way in which it may be ended told in at most one line; `failed` is the status then."""
    handle_ends()
    name_output()
    try:
        try:
            return main()
        finally:
            flush_output()
    except Ended as end:
        say(f"{name}: ended by {signal.Signals(end.number).name}")
        die_of(end.number)
    except BrokenPipeError:
        failed = 128 + signal.SIGPIPE  # as any command whose reader has seen enough
    except LaunchError as error:
        say(f"{name}: {error}")
        failed = error.status
    except OSError as error:
        say(f"{name}: {reason(error)}")
    except MemoryError:
        say(f"{name}: the host has no memory for this")
    drop_output()
    return failed
