"""The program under test: its file on this host, its symbols, its source lines."""
import bisect
import os
import re
import shutil
import struct
import subprocess
import textwrap
from dataclasses import dataclass, field, replace

from launch.host import BUILD, WrongUse

TEXT_MAX = 64  # of a line of the program
RANGES_MAX = 16  # of the kernel, kernel/sched/explore.h; one is for where coroutines' turns begin
FOLDERS = ("user/bin", "user/demo", "user/test")
LIBRARY = re.compile(r"/user/ulib/|/labs/common/")  # of ours: not what the user has written


def find(name: str, added: list[str]) -> str:
    """The file of the host that is /bin/NAME in the guest."""
    base = os.path.basename(name)
    for item in added:
        path, _, place = item.partition(":")
        if os.path.basename(place or path) == base and os.path.isfile(path):
            return path
    for folder in FOLDERS:
        path = os.path.join(BUILD, folder, base)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise WrongUse(f"{name}: no such program in the guest (--add FILE brings one)")


def output(*command: str, text: str = "") -> str:
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, errors="replace").stdout
    except FileNotFoundError:
        raise WrongUse(f"{command[0]} is missing: install binutils") from None


@dataclass
class Place:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"

    def text(self) -> str:
        """The line itself, if the file is there."""
        try:
            with open(self.file, errors="replace") as f:
                return textwrap.shorten(f.read().split("\n")[self.line - 1], TEXT_MAX, placeholder=" ...")
        except (OSError, IndexError):
            return ""


@dataclass
class Program:
    path: str
    entry: int
    symbols: dict[str, int]
    ranges: list[tuple[int, int]]
    data: list[tuple[int, int, str]]  # (address, size, name), sorted
    places: dict[int, Place | None] = field(default_factory=dict)
    shows: str = ""  # files of the library that are the user's all the same: a pattern

    def begin(self) -> int:
        """Where runs begin, seen from the entry point: explore_begin(), main(), or there."""
        return self.symbols.get("explore_begin", self.symbols.get("main", self.entry)) - self.entry

    def whole(self) -> "Program":
        """The same from main() on, whatever it calls: orders of coroutines have no start to be left out."""
        symbols = {name: at for name, at in self.symbols.items() if not name.startswith("explore_")}
        return replace(self, symbols=symbols)

    def end(self) -> int | None:
        return self.symbols["explore_end"] - self.entry if "explore_end" in self.symbols else None

    def is_own(self, file: str) -> bool:
        return not LIBRARY.search(file) or bool(self.shows and re.search(self.shows, file))

    def look_up(self, addresses: set[int]) -> None:
        """Their places, for place()."""
        wanted = sorted(a for a in addresses if a not in self.places)
        lines = output("addr2line", "-e", self.path, text="".join(f"{a:#x}\n" for a in wanted)).split("\n")
        for address, line in zip(wanted, lines):
            match = re.match(r"(.+):(\d+)", line)
            own = match and match[1] != "??" and match[2] != "0" and self.is_own(match[1])
            self.places[address] = Place(match[1], int(match[2])) if own else None

    def place(self, address: int) -> Place | None:
        if address not in self.places:
            self.look_up({address})
        return self.places[address]

    def variable(self, address: int) -> str:
        """The name of the variable that has this address."""
        at = bisect.bisect_right(self.data, (address, 1 << 62, "")) - 1
        if at < 0 or address >= self.data[at][0] + max(self.data[at][1], 1):
            return ""
        offset = address - self.data[at][0]
        return self.data[at][2] + (f"+{offset}" if offset else "")


def _ranges(path: str) -> list[tuple[int, int]]:
    """Where code with line numbers is: from the first to the last address of each sequence."""
    found, first, last = [], None, 0
    for line in output("readelf", "--debug-dump=decodedline", path).split("\n"):
        match = re.match(r".*\s(\d+|-)\s+(0x[0-9a-f]+|0)(\s|$)", line)
        if match and match[1] == "-":
            if first is not None:
                found.append((first, int(match[2], 16)))
            first = None
        elif match:
            first = int(match[2], 16) if first is None else first
            last = int(match[2], 16)
        elif first is not None and line.startswith("CU: "):  # readelf that tells no ends
            found.append((first, last + 1))
            first = None
    if first is not None:
        found.append((first, last + 1))
    return sorted(r for r in found if r[0] < r[1] and r[0] > 0)


def read(path: str, shows: str = "") -> Program:
    with open(path, "rb") as f:
        head = f.read(64)
    if head[:5] != b"\177ELF\2":
        raise WrongUse(f"{path} is no program for x86-64: name the program itself, not a script")
    if not shutil.which("nm"):
        raise WrongUse("nm is missing: install binutils")
    symbols, data = {}, []
    for line in output("nm", "-S", path).split("\n"):
        words = line.split()
        if len(words) >= 3 and words[-2] in "TtWw":
            symbols.setdefault(words[-1], int(words[0], 16))
        elif len(words) == 4 and words[-2] in "BbDdVv":
            data.append((int(words[0], 16), int(words[1], 16), words[-1]))
    program = Program(path, struct.unpack_from("<Q", head, 24)[0], symbols, [], sorted(data), shows=shows)
    ranges = _ranges(path)
    program.look_up({r[0] for r in ranges})
    program.ranges = [r for r in ranges if program.places[r[0]]]
    while len(program.ranges) > RANGES_MAX - 1:  # the nearest two become one
        gaps = [b[0] - a[1] for a, b in zip(program.ranges, program.ranges[1:])]
        at = gaps.index(min(gaps))
        program.ranges[at:at + 2] = [(program.ranges[at][0], program.ranges[at + 1][1])]
    return program
