"""Files that are no traces, or not any more: tools/ktrace refuses each in one line, or shows what is
in it; it never fails in another way, and needs no more time and memory than the file is worth.

The files come from valid ones and a seed; `tests/hostile.py SEED` runs those of one seed by hand.
"""
import io
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import traceback
import zlib
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Callable
from xml.etree import ElementTree

import trace_samples
from driver import ROOT, call, check, test
from ktracelib import chrome, core, format as fmt, html, perfetto, report, svg, text
from ktracelib.states import Model

KTRACE = str(ROOT / "tools/ktrace")
MEMORY = 1 << 30  # of address space: a tenth of what overlapping rings could take
SHOWN = ("report", "text", "svg", "html", "perfetto", "chrome")
EXPRESSION = "count(switch()) + max(stall()) + total(blocked()) + count(co_in()) >= 0"
ODD = (None, True, -1, 0, 1, 2, 255, 1 << 31, 1 << 32, 1 << 63, 1 << 64, -(1 << 64), 10 ** 400, 0.5, 1e308,
       float("nan"), float("inf"), "", "x", "\ud800", "<!--<script>", "\x1b[2J\0", "9" * 5000, [], [[]], {}, {"": 0},
       [None], {"-1": 1}, {"1": None}, [1] * 5000, {str(i): "SWITCH" for i in range(5000)})
EVENT_NUMBERS = sorted(trace_samples.EVENTS.values())


def host_file(rings: list[tuple[int, int, list[tuple]]], **header: int) -> bytearray:
    """As the library writes it: (tid, process, records)."""
    capacity = 64
    said = {"header_size": 64, "ring_size": 64, "record_size": 32, "count": len(rings), "base": 0,
            "mult": 1 << 32, "flags": 5, "cpus": 0, "refused": 0} | header
    data = bytearray(fmt.HEADER.pack(fmt.MAGIC, *said.values()).ljust(64, b"\0"))
    start = 64 + 64 * len(rings)
    for i, (tid, group, _) in enumerate(rings):
        data += fmt.RING.pack(start + i * capacity * 32, 0, 0, capacity, fmt.KIND_USER, tid, group).ljust(64, b"\0")
    for _, _, records in rings:
        data += b"".join(fmt.RECORD.pack(*record) for record in records[:capacity]).ljust(capacity * 32, b"\0")
    return data


def of_host() -> bytearray:
    return host_file([(ring.owner, ring.group, list(ring.records)) for ring in trace_samples.on_host().rings] * 2)


def ktr(trace: fmt.Trace) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        fmt.save(trace, file.name)
        return Path(file.name).read_bytes()


def parts(data: bytes) -> tuple[dict, bytearray]:
    size, = struct.unpack_from("<I", data, 8)
    return json.loads(data[12:12 + size]), bytearray(zlib.decompress(data[12 + size:]))


def joined(header: object, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return fmt.KTR_MAGIC + struct.pack("<I", len(text)) + text + zlib.compress(bytes(body), 1)


def flip(rng: random.Random, data: bytearray, times: int) -> bytes:
    for _ in range(times if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def wild_records(rng: random.Random, count: int) -> bytes:
    """Any event by anyone at any place: the right form, and no sense."""
    now, out = rng.choice((0, 1 << 40)), []
    for i in range(count):
        now = max(0, now + rng.choice((0, 1, 1000, 10**6, 10**9, -5)))
        words = (0, 1, 2, 3, 7, 8, 1 << 31, rng.getrandbits(32))
        out.append(fmt.RECORD.pack(now if rng.random() < .98 else rng.getrandbits(64), rng.choice(words[:6]),
                                   rng.choice(EVENT_NUMBERS), rng.choice((0, 1, 2, 255)), rng.choice((0, 1, 2, 8, 128)),
                                   rng.choice(words), i + 1, rng.choice((*words, 1 << 63, rng.getrandbits(64)))))
    return b"".join(out)


def odd_header(rng: random.Random) -> bytes:
    header, body = parts(ktr(trace_samples.blocking()))
    key = rng.choice(list(header))
    place = rng.randrange(4)
    if place == 0:
        header[key] = rng.choice(ODD)
    elif place == 1:
        del header[key]
    elif place == 2:
        ring = rng.choice(header["rings"])
        ring[rng.randrange(5)] = rng.choice(ODD)
    else:
        names = header[rng.choice(("events", "syscalls"))]
        names[rng.choice(list(names))] = rng.choice((*ODD, "SWITCH", "CO_IN", "CO_OUT", "WAKE", "TASK"))
    return joined(header, body)


def odd_text(rng: random.Random) -> bytes:
    deep = rng.choice((100, 10**5))
    return joined(rng.choice((b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * deep, b'{"a":' * deep, b"1" * 9999,
                              b"NaN", b'{"rings": Infinity}', b" " * 10**6)), b"")


def odd_length(rng: random.Random) -> bytes:
    data = bytearray(ktr(trace_samples.on_host()))
    struct.pack_into("<I", data, 8, rng.choice((0, 1, 11, len(data), 1 << 20, (1 << 32) - 1, rng.getrandbits(32))))
    return bytes(data)


def odd_body(rng: random.Random) -> bytes:
    header, body = parts(ktr(rng.choice((trace_samples.blocking, trace_samples.aware))()))
    if rng.random() < .5:
        return joined(header, flip(rng, body, rng.randrange(1, 60)))
    return joined(header, rng.choice((body[:-1], body + b"\0", b"", body * 2)))


def wild(rng: random.Random) -> bytes:
    header, _ = parts(ktr(trace_samples.blocking()))
    sizes = [rng.randrange(200) for _ in range(rng.randrange(1, 5))]
    header["rings"] = [[rng.choice((1, 2, 3)), rng.choice((0, 1, 7)), rng.choice((0, 7)), rng.choice((0, 5)), size]
                       for size in sizes]
    header["flags"] = rng.choice((0, 1, 2, 4, 7))
    header["cpus"], header["tsc_base"] = rng.choice((0, 1, 2, 1024)), rng.choice((0, 10**6, (1 << 64) - 1))
    return joined(header, b"".join(wild_records(rng, size) for size in sizes))


def wild_host(rng: random.Random) -> bytes:
    rings = [(rng.choice((0, 1, 7)), rng.choice((0, 7)), list(fmt.RECORD.iter_unpack(wild_records(rng, 64))))
             for _ in range(rng.randrange(1, 4))]
    return bytes(host_file(rings))


def odd_host(rng: random.Random) -> bytes:
    data, number = of_host(), rng.choice((0, 1, 2, 64, 8192, 1 << 31, (1 << 32) - 1, rng.getrandbits(32)))
    if rng.random() < .5:  # a number of the header or of a ring
        struct.pack_into("<I", data, 8 + 4 * rng.randrange(46), number)
    else:
        struct.pack_into("<Q", data, 64 + 64 * rng.randrange(2), rng.choice((0, 64, 1 << 62, (1 << 64) - 1, number)))
    return bytes(data)


def any_bytes(rng: random.Random) -> bytes:
    return rng.choice((b"", fmt.KTR_MAGIC, fmt.MAGIC, b"\x7fELF")) + rng.randbytes(rng.randrange(300))


def cut(rng: random.Random) -> bytes:
    data = rng.choice((ktr(trace_samples.blocking()), bytes(of_host())))
    return data[:rng.randrange(len(data))]


def flipped(rng: random.Random) -> bytes:
    return flip(rng, bytearray(rng.choice((ktr(trace_samples.blocking()), bytes(of_host())))), rng.randrange(1, 20))


KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    odd_header, odd_text, odd_length, odd_body, wild, wild_host, odd_host, any_bytes, cut, flipped)


def odd_memory(rng: random.Random, path: Path) -> None:
    """Guest memory, or a core, with something where the kernel has its header."""
    at = fmt.Elf(str(ROOT / "build/baton.elf")).symbol("ktrace_header") - fmt.KERNEL_BASE
    memory = bytearray(at + (64 << 10))
    memory[at:at + (4 << 10)] = odd_host(rng)[:4 << 10].ljust(4 << 10, b"\0")
    if rng.random() < .5:
        count = rng.choice((0, 1, 3, 65535))
        head = bytearray(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 62, 1, 0, rng.choice((64, 0, 1 << 63)), 0,
                                     0, 64, rng.choice((56, 0, 1, 65535)), count, 0, 0, 0))
        for _ in range(3):
            head += struct.pack("<IIQQQQQQ", 1, 7, rng.choice((0, 4096, 1 << 63)), 0, rng.choice((0, at, 1 << 52)),
                                rng.choice((0, len(memory), (1 << 64) - 1)), 0, 0)
        memory[:0] = head.ljust(4096, b"\0")
    path.write_bytes(memory)


def run_inside(ktrace: object, argv: list[str]) -> str:
    """What is wrong with how tools/ktrace ended, or ""."""
    out, errors = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(errors):
            status = ktrace.main(argv)
    except BaseException:
        return traceback.format_exc()
    if status == 2 and errors.getvalue().count("\n") == 1 and errors.getvalue().startswith("tools/ktrace: "):
        return ""
    return "" if status in (0, 1) and not errors.getvalue() else f"status {status}: {errors.getvalue()}"


def run_seeds(seeds: range) -> int:
    """In a process of its own: a number of files, and all that can be made of each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    ktrace = ModuleType("ktrace")
    ktrace.__file__ = KTRACE
    SourceFileLoader("ktrace", KTRACE).exec_module(ktrace)
    sys.setrecursionlimit(1000)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "t.ktr"
        for seed in seeds:
            rng = random.Random(seed)
            if seed % 20 == 0:
                odd_memory(rng, path)
                commands = [["pull", str(path), "--kernel", str(ROOT / "build/baton.elf"), "-o", f"{name}/out"]]
            else:
                path.write_bytes(KINDS[seed % len(KINDS)](rng))
                commands = [[command, str(path), *(["-o", f"{name}/out"] if command not in SHOWN[:2] else [])]
                            for command in SHOWN] + [["check", str(path), EXPRESSION]]
            for command in commands:
                wrong = run_inside(ktrace, command)
                if wrong:
                    print(f"tests/hostile.py {seed}: {command[0]}\n{wrong}")
                    return 1
    return 0


@test
def hostile_traces_are_refused_or_shown() -> str:
    first = random.randrange(1 << 30)
    result = call([sys.executable, "-B", str(ROOT / "tests/hostile.py"), str(first), "200"])
    check(result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:])
    return f"seeds {first} to {first + 199}"


def limited(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run([KTRACE, *command], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))


def refused(command: list[str], said: str) -> None:
    result = limited(*command)
    check(result.returncode == 2 and said in result.stderr and result.stderr.count("\n") == 1,
          f"{command}: {result.returncode} {result.stderr[-1000:]}")


@test
def what_is_no_file_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.mkfifo(f"{name}/fifo")
        Path(name, "empty").write_bytes(b"")
        os.symlink("loop", f"{name}/loop")
        for path in (f"{name}/fifo", name, "/dev/zero", "/dev/tty", f"{name}/empty", f"{name}/none", f"{name}/loop",
                     f"{name}/" + "x" * 300):
            for command in ("report", "html", "check", "pull"):
                refused([command, path, *(["count(exit()) == 0"] if command == "check" else [])],
                        "no trace header" if command == "pull" and path.endswith("empty") else path[:20])
        good = f"{name}/t.ktr"
        fmt.save(trace_samples.blocking(), good)
        refused(["svg", good, "-o", f"{name}/none/x"], "No such file")
        refused(["pull", good, "--kernel", good], "no whole ELF file")
        refused(["svg", good, "-o", "/dev/full"], "No space left")
        for expression in ("(" * 5000 + "1" + ")" * 5000, "not " * 5000 + "1", "'x' * 9999999999 == 1",
                           "1e999s > 1", "9" * 5000 + " > 1", "count(exit()) > 1" + "0" * 400 + "ms"):
            result = limited("check", good, expression)
            check(result.returncode in (1, 2) and "Traceback" not in result.stderr, result.stderr[-500:])
        check(limited("check", good, "count(exit()) == 2 and count(run(name='5ms')) == 0").returncode == 0,
              "what is in quotes is no time")


HOSTILE = ("<!--<script>", "\"&<'>\\n", "\x1b[31mred\x01\x02", "]]>", "</script><img", "\u202eturned", "größe: 字字字字", "")


@test
def names_are_shown_and_obeyed_nowhere() -> None:
    """Whatever tasks, coroutines and marks are called: for pages, pictures, JSON, and a terminal."""
    sample = trace_samples.Sample()
    sample.event(0, "START", 1)
    for tid, name in enumerate(HOSTILE, 7):
        sample.event(tid, "TASK", tid)
        for event, add in (("NAME", sample.event), ("CO_NAME", sample.co)):
            for at in range(0, len(name.encode()), 8):
                piece = int.from_bytes(name.encode()[at:at + 8], "little")
                add(tid, event, *((at, piece) if event == "NAME" else (1, piece, at)))
        sample.event(0, "SWITCH", tid)
        sample.co(tid, "CO_SPAWN", 1)
        sample.co(tid, "CO_IN", 1)
        sample.co(tid, "MARK", 1, int.from_bytes(name.encode()[:8], "little"))
        sample.co(tid, "CO_PARK", 1, int.from_bytes(name.encode()[:8], "little"))
        sample.now += 10 * trace_samples.MS
        sample.co(tid, "CO_OUT", 1, 0, trace_samples.CO_PARK)
        sample.event(tid, "SWITCH", 0)
        sample.now += 10 * trace_samples.MS
    sample.event(0, "WAKE", 7, 1)
    trace = sample.trace()
    model = Model(trace)
    check(model.tasks[13].name == model.coroutines[13, 1].name == HOSTILE[6], "letters cut in two are whole")
    for outcome in (report.report(trace), "\n".join(text.lines(trace)), svg.svg(trace), chrome.chrome(trace),
                    html.html(trace)):
        odd = {c for c in outcome if not c.isprintable()} - {"\n"}
        check(not odd, f"{odd!r} in {outcome[:60]!r}")
    check(set(HOSTILE[:2]) <= {t.text for t in ElementTree.fromstring(svg.svg(trace)).findall(".//{*}text")}, "the picture")
    json.loads(chrome.chrome(trace))
    page = html.html(trace)
    data = page[page.index("const DATA = "):page.index("'use strict'")]
    check("<" not in data and json.loads(data[13:].strip().rstrip(";"))["lanes"], "the page's data")
    check(all(name.encode() in perfetto.perfetto(trace) for name in HOSTILE[:2]), "perfetto")


@test
def memory_is_that_of_what_is_in_a_file() -> None:
    """Rings over the same records, a small file that unpacks to much, and stalls times victims."""
    with tempfile.TemporaryDirectory() as name:
        path = f"{name}/t"
        records = 1 << 18
        data = bytearray(fmt.HEADER.pack(fmt.MAGIC, 64, 64, 32, 256, 0, 1 << 32, 5, 0, 0).ljust(64, b"\0"))
        for i in range(256):
            data += fmt.RING.pack(32768, 0, 0, records, fmt.KIND_USER, i + 1, i + 1).ljust(64, b"\0")
        Path(path).write_bytes(data.ljust(32768, b"\0") + b"".join(
            fmt.RECORD.pack(i, 1, 48, 0, 0, 1, i + 1, 1) for i in range(records)))
        refused(["report", path], "more than")
        struct.pack_into("<I", data, 20, 8)
        Path(path).write_bytes(data.ljust(32768, b"\0") + bytes(records * 32))
        refused(["report", path], "over one another")
        header, _ = parts(ktr(trace_samples.blocking()))
        header["rings"] = [[1, 0, 0, 0, 3 << 20]]
        Path(path).write_bytes(joined(header, bytes((3 << 20) * 32)))
        refused(["report", path], "no event in it")
        header["rings"] = [[1, 0, 0, 0, (3 << 20) + 1]]
        Path(path).write_bytes(joined(header, b""))
        refused(["report", path], "")
        sample = trace_samples.Sample(on_host=True, cpus=0)
        for number in range(2, 3000):
            sample.co(7, "CO_SPAWN", number)
        for i in range(2000):
            sample.co(7, "CO_IN", 1, 1)
            sample.now += 10 * trace_samples.MS
            sample.co(7, "CO_OUT", 1, 2, trace_samples.CO_PARK)
            sample.now += 10 * trace_samples.MS
        fmt.save(sample.trace(), path)
        refused(["report", path], "trace a shorter time")


@test
def a_core_of_spoiled_page_tables_has_an_end() -> None:
    """Every entry of every table leads to the same table, or to a page outside."""
    for entry in (0x1003, 0xfffffffff003, 0xd0000003, 0x2000):
        table = struct.pack("<Q", entry) * 512
        memory = {0x1000: table}
        pages = list(core._kernel_stacks(lambda at, size: memory.get(at & ~4095, bytes(4096))[at & 4095:][:size], 0x1000))
        check(len(pages) <= core.TABLES_MAX * 512, f"{len(pages)} pages")
        check(not any(core._is_memory(physical, 1 << 28) for _, physical in pages if physical >= 1 << 28), "outside")


def main() -> int:
    first = int(sys.argv[1])
    return run_seeds(range(first, first + int(sys.argv[2] if len(sys.argv) > 2 else 1)))


if __name__ == "__main__":
    sys.exit(main())
