"""Files of others, read without trust; results, written whole or not at all."""
import codecs
import os
import stat
import tempfile
from pathlib import Path


class Unreadable(Exception):
    """Why a file cannot be taken, for half a line behind its name."""


def kind(mode: int) -> str:
    for test, word in ((stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a link"), (stat.S_ISFIFO, "a fifo"),
                       (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device")):
        if test(mode):
            return word
    return "a file"


def read_regular(path: str | Path, limit: int, links: bool = True) -> tuple[bytes, int]:
    """What is in a regular file, and its mode. Never waits, as opening a fifo would."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW))
    except (OSError, ValueError) as error:
        if not links and os.path.islink(path):
            raise Unreadable("it is a link") from None
        raise Unreadable(getattr(error, "strerror", None) or str(error)) from None
    try:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            raise Unreadable(f"it is {kind(mode)}")
        with os.fdopen(os.dup(fd), "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    finally:
        os.close(fd)
    if len(data) > limit:
        raise Unreadable(f"it is larger than {limit >> 10} KiB")
    return data, mode


def text_of(data: bytes) -> str:
    """However an editor has saved it, in China's own encoding, too; bytes that are no text stand as U+FFFD."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    return data.decode("utf-8-sig", errors="replace")


class Output:
    """A results file: all of it appears at once, at the end; until then a file of that name is the
    old one. Opened first, so that a wrong name costs nobody a grading. OSError."""

    def __init__(self, path: str) -> None:
        self.path, self.temporary = path, ""
        if os.path.exists(path) and not os.path.isfile(path):
            if os.path.isdir(path):
                raise IsADirectoryError(21, "it is a folder", path)
            return  # a device or a fifo is written as it is
        self.path = os.path.realpath(path)  # what a link leads to
        try:
            fd, self.temporary = tempfile.mkstemp(prefix=".results-", dir=os.path.dirname(self.path))
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(fd, 0o666 & ~mask)
        os.close(fd)

    def write(self, text: str) -> None:
        with open(self.temporary or self.path, "wb") as file:
            file.write(text.encode("utf-8", errors="replace"))
        if self.temporary:
            os.replace(self.temporary, self.path)
            self.temporary = ""

    def drop(self) -> None:
        if self.temporary:
            os.unlink(self.temporary)
            self.temporary = ""
