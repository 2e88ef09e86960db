"""What comes over the guest's second serial line, the wire: the kernel's log and what init has to say.
A guest may say as much as it likes: what is kept of it has bounds."""
import os
import re
import struct
from collections import deque

from launch.host import BUILD, LaunchError, reason

LOG_FIRST, LOG_LAST = 16 << 20, 1 << 20  # bytes of the log that are kept
LINE_MAX = 1 << 16  # a longer one counts as several


class Log:
    """The kernel's log: its beginning and its end in a file, the end in memory, too."""

    def __init__(self, path: str, instead: str) -> None:
        """`path` "" is the usual place, for which `instead` stands in where it cannot be written."""
        self.name, self.trouble = path or os.path.join(BUILD, "run.log"), ""
        try:
            self.file = open(self.name, "wb")
        except OSError as error:
            if path:
                raise LaunchError(f"--log {reason(error)}") from None
            self.name = instead
            self.file = open(instead, "wb")
        self.written = self.newer = self.left_out = 0  # bytes in the file; lines and bytes that are not
        self.last: deque[bytes] = deque()
        self.last_size = 0

    def _write(self, data: bytes) -> None:
        try:
            if not self.trouble:
                self.file.write(data)
        except OSError as error:
            self.trouble = reason(error)

    def add(self, line: bytes) -> None:
        if not self.newer and self.written + len(line) < LOG_FIRST:
            self._write(line + b"\n")
            self.written += len(line) + 1
        else:
            self.newer += 1
        self.last.append(line)
        self.last_size += len(line) + 1
        while self.last_size > LOG_LAST:
            gone = len(self.last.popleft()) + 1
            self.last_size -= gone
            if self.newer > len(self.last):  # it is not in the file
                self.newer -= 1
                self.left_out += gone

    def close(self) -> None:
        if self.left_out:
            self._write(b"[%d bytes of the log are left out here]\n" % self.left_out)
        if self.newer:
            self._write(b"\n".join(list(self.last)[-self.newer:]) + b"\n")
        try:
            self.file.close()
        except OSError as error:
            self.trouble = reason(error)

    def lines(self) -> list[str]:
        return [line.decode(errors="replace").rstrip("\r") for line in self.last]


class Wire:
    def __init__(self, log: Log, nonce: str) -> None:
        self.log, self.partial = log, b""
        self.mark = re.compile(rb"@baton %b (?:status (\d{1,3})|(more))" % nonce.encode())
        self.status: int | None = None
        self.hungry = False  # init asks for standard input

    def take(self, data: bytes) -> None:
        *lines, self.partial = (self.partial + data).split(b"\n")
        while len(self.partial) > LINE_MAX:
            lines.append(self.partial[:LINE_MAX])
            self.partial = self.partial[LINE_MAX:]
        for line in lines:
            mark = self.mark.search(line)
            if not mark:
                self.log.add(line)
            elif mark[2]:
                self.hungry = True
            elif self.status is None:
                self.status = int(mark[1])

    def end(self) -> None:
        """Nothing more comes: what has no newline is a line, too."""
        if self.partial:
            self.take(b"\n")


def frame(data: bytes) -> bytes:
    """A piece of standard input as init takes it; an empty one is its end."""
    return struct.pack("<H", len(data)) + data
