"""The timeline page: one file that holds the data, the style and the program (ktracelib/page/)."""
import json
import os

from . import format as fmt
from .coroutines import Coroutine, text_of
from .lanes import RANK, Lane, lanes
from .spans import duration
from .states import Model

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
SCRIPTS = ("model.js", "units.js", "states.js", "fold.js", "explain.js", "look.js", "draw.js", "overlay.js",
           "range.js", "panel.js", "input.js", "keys.js", "main.js")
LENGTH_MIN = 100  # ns: a page of one event has an axis, too


class Numbered:
    """Texts by number, so that each is in the file once."""

    def __init__(self, *first: str) -> None:
        self.texts = list(first)
        self.numbers = {text: i for i, text in enumerate(first)}

    def of(self, text: str) -> int:
        if text not in self.numbers:
            self.numbers[text] = len(self.texts)
            self.texts.append(text)
        return self.numbers[text]


def _about(model: Model) -> str:
    where = "a Linux host" if model.trace.on_host else \
        f"{model.trace.cpus} CPU" + "s" * (model.trace.cpus > 1)
    events = f"{len(model.records)} event" + "s" * (len(model.records) != 1)
    return f"{events} in {duration(model.end - model.start, 'µs')} on {where}" + model.trace.told_lost()


Index = dict[tuple[str, int, int], int]  # of a lane, by kind, thread and number


def _stalls(model: Model, index: Index) -> list[dict]:
    """Those of which something is in the window; an event loop's is without victims that one could name."""
    def at(time: int) -> int:
        return max(0, time - model.start)

    def lane(co: Coroutine) -> int:
        return index["co", co.tid, co.number]

    found = []
    for stall in model.stalls:
        victims = [[lane(co), at(start), at(end)] for co, start, end in stall.victims if end > model.start]
        if victims:
            found.append({"lane": lane(stall.culprit), "call": stall.call, "start": at(stall.start),
                          "end": at(stall.end), "victims": victims})
    return found + [{"lane": index["thread", stall.task.tid, 0], "call": f"{stall.call}()", "victims": [],
                     "start": at(stall.start), "end": at(stall.end)}
                    for stall in model.loop_stalls if stall.end > model.start]


def data(trace: fmt.Trace) -> dict:
    """What the page is given; ktracelib/page/model.js reads it."""
    model = Model(trace)
    rows, states, strings = lanes(model), Numbered(), Numbered("")
    index: Index = {(row.kind, row.tid, row.number): i for i, row in enumerate(rows)}

    def flat(row: Lane) -> list[int]:
        return [number for s in row.spans for number in (
            s.start - model.start, s.end - s.start, states.of(s.state), strings.of(s.detail),
            strings.of(s.call))]

    def thread(tid: int) -> int:
        return index.get(("thread", tid, 0), -1)

    names = [row.label.split(": ")[-1] for row in rows if row.kind == "process"]
    return {"title": ", ".join(names[-3:]) or "trace", "events": len(model.records), "about": _about(model), "command": trace.command,
            "length": max(LENGTH_MIN, model.end - model.start), "stalls": _stalls(model, index),
            "wakes": [[wake.time - model.start, thread(wake.waker), thread(wake.woken)] for wake in model.wakes],
            "marks": [[r.time - model.start, thread(r.tid), f"{r.x} {text_of(r)}"]
                      for r in model.records if r.event == "MARK"],
            "lanes": [{"kind": row.kind, "label": row.label, "tid": row.tid, "number": row.number,
                       "spans": flat(row)} for row in rows],
            "rank": RANK, "states": states.texts, "strings": strings.texts}


def _read(name: str) -> str:
    with open(os.path.join(PAGE, name), encoding="utf-8") as f:
        return f.read()


def html(trace: fmt.Trace) -> str:
    # After "<!--" and "<script" a parser no longer sees where the script ends: no "<" is in it.
    text = json.dumps(data(trace), separators=(",", ":")).replace("<", "\\u003c")
    script = "\n".join(_read(name) for name in SCRIPTS)
    return (_read("index.html").replace("/*STYLE*/", _read("style.css"))
            .replace("/*SCRIPT*/", script).replace("/*DATA*/null", text))
