"""The ends between which tools/run moves bytes: the guest's two serial lines, our standard input and
output, and the terminal that these may be."""
import fcntl
import os
import termios
import tty

from launch import host
from launch.host import LaunchError

KEPT_MAX = 16 << 20  # of standard input, for doing the same again
ESCAPE = 1           # ^A


class Line:
    """One serial line: two pipes, which QEMU opens by their names.

    Not a socket: there each byte that QEMU writes takes almost a KiB of room until it is read, so a
    few hundred made the guest wait for its line, as long as this process did not run; under icount
    a run was then not like the other. A pipe has room for all.
    """

    def __init__(self, path: str) -> None:
        for end in ("in", "out"):
            os.mkfifo(f"{path}.{end}")
        self.input = os.open(f"{path}.in", os.O_RDWR | os.O_NONBLOCK)
        self.output = os.open(f"{path}.out", os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, 1 << 20)
        except OSError:
            pass  # the host allows less: the usual 64 KiB

    def fileno(self) -> int:
        return self.output

    def close(self) -> None:
        os.close(self.input)
        os.close(self.output)


class Input:
    """Our standard input: keys for the guest's terminal, or pieces that init asks for."""

    def __init__(self, has_command: bool) -> None:
        self.terminal = os.isatty(0)
        self.feed = has_command and not self.terminal
        self.kept = b""  # to do the same again
        self.escape = self.quit = False

    def all(self, most: int) -> bytes:
        """For a deterministic run: input that comes while the guest runs comes at a different
        instruction each time, so it has all of it from the start."""
        with os.fdopen(os.dup(0), "rb") as stdin:
            self.kept = stdin.read(most + 1)
        if len(self.kept) > most:
            raise LaunchError(f"standard input: more than half of the guest's {most >> 19} MiB; --icount "
                              "gives it all to the guest before it starts")
        return self.kept

    def read(self, size: int) -> bytes | None:
        """None: nothing yet."""
        try:
            data = os.read(0, size)
        except BlockingIOError:
            return None
        if len(self.kept) <= KEPT_MAX:
            self.kept += data
        return data

    def typed(self, data: bytes) -> bytes:
        """What the guest gets of what was typed: ^A x sets `quit`."""
        keys = b""
        for byte in data:
            if self.escape and byte in b"xX":
                self.quit = True
            elif byte == ESCAPE and not self.escape:
                self.escape = True
                continue
            else:  # ^A is ^A in front of any other key; ^A ^A sends one
                keys += (b"\1" if self.escape and byte != ESCAPE else b"") + bytes([byte])
            self.escape = False
        return keys


def output(data: bytes) -> None:
    """To standard output."""
    try:
        host.write_all(1, data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LaunchError(f"standard output: {error.strerror}") from None


def set_raw(modes: list) -> None:
    """Each key goes to the guest as it is typed. What the guest prints has its carriage returns if it
    comes to this terminal; if it goes elsewhere the terminal adds them, for whoever prints here."""
    tty.setraw(0)
    if not os.isatty(1):
        raw = termios.tcgetattr(0)
        raw[1] = modes[1]
        termios.tcsetattr(0, termios.TCSADRAIN, raw)


def terminal_size() -> list[str]:
    """For init: the guest's terminal is as large as ours."""
    if not os.isatty(1):
        return []
    columns, rows = os.get_terminal_size(1)
    return [f"baton.size={rows}x{columns}"] if rows and columns else []
