"""What comes out of a file or of a guest is checked here before anything is made of it.

A trace may be handed in by anybody, and the names in it are whatever a program has called itself: a
wrong file is refused in one line, and text is such that no terminal, page or picture obeys it.
"""
import json
import os
import re
import stat
from typing import BinaryIO

RECORDS_MAX = 3 << 20  # of a whole trace: more than all rings of 16 CPUs have
HEADER_MAX, RINGS_MAX, CPUS_MAX, TEXT_MAX, TEXTS_MAX = 1 << 20, 4096, 1024, 256, 4096
COMMAND_MAX = 1000
KINDS = (1, 2, 3)
U32, U64 = 1 << 32, 1 << 64
MULT_MAX = 1 << 40  # of the clock: a TSC of 4 MHz; with it, times are numbers of 63 bits


class TraceError(Exception):
    """What is wrong with the input, and what to do; for one line on stderr."""


def regular_file(path: str) -> BinaryIO:
    """Open it to be read; a device or a fifo might never end."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise TraceError(f"{path}: no regular file")
        return open(path, "rb")
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # a NUL in its name
        raise TraceError(f"{path!r}: {error}") from None


def printable(text: str) -> str:
    """Control characters, those that turn the writing round, and what is no text, as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() if c != "\\" else c
                   for c in text)


def number(value: object, limit: int, what: str) -> int:
    if type(value) is not int or not 0 <= value < limit:  # also no bool, float or NaN
        raise TraceError(f"damaged: {what} is no number below {limit}")
    return value


def _text(value: object, what: str, most: int = TEXT_MAX) -> str:
    if type(value) is not str or len(value) > most:
        raise TraceError(f"damaged: {what} has something that is no short text")
    return printable(value)


def _names(value: object, what: str) -> dict[int, str]:
    if type(value) is not dict or len(value) > TEXTS_MAX or \
            not all(re.fullmatch(r"[0-9]{1,9}", key) for key in value):
        raise TraceError(f"damaged: {what} are no names by number")
    return {int(key): _text(name, what) for key, name in value.items()}


def _ring(value: object) -> tuple[int, int, int, int, int]:
    if type(value) is not list or len(value) != 5:
        raise TraceError("damaged: a ring is not five numbers")
    kind, owner, group, lost, count = value
    if kind not in KINDS:
        raise TraceError("damaged: a ring of an unknown kind")
    return (number(kind, 4, "a ring's kind"), number(owner, U32, "a ring's owner"),
            number(group, U32, "a ring's process"), number(lost, U64, "what a ring lost"),
            number(count, RECORDS_MAX + 1, "a ring's size"))


def _clock(value: object) -> int:
    return number(value, MULT_MAX, "the clock's factor")


def numbers(flags: object, cpus: object, base: object, mult: object, refused: object) -> dict:
    """The header's, checked."""
    return {"flags": number(flags, U32, "flags"), "cpus": number(cpus, CPUS_MAX + 1, "the number of CPUs"),
            "tsc_base": number(base, U64, "the clock's start"), "tsc_mult": _clock(mult),
            "refused": number(refused, U32, "what was refused")}


def check_sum(counts: list[int]) -> None:
    if len(counts) > RINGS_MAX or sum(counts) > RECORDS_MAX:
        raise TraceError(f"more than {RINGS_MAX} rings or {RECORDS_MAX} events; trace_records= makes it fewer")


def check_apart(pieces: list[tuple[int, int]], end: int) -> None:
    """Rings (start, size) lie in what there is, and none over another: what they hold is bounded."""
    at = 0
    for start, size in sorted(pieces):
        if start < at or start + size > end:
            raise TraceError("damaged: rings lie over one another, or outside")
        at = start + size


def ktr_header(text: bytes) -> tuple[dict, list[tuple[int, int, int, int, int]]]:
    """The JSON of a .ktr file, with what was made of the rings apart."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise TraceError("damaged: its header is no JSON") from None
    known = {"flags", "cpus", "tsc_base", "tsc_mult", "reasons", "events", "syscalls", "rings"}
    if type(header) is not dict or not known <= header.keys():
        raise TraceError("damaged: its header lacks something")
    if type(header["reasons"]) is not list or len(header["reasons"]) > TEXTS_MAX or \
            type(header["rings"]) is not list:
        raise TraceError("damaged: its header has no lists where they belong")
    rings = [_ring(ring) for ring in header["rings"]]
    check_sum([count for *_, count in rings])
    checked = numbers(header["flags"], header["cpus"], header["tsc_base"], header["tsc_mult"],
                      header.get("refused", 0))
    checked |= {"reasons": [_text(reason, "a reason") for reason in header["reasons"]],
                "events": _names(header["events"], "the events"),
                "syscalls": _names(header["syscalls"], "the system calls"),
                "command": _text(header.get("command", ""), "the command", COMMAND_MAX)}
    return checked, rings
