"""Stretches of time in one state, which follow each other in a lane, and how long they are."""
import bisect
from dataclasses import dataclass
from typing import Iterator


@dataclass(slots=True)
class Span:
    start: int
    end: int
    state: str
    detail: str = ""  # the system call, or the reason of waiting
    call: str = ""  # the system call in which a thread is blocked, ready or interrupted


class Overlaps:
    """Spans that follow each other, asked for the pieces that lie in an interval."""

    def __init__(self, spans: list) -> None:
        self.spans, self.starts = spans, [span.start for span in spans]

    def within(self, start: int, end: int) -> Iterator[tuple[int, int, Span]]:
        at = max(0, bisect.bisect_right(self.starts, start) - 1)
        while at < len(self.spans) and self.spans[at].start < end:
            span = self.spans[at]
            if span.end > start:
                yield max(start, span.start), min(end, span.end), span
            at += 1


def merge(spans: Iterator[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if last and last.end == span.start and (last.state, last.detail, last.call) == (
                span.state, span.detail, span.call):
            last.end = span.end
        else:
            merged.append(span)
    return merged


def duration(ns: float, micro: str = "us") -> str:
    """As a person says it: three digits and a unit. `micro`: for terminals without a Greek letter."""
    for unit, size in (("s", 1e9), ("ms", 1e6), (micro, 1e3)):
        if ns >= size * 0.9995:
            return f"{ns / size:.3g} {unit}" if ns < size * 999.5 else f"{ns / size:.0f} {unit}"
    return f"{ns:.0f} ns"
