"""What two listings of one session with gdb may differ in: addresses, lines and amounts, which other
code changes, and what another compiler or gdb does in its own way: what it inlines."""
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FRAME = re.compile(r"(?m)^(?:#\d+ +)?(?:0x\w+ in )?(\S+) \(.*\) at (\S+?)(?::\d+)?\n")
MASKS = (
    (r"\bblock\w*~", "blocking"),  # a table cuts names where other columns are wide
    (r"(?m)^(\d+\t|0x\w+ in \?\?).*\n", ""),
    (r"(?m)^#\d+ +(0x\w+ in )?", "# "),
    (r"(?m)^(Breakpoint \d+ at \w+): .*", r"\1"),  # a function may begin with what is inlined there
    (r"(?m)^(Breakpoint \d+, \S+) \(.*\) at \S+", r"\1"),
    (r"0x[0-9a-f]{5,}|\b[0-9a-f]{12,16}\b", "ADDRESS"),
    (r"\[ *\d+\]  ", "[N] "),
    (r"\b\d+\.\d+ (m?s|us)\b", "TIME"),
    (r"[+-]\d+\.\d+ ms", "TIME"),
    (r"\b\w[\w.]*\+\d+\b", "PLACE"),
    (r"\b\d+ (pages|page|present|references|switches|MiB|events)\b", r"N \1"),
    (r"(page|present,?) \d+", r"\1 N"),
    (r"(?m)^( *TIME +\d+ .* switch +to .*), CR3 loaded$", r"\1"),  # who slept last had it: amounts decide
    (r"\b\d{2,}\b", "N"),
    (r"(\$\d+ = |, '\\000' <repeats N times>)", ""),
    (r" *[ \t]+", " "),
)


@functools.cache
def statics() -> set[str]:
    return {name for folder in ("kernel", "user") for path in (ROOT / folder).rglob("*.[ch]")
            for name in re.findall(r"(?m)^static\b[^;{}(]*\b(\w+)\(", path.read_text())}


def frame(match: re.Match) -> str:
    """A static function may be inlined, or copied for one caller, and its frame comes and goes, or is
    shown in the file of what is inlined there. So does that of a function whose last act is a call."""
    return "" if match[1] in statics() or re.match("sys_|kernel_thread_main$", match[1]) else f"# {match[1]} () at {match[2]}\n"


def masked(text: str) -> str:
    text = re.sub(r"\n    (?=(?:\S.*)?\bat \S+:\d+\n)", " ", text)  # gdb breaks a frame's line at a terminal
    text = FRAME.sub(frame, text)
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"
