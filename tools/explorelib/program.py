"""The program under test: its file on this host, its symbols, its source lines."""
import bisect
import os
import re
import shutil
import struct
import subprocess
import textwrap
from dataclasses import dataclass, field, replace

from launch import archive
from launch.host import BUILD, WrongUse

TEXT_MAX = 64  # of a line of the program
RANGES_MAX = 16  # of the kernel, kernel/sched/explore.h; one is for where coroutines' turns begin
FOLDERS = ("user/bin", "user/demo", "user/test")
LIBRARY = re.compile(r"/user/ulib/|/labs/common/|^/usr/(include|lib|share|src)/|^/rustc/|^/build/|/\.\./include/c\+\+/")


def find(name: str, added: list[str]) -> str:
    """The file of the host that is /bin/NAME in the guest."""
    base = os.path.basename(name)
    brought = {}
    for item in added:
        path, place = archive.split(item)
        if not os.path.exists(path):
            raise WrongUse(f"--add {item}: No such file or directory")
        brought[place if place and not place.endswith("/") else (place or "/bin/") + os.path.basename(path)] = path
    if name not in (base, f"/bin/{base}", *brought):
        raise WrongUse(f"{name}: no such program in the guest; COMMAND is its name there, perhaps {base}")
    for place, path in brought.items():
        if os.path.basename(place) == base and os.path.isfile(path):
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
    rows: list[tuple[int, str]] = field(default_factory=list)  # from this address on: this file, or none; sorted
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
        """Their places, for place(): of what is inlined there the innermost that is the program's own."""
        wanted = [a for a in addresses if a not in self.places]
        self.places |= dict.fromkeys(wanted)
        address, innermost = 0, False
        text = output("addr2line", "-a", "-i", "-e", self.path, text="".join(f"{a:#x}\n" for a in wanted))
        for line in text.split("\n"):
            match = re.match(r"(.+):(\d+)", line)
            if re.fullmatch("0x[0-9a-f]+", line):
                address, innermost = int(line, 16), True
                continue
            if match and match[1] != "??" and match[2] != "0" and self.is_own(match[1]) \
                    and not (innermost and self._is_misnamed(address, match[1])):
                self.places[address] = self.places[address] or Place(match[1], int(match[2]))
            innermost = False

    def _is_misnamed(self, address: int, file: str) -> bool:
        """addr2line of binutils 2.40 names the wrong file for some functions of C++ headers; readelf does not."""
        at = bisect.bisect_right(self.rows, (address, "\U0010ffff")) - 1
        known = {name for start, name in self.rows[max(at - 9, 0):at + 1] if start == self.rows[at][0] and name}
        return bool(known) and os.path.basename(file) not in known

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


def _sequences(program: Program) -> list[list[tuple[int, bool]]]:
    """Code with lines, in one piece each: (address, is it of one of the program's files?), the last one behind it."""
    found: list[list[tuple[int, bool]]] = [[]]
    own = False
    for line in output("readelf", "-W", "--debug-dump=decodedline", program.path).split("\n"):
        row = re.match(r"(.*\S)\s+(\d+|-)\s+(0x[0-9a-f]+|0)(\s|$)", line)
        file = re.fullmatch(r"(?:CU: )?(.+):(?:\[\+\+\])?", line)
        if row:
            over = row[2] == "-"
            program.rows.append((int(row[3], 16), "" if over else os.path.basename(row[1])))
            found[-1].append((int(row[3], 16), own and not over))
            if over:
                found.append([])
        elif file:
            own = program.is_own(file[1])
            if found[-1] and line.startswith("CU: "):  # readelf that tells no ends
                found[-1].append((found[-1][-1][0] + 1, False))
                found.append([])
    if found[-1]:
        found[-1].append((found[-1][-1][0] + 1, False))
    program.rows.sort()
    return found


def _ranges(program: Program) -> list[tuple[int, int]]:
    """Where lines of the program's own are, with what is inlined in them."""
    found = []
    sequences = [rows for rows in _sequences(program) if any(own for _, own in rows)]
    program.look_up({at for rows in sequences for at, own in rows if not own})
    for rows in sequences:
        first = None
        for at, own in [*((at, own or program.places[at]) for at, own in rows[:-1]), rows[-1]]:
            if own and first is None:
                first = at
            elif not own and first is not None:
                found.append((first, at))
                first = None
    return sorted(r for r in found if r[0] < r[1] and r[0] > 0)


def _few(ranges: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Not more than `most`: split where the gaps are largest."""
    if len(ranges) <= most:
        return ranges
    gaps = sorted(range(1, len(ranges)), key=lambda i: ranges[i][0] - ranges[i - 1][1])
    edges = [0, *sorted(gaps[1 - most:]), len(ranges)]
    return [(ranges[a][0], ranges[b - 1][1]) for a, b in zip(edges, edges[1:])]


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
    names = output("c++filt", text="".join(f"{name}\n" for *_, name in data)).split("\n")
    data = [(at, size, name) for (at, size, _), name in zip(data, names)]
    program = Program(path, struct.unpack_from("<Q", head, 24)[0], symbols, [], sorted(data), shows=shows)
    program.ranges = _few(_ranges(program), RANGES_MAX - 1)
    return program
