"""The trace as the kernel or the coroutine library left it, and as a .ktr file.

Readers of live machines (gdb) give pull() their own way to read physical memory. The kernel's
rings are trusted as far as their sequence numbers go; a user ring may hold anything.
"""
from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import struct
import zlib
from typing import BinaryIO, Callable, Iterable, Iterator, NamedTuple

from . import untrusted
from .untrusted import TraceError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KERNEL_BASE = 0xffffffff80000000
MAGIC, KTR_MAGIC = b"KTRACE01", b"BATONKTR"
RECORD = struct.Struct("<QIHBBIIQ")
HEADER = struct.Struct("<8sIIIIQQIII")
RING = struct.Struct("<QQQIIII")
KIND_CPU, KIND_NAMES, KIND_USER = 1, 2, 3
STOP_WHEN_FULL, ON_HOST = 2, 4  # flags of the header
FIRST_USER_EVENT = 48
TIME_MAX, PHYSICAL_MAX = (1 << 63) - 1, 1 << 52

Read = Callable[[int, int], bytes]


class Record(NamedTuple):
    time: int  # ns since the clock's 0
    cpu: int  # -1: a user ring does not say
    tid: int
    event: str
    flags: int
    x: int
    a: int


class Records:
    """Those of a ring, in order, as tuples of RECORD; kept as they came, which takes an eighth."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @classmethod
    def of(cls, records: Iterable[tuple]) -> Records:
        return cls(b"".join(RECORD.pack(*record) for record in records))

    def __len__(self) -> int:
        return len(self.data) // RECORD.size

    def __iter__(self) -> Iterator[tuple]:
        return RECORD.iter_unpack(self.data)

    def __getitem__(self, at: int) -> tuple:
        return RECORD.unpack_from(self.data, (at % len(self)) * RECORD.size)


class Ring(NamedTuple):
    kind: int
    owner: int  # the CPU, or the thread of a user ring
    group: int  # that thread's process
    lost: int
    records: Records


class Trace:
    """Everything in a trace: `header` is what is not records, and goes into a .ktr as JSON."""

    def __init__(self, header: dict, rings: list[Ring]) -> None:
        self.header, self.rings = header, rings
        self.on_host = bool(header["flags"] & ON_HOST)
        self.cpus: int = header["cpus"]
        self.syscalls = {int(number): name for number, name in header["syscalls"].items()}
        self.reasons: list[str] = header["reasons"]
        self.command: str = header.get("command", "")  # what made it, "": not known

    def lost(self) -> int:
        return sum(ring.lost for ring in self.rings)

    def told_lost(self) -> str:
        told = ""
        if self.lost():
            told = f"; {self.lost()} " + ("later ones had no room"
                                          if self.header["flags"] & STOP_WHEN_FULL
                                          else "older ones were overwritten")
        if self.header.get("refused"):
            told += "; more threads had coroutines than there are rings: those of some are missing"
        return told

    @functools.cached_property
    def records(self) -> list[Record]:
        """All of them by time; those of one ring keep their order."""
        names = {int(number): name for number, name in self.header["events"].items()}
        base, mult = self.header["tsc_base"], self.header["tsc_mult"]
        found = []
        for ring in self.rings:
            user = ring.kind == KIND_USER
            if ring.lost and ring.records:
                tsc = ring.records[-1 if self.header["flags"] & STOP_WHEN_FULL else 0][0]
                found.append((tsc, Record((tsc - base) * mult >> 32, -1 if user else ring.owner,
                                          ring.owner if user else 0, "LOST", 0, 0, ring.lost)))
            for tsc, tid, event, cpu, flags, x, _, a in ring.records:
                name = names.get(event)
                if name and _may_say(user, ring.owner, event, name, cpu, self.cpus):
                    found.append((tsc, Record((tsc - base) * mult >> 32, -1 if user else cpu,
                                              ring.owner if user else tid, name, flags, x, a)))
        found.sort(key=lambda pair: pair[0])
        last = TIME_MAX
        if not self.on_host:  # a program may write any time into its ring
            last = min(last, max((r.time for _, r in found if r.cpu >= 0), default=0))
        return [r for _, r in found if 0 <= r.time <= last]


def _may_say(user: bool, owner: int, event: int, name: str, cpu: int, cpus: int) -> bool:
    """A user ring tells of its thread's coroutines, a kernel's of what a CPU does."""
    if user:
        return owner > 0 and event >= FIRST_USER_EVENT and (name == "MARK" or name.startswith("CO_"))
    return cpu < cpus and not name.startswith("CO_")


@functools.cache
def list_of(macro: str) -> dict[int, tuple[str, ...]]:
    """The entries of one of the X-macros in kernel/trace/events.h, by number."""
    with open(os.path.join(ROOT, "kernel/trace/events.h")) as f:
        text = f.read()
    entry = re.compile(macro + r'\((\d+), (\w+)(?:, "([^"]*)", "([^"]*)")?\)')
    return {int(m[1]): tuple(m.groups("")[1:]) for m in entry.finditer(text)}


def lower_names(macro: str) -> dict[int, str]:
    return {number: entry[0].lower() for number, entry in list_of(macro).items()}


def syscall_names() -> dict[int, str]:
    with open(os.path.join(ROOT, "kernel/syscall/calls.h")) as f:
        return {int(n): name for n, name in re.findall(r"^    SYSCALL\((\d+), (\w+),", f.read(), re.M)}


class Elf:
    """Symbols and initialised data of a 64-bit little-endian ELF file, as far as needed here."""

    def __init__(self, path: str) -> None:
        try:
            with untrusted.regular_file(path) as f:
                self.data = f.read()
        except TraceError as error:
            raise TraceError(f"{error}; `make all` builds it") from None
        try:
            offset, size, count = (struct.unpack_from("<Q", self.data, 0x28)[0],
                                   *struct.unpack_from("<HH", self.data, 0x3a))
            self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size)
                             for i in range(count)]
            self.symbols = self._symbols()
        except (struct.error, IndexError, ValueError, OverflowError):
            raise TraceError(f"{path}: no kernel: it is no whole ELF file") from None

    def _symbols(self) -> dict[str, int]:
        found = {}
        for section in self.sections:
            if section[1] != 2:  # SHT_SYMTAB
                continue
            strings = self.sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], 24):
                name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
                end = self.data.index(b"\0", strings + name)
                found[self.data[strings + name:end].decode()] = value
        return found

    def symbol(self, name: str) -> int:
        if name not in self.symbols:
            raise TraceError(f"the kernel has no symbol {name}: is it Baton's, and the one that ran?")
        return self.symbols[name]

    def read(self, address: int, size: int) -> bytes:
        for section in self.sections:
            if section[1] == 1 and section[3] <= address < section[3] + section[5]:
                at = section[4] + address - section[3]
                return self.data[at:at + size]
        return b""

    def strings(self, symbol: str) -> list[str]:
        """An array of pointers to strings, up to the first that is none."""
        found, at = [], self.symbol(symbol)
        while True:
            pointer = int.from_bytes(self.read(at, 8), "little")
            text = self.read(pointer, 64).split(b"\0")[0] if pointer >= KERNEL_BASE else b""
            if not text or not all(32 <= c < 127 for c in text):
                return found
            found.append(text.decode())
            at += 8


def _ring_records(data: bytes, capacity: int, head: int, trusted: bool,
                  overwrites: bool) -> Records:
    """The records of a ring in order: those with the right sequence number, up to the newest."""
    found = [(record[6], slot) for slot, record in enumerate(RECORD.iter_unpack(data))
             if record[6] and (record[6] - 1) % capacity == slot]
    newest = (head if trusted or not found else max(found)[0]) & 0xffffffff
    # Ages count from the newest, 0. In a full ring the oldest slot may be half overwritten.
    aged = sorted((((newest - seq) & 0xffffffff, slot) for seq, slot in found), reverse=True)
    return Records(b"".join(data[slot * RECORD.size:(slot + 1) * RECORD.size]
                            for age, slot in aged if age < capacity - overwrites))


def _read_rings(read: Read, at: int, end: int, header: tuple) -> list[Ring]:
    _, header_size, ring_size, record_size, count, *_ = header
    if record_size != RECORD.size or ring_size < RING.size or count > 4096:
        raise TraceError("the trace's header has sizes that this tools/ktrace does not know")
    said = [RING.unpack(read(at + header_size + i * ring_size, RING.size)) for i in range(count)]
    said = [ring for ring in said if ring[4] in untrusted.KINDS and ring[3]]
    untrusted.check_sum([ring[3] for ring in said])
    untrusted.check_apart([(ring[0], ring[3] * RECORD.size) for ring in said], end)
    rings = []
    for records, head, lost, capacity, kind, owner, group in said:
        found = _ring_records(read(records, capacity * RECORD.size), capacity, head,
                              kind != KIND_USER, not header[7] & STOP_WHEN_FULL)
        if kind != KIND_USER:
            lost += max(0, head - capacity) if kind == KIND_CPU else 0
        elif found:
            lost = found[0][6] - 1
        rings.append(Ring(kind, owner, group, lost, found))
    return rings


def _trace(read: Read, at: int, end: int, reasons: list[str]) -> Trace:
    """The header is at `at`; no ring is behind `end`."""
    header = HEADER.unpack(read(at, HEADER.size))
    numbers = untrusted.numbers(header[7], header[8], header[5], header[6], header[9])
    rings = _read_rings(read, at, end, header)
    return Trace(numbers | {"reasons": reasons,
                            "events": {number: entry[0] for number, entry in list_of("EVENT").items()},
                            "syscalls": syscall_names()}, rings)


def pull(read: Read, kernel: str) -> Trace:
    """The trace of a guest. read(address, size) reads its physical memory."""
    elf = Elf(kernel)
    at = elf.symbol("ktrace_header") - KERNEL_BASE
    if read(at, 8) != MAGIC:
        raise TraceError("no trace header in this memory: another kernel ran, or none had started")
    trace = _trace(read, at, PHYSICAL_MAX, elf.strings("wait_reason_names"))
    if not any(ring.records for ring in trace.rings):
        raise TraceError("the trace is empty: was the kernel started with trace=on?")
    return trace


def low_memory(size: int) -> int:
    """How much of `size` bytes QEMU's pc machine puts below the hole under 4 GiB."""
    return size if size < 0xe0000000 else 0xc0000000


def _core_segments(file: BinaryIO) -> list[tuple[int, int, int]]:
    """(physical address, size, offset in the file) of an ELF core's pieces; none: it is no core."""
    head = file.read(64)
    if len(head) < 64 or head[:4] != b"\x7fELF":
        return []
    at, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    try:
        file.seek(at)
        headers = [struct.unpack_from("<IIQQQQ", file.read(size)) for _ in range(count)]
    except (ValueError, OverflowError, OSError, struct.error):
        raise TraceError(f"{file.name}: cut short or damaged: its program headers") from None
    return [(physical, length, offset) for kind, _, offset, _, physical, length in headers if kind == 1]


@contextlib.contextmanager
def memory_reader(path: str) -> Iterator[Read]:
    """Guest memory: a core, or QEMU's file, in which what is above the hole lies behind the rest."""
    with untrusted.regular_file(path) as file:
        yield _reader_of(file)


def _reader_of(file: BinaryIO) -> Read:
    size = os.fstat(file.fileno()).st_size
    low = low_memory(size)
    segments = _core_segments(file)

    def read_core(address: int, count: int) -> bytes:
        for physical, length, offset in segments:
            if physical <= address < physical + length:
                return at(offset + address - physical, min(count, physical + length - address), count)
        return bytes(count)

    def at(offset: int, count: int, padded: int) -> bytes:
        """Zeroes where there is nothing."""
        if not 0 <= offset < size:
            return bytes(padded)
        file.seek(offset)
        return file.read(count).ljust(padded, b"\0")

    def read(address: int, count: int) -> bytes:
        return at(address if address < low else address - (1 << 32) + low, count, count)
    return read_core if segments else read


def save(trace: Trace, path: str) -> None:
    head = dict(trace.header, rings=[[r.kind, r.owner, r.group, r.lost, len(r.records)]
                                     for r in trace.rings])
    text = json.dumps(head, sort_keys=True).encode()
    body = b"".join(ring.records.data for ring in trace.rings)
    with open(path, "wb") as f:
        f.write(KTR_MAGIC + struct.pack("<I", len(text)) + text + zlib.compress(body, 6))


def _load_ktr(file: BinaryIO, size: int) -> Trace:
    length, = struct.unpack("<I", file.read(4))
    if length > min(untrusted.HEADER_MAX, size):
        raise TraceError("damaged: its header is longer than the file, or than any")
    header, rings = untrusted.ktr_header(file.read(length))
    total = sum(count for *_, count in rings) * RECORD.size
    body = zlib.decompressobj().decompress(file.read(2 * total + 1024), total + 1)  # no more, whatever it is
    if len(body) != total:
        raise TraceError("cut short or damaged: its events are not those that the header tells of")
    found, at = [], 0
    for kind, owner, group, lost, count in rings:
        found.append(Ring(kind, owner, group, lost, Records(body[at:at + count * RECORD.size])))
        at += count * RECORD.size
    return Trace(header, found)


def _load_host(file: BinaryIO, size: int) -> Trace:
    def read(at: int, count: int) -> bytes:
        if at >= size:
            return bytes(count)
        file.seek(at)
        return file.read(count).ljust(count, b"\0")
    return _trace(read, 0, size, [])


def load(path: str) -> Trace:
    """A .ktr file, or the file that CO_TRACE named in a run on Linux."""
    try:
        with untrusted.regular_file(path) as file:
            magic, size = file.read(8), os.fstat(file.fileno()).st_size
            if magic in (KTR_MAGIC, MAGIC):
                return _load_ktr(file, size) if magic == KTR_MAGIC else _load_host(file, size)
    except TraceError as error:
        raise TraceError(str(error) if str(error).startswith(path) else f"{path}: {error}") from None
    except (OSError, struct.error, zlib.error) as error:
        raise TraceError(f"{path}: cut short or damaged ({error})") from None
    raise TraceError(f"{path}: neither a .ktr file nor one that CO_TRACE wrote")
