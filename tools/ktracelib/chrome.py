"""The JSON of chrome://tracing, which Perfetto and Speedscope read, too.

Names of asynchronous tracks are not shown there, so each coroutine is a thread with a number that
no thread has; CPUs are threads of a process 0. Spans of one track follow each other.
"""
import json

from . import format as fmt
from .lanes import Lane, lanes
from .states import Model

FIRST_COROUTINE = 1_000_000


def _track(lane: Lane, process: int) -> tuple[int, int]:
    if lane.kind == "cpu":
        return 0, lane.number
    return process, lane.tid if lane.kind == "thread" else FIRST_COROUTINE + lane.number


def _name(pid: int, tid: int, kind: str, name: str) -> dict:
    return {"ph": "M", "pid": pid, "tid": tid, "name": kind, "args": {"name": name}}


def chrome(trace: fmt.Trace) -> str:
    model = Model(trace)
    events: list[dict] = [_name(0, 0, "process_name", "CPUs")]
    process = 0
    for order, lane in enumerate(lanes(model)):
        if lane.kind == "process":
            process = lane.tid
            events.append(_name(process, process, "process_name", lane.label))
            continue
        pid, tid = _track(lane, process)
        events.append(_name(pid, tid, "thread_name", lane.label))
        events.append({"ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index",
                       "args": {"sort_index": order}})
        for s in lane.spans:
            events.append({"ph": "X", "pid": pid, "tid": tid, "name": s.state,
                           "cat": lane.kind, "ts": (s.start - model.start) / 1000,
                           "dur": (s.end - s.start) / 1000,
                           "args": {"call": s.call, "detail": s.detail}})
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns"},
                      separators=(",", ":")) + "\n"
