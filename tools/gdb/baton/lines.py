"""Lines that fit the terminal: gdb's `width`, cut with a `~` and never wrapped; tables.

Chinese letters take two columns and accents none. Where gdb's width is unlimited, as it is without
a terminal or after `set width 0`, nothing is cut.
"""
import unicodedata
from typing import Iterable, Sequence

import gdb

KEPT = 10  # columns that a table leaves to each of its own


def width() -> int:
    return int(gdb.parameter("width") or 0) or 1 << 20


def columns(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def cut(text: str, room: int) -> str:
    if columns(text) <= room:
        return text
    while text and columns(text) >= room:
        text = text[:-1]
    return text + "~" * (room > 0)


def pad(text: str, room: int) -> str:
    """Cut, or with blanks behind it; in front of it where `room` is negative."""
    text = cut(text, abs(room))
    blanks = " " * (abs(room) - columns(text))
    return blanks + text if room < 0 else text + blanks


def show(text: str = "") -> None:
    """Print lines."""
    print("\n".join(cut(line.rstrip(), width()) for line in text.split("\n")))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as what is in them; `>` in front of a heading moves them to the right. If all
    together are too wide, the widest are cut first, so that a quarter of the line is left for the last."""
    rows = list(rows)
    right = [name.startswith(">") for name in head]
    lines = [[name.lstrip(">") for name in head], *rows]
    wide = [max(columns(line[i]) for line in lines) for i in range(len(head))]
    least = [max(columns(name), KEPT) for name in lines[0][:-1]]
    while sum(wide[:-1]) + len(wide) - 1 + min(wide[-1], width() // 4) > width():
        spare, i = max((wide[i] - least[i], i) for i in range(len(least)))
        if spare <= 0:
            break
        wide[i] -= 1
    for line in lines:
        show(" ".join([pad(text, -size if to_right else size)
                       for text, size, to_right in zip(line, wide, right)][:-1] + [line[-1]]))
