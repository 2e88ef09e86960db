"""The timeline page: one file that holds the data, the style and the program (ktracelib/page/)."""
import json
import os

from . import format as fmt
from .coroutines import text_of
from .lanes import RANK, Lane, lanes
from .spans import duration
from .states import Model

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
SCRIPTS = ("model.js", "explain.js", "draw.js", "input.js", "main.js")


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
    return f"{len(model.records)} events in {duration(model.end - model.start)} on {where}" + \
        model.trace.told_lost()


def data(trace: fmt.Trace) -> dict:
    """What the page is given; ktracelib/page/model.js reads it."""
    model = Model(trace)
    rows, states, strings = lanes(model), Numbered(), Numbered("")
    index = {(row.kind, row.tid, row.number): i for i, row in enumerate(rows)}

    def flat(row: Lane) -> list[int]:
        return [number for s in row.spans for number in (
            s.start - model.start, s.end - s.start, states.of(s.state), strings.of(s.detail),
            strings.of(s.call))]

    def of_co(co: object) -> int:
        return index["co", co.tid, co.number]

    stalls = [{"lane": of_co(stall.culprit), "call": stall.call, "start": stall.start - model.start,
               "end": stall.end - model.start,
               "victims": [[of_co(victim), start - model.start, end - model.start]
                           for victim, start, end in stall.victims]} for stall in model.stalls]
    wakes = [[wake.time - model.start, index.get(("thread", wake.waker, 0), -1),
              index.get(("thread", wake.woken, 0), -1)] for wake in model.wakes]
    marks = [[r.time - model.start, index.get(("thread", r.tid, 0), -1), f"{r.x} {text_of(r)}"]
             for r in model.records if r.event == "MARK"]
    names = [row.label.split(": ")[-1] for row in rows if row.kind == "process"]
    return {"title": ", ".join(names[-3:]) or "trace", "about": _about(model),
            "length": max(1, model.end - model.start), "stalls": stalls, "wakes": wakes,
            "marks": marks,
            "lanes": [{"kind": row.kind, "label": row.label, "tid": row.tid, "number": row.number,
                       "spans": flat(row)} for row in rows],
            "rank": RANK, "states": states.texts, "strings": strings.texts}


def _read(name: str) -> str:
    with open(os.path.join(PAGE, name)) as f:
        return f.read()


def html(trace: fmt.Trace) -> str:
    # After "<!--" and "<script" a parser no longer sees where the script ends: no "<" is in it.
    text = json.dumps(data(trace), separators=(",", ":")).replace("<", "\\u003c")
    script = "\n".join(_read(name) for name in SCRIPTS)
    return (_read("index.html").replace("/*STYLE*/", _read("style.css"))
            .replace("/*SCRIPT*/", script).replace("/*DATA*/null", text))
