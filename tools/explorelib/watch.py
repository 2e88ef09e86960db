"""Which instructions read or write a variable that has a name and a fixed address."""
import re
import subprocess
from dataclasses import dataclass

from explorelib.program import Program

WATCHES_MAX = 256  # kernel/sched/explore.h
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+((?:lock |rep |notrack )*)([a-z0-9]+)\s*(.*)$")
RELATIVE = re.compile(r"-?0x[0-9a-f]+\(%rip\)")
ABSOLUTE = re.compile(r"(?<![$(,%\w-])0x([0-9a-f]+)$")
SIZES = {"b": 1, "w": 2, "l": 4, "q": 8}
NO_ACCESS = re.compile(r"lea|call|jmp|nop|prefetch|j[a-z]+$")
ONLY_READ = re.compile(r"cmp(?!xchg)|test|push|bt$|ucomis|comis")
WIDENING = re.compile(r"mov[sz]([bw])[wlq]|movs(l)q")


@dataclass
class Watch:
    at: int
    address: int
    size: int
    reads: bool
    writes: bool


def _register_size(name: str) -> int:
    """Of %rax, %eax, %ax, %al and so on; 0: another kind of register."""
    if re.fullmatch(r"r([a-z]+|\d+)", name):
        return 8
    if re.fullmatch(r"e[a-z]+|r\d+d", name):
        return 4
    if re.fullmatch(r"[a-z]{2}l|[a-d][lh]|r\d+b", name):
        return 1
    return 2 if re.fullmatch(r"[a-ds][xip]|[bs]p|r\d+w", name) else 0


def _size(name: str, operands: list[str], memory: int) -> int:
    widening = WIDENING.fullmatch(name)
    if widening:
        return SIZES[widening[1] or widening[2]]
    for i, operand in enumerate(operands):
        if i != memory and operand.startswith("%"):
            return _register_size(operand[1:])
    return SIZES.get(name[-1], 0)


def _watch(line: str) -> Watch | None:
    """Of a line of objdump's (AT&T syntax: the last operand is written to)."""
    match = INSTRUCTION.match(line)
    if not match or NO_ACCESS.match(match[3]):
        return None
    text, _, comment = match[4].partition("#")
    operands = [part.strip() for part in re.split(r",(?![^(]*\))", text)] if text.strip() else []
    for i, operand in enumerate(operands):
        if RELATIVE.fullmatch(operand) and comment:
            address = int(comment.split()[0], 16)
        elif ABSOLUTE.fullmatch(operand):
            address = int(operand, 16)
        else:
            continue
        size = _size(match[3], operands, i)
        last = i == len(operands) - 1
        writes = (last and not ONLY_READ.match(match[3])) or match[3].startswith(("xchg", "xadd"))
        reads = not writes or not match[3].startswith(("mov", "set"))
        return Watch(int(match[1], 16), address, size, reads, writes) if size else None
    return None


def find(program: Program) -> dict[int, Watch]:
    """By the instruction's address: of the program's own lines."""
    candidates: list[Watch] = []
    for low, high in program.ranges:
        try:
            text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--start-address={low}",
                                   f"--stop-address={high}", program.path], capture_output=True, text=True,
                                  errors="replace").stdout
        except FileNotFoundError:
            return {}
        for line in text.split("\n"):
            watch = _watch(line)
            if watch and program.variable(watch.address):
                candidates.append(watch)
    program.look_up({watch.at for watch in candidates})
    return {watch.at: watch for watch in [w for w in candidates if program.place(w.at)][:WATCHES_MAX]}


def option(program: Program, watches: dict[int, Watch]) -> list[str]:
    """What user/explore is told."""
    words = [f"{w.at - program.entry}:{w.address - program.entry}:{w.size}" for _, w in sorted(watches.items())]
    return ["--watch", ",".join(words)] if words else []
