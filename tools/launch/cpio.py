"""Archives of files as the kernel reads them at its start: cpio, in the format newc."""
import os
from typing import BinaryIO

MAGIC = b"070701"


class Cpio:
    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.number = self.size = 0

    def _write(self, data: bytes) -> None:
        self.out.write(data)
        self.size += len(data)

    def _header(self, name: str, mode: int, size: int, mtime: int, rdev: tuple[int, int]) -> None:
        self.number += 1
        encoded = os.fsencode(name) + b"\0"
        fields = [self.number, mode, 0, 0, 1, mtime, size, 0, 0, *rdev, len(encoded), 0]
        self._write(MAGIC + b"".join(b"%08X" % f for f in fields) + encoded)
        self._write(b"\0" * (-self.size % 4))

    def add(self, name: str, mode: int, content: bytes = b"", rdev: tuple[int, int] = (0, 0)) -> None:
        self._header(name, mode, len(content), 0, rdev)
        self._write(content + b"\0" * (-len(content) % 4))

    def add_file(self, name: str, mode: int, file: BinaryIO, size: int, mtime: int) -> bool:
        """`size` bytes of it; false: it has fewer."""
        self._header(name, mode, size, mtime, (0, 0))
        while size > 0:
            piece = file.read(min(size, 1 << 20))
            if not piece:
                return False
            self._write(piece)
            size -= len(piece)
        self._write(b"\0" * (-self.size % 4))
        return True

    def finish(self) -> None:
        self.number = -1
        self.add("TRAILER!!!", 0)
