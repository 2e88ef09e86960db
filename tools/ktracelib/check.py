"""An expression compares aggregates over events or over states:

  count(switch(prev=7, next=8)) >= 10        events, by name and fields
  max(stall(co="ticker")) < 5ms              times in a state
  total(blocked(name="wc", reason="pipe read")) > 1ms and count(exit()) == 3

Aggregates: count, total, min, max (of durations; 0 for none), first, last (when, from the start).
States: run, ready, blocked, irq, loop_stall (blocked elsewhere, but otherwise polls) of threads (tid,
name, process, reason, call); running, stall,
parked, preempted, in_syscall, co_ready of coroutines (co, tid, reason, call); for stall also `by`,
the culprit. Events: those that `tools/ktrace text` shows, with tid, name (of that thread), cpu, x,
a, flags, and prev, next, why, woken, reason, child, number, call, result, address, co where they
have them. Numbers may have a unit: ns, us, ms, s. Also + - * /, and, or, not, parentheses, lost.
"""
import ast
import operator
import re
from typing import Callable, NamedTuple

from . import format as fmt
from .spans import duration
from .coroutines import OUTS
from .states import WHYS, Model
from .text import signed

UNITS = {"ns": 1, "us": 1000, "ms": 1000_000, "s": 1000_000_000}
NUMBER = re.compile(r"""("[^"]*"|'[^']*')|\b(\d+(?:\.\d+)?)(ns|us|ms|s)\b""")  # but in no text
OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}
THREAD_STATES = {"run": ("run-user", "run-kernel", "irq"), "ready": ("ready",),
                 "blocked": ("blocked",), "irq": ("irq",)}
CO_STATES = {"running": ("run", "in-syscall"), "stall": ("stalled",), "parked": ("parked",),
             "preempted": ("preempted",), "in_syscall": ("in-syscall",), "co_ready": ("ready",)}


class BadExpression(Exception):
    pass


class Item(NamedTuple):
    """An event, or a stretch of time in a state."""
    start: int
    length: int
    fields: dict[str, object]


def _event_fields(model: Model, r: fmt.Record) -> dict[str, object]:
    fields = {"tid": r.tid, "name": model.task(r.tid).name, "cpu": r.cpu, "x": r.x, "a": r.a,
              "flags": r.flags}
    if r.event == "SWITCH":
        fields.update(prev=r.tid, next=r.x, why=WHYS.get(r.flags & 3))
    elif r.event == "WAKE":
        fields.update(woken=r.x, reason=model.reason(r.a))
    elif r.event == "BLOCK":
        fields.update(reason=model.reason(r.x), object=r.a)
    elif r.event == "CLONE":
        fields.update(child=r.x)
    elif r.event in ("SYSCALL", "SYSRET"):
        fields.update(number=r.x, call=model.syscall(r.x), result=signed(r.a))
    elif r.event == "FAULT":
        fields.update(address=r.a)
    elif r.event == "MARK":
        fields.update(number=r.x)
    elif r.event.startswith("CO_"):
        co = model.coroutines[r.tid, r.x]
        fields.update(co=co.label(), why=OUTS.get(r.flags) if r.event == "CO_OUT" else None)
    return fields


def _thread_items(model: Model, states: tuple[str, ...]) -> list[Item]:
    return [Item(s.start - model.start, s.end - s.start,
                 {"tid": task.tid, "name": task.name, "process": task.group,
                  "reason": s.detail, "call": s.call})
            for task in model.tasks.values() for s in task.spans if s.state in states]


def _stalls(model: Model) -> list[Item]:
    return [Item(start - model.start, end - start,
                 {"co": victim.label(), "tid": stall.tid, "by": stall.culprit.label(),
                  "reason": stall.reason, "call": stall.call.removesuffix("()")})
            for stall in model.stalls for victim, start, end in stall.victims]


def _loop_stalls(model: Model) -> list[Item]:
    return [Item(max(0, stall.start - model.start), stall.end - stall.start,
                 {"tid": stall.task.tid, "name": stall.task.name, "process": stall.task.group,
                  "reason": stall.reason, "call": stall.call}) for stall in model.loop_stalls]


def _co_items(model: Model, states: tuple[str, ...]) -> list[Item]:
    return [Item(s.start - model.start, s.end - s.start,
                 {"co": co.label(), "tid": co.tid, "reason": s.detail, "call": s.call})
            for co in model.coroutines.values() for s in co.spans if s.state in states]


class Checker:
    def __init__(self, trace: fmt.Trace) -> None:
        self.model = Model(trace)
        self.seen: list[str] = []  # values on the way, to be shown when it fails
        self.event_names = {name.lower() for name in trace.header["events"].values()}

    def items(self, name: str) -> list[Item]:
        model = self.model
        if name == "stall":
            return _stalls(model)
        if name == "loop_stall":
            return _loop_stalls(model)
        if name in THREAD_STATES:
            return _thread_items(model, THREAD_STATES[name])
        if name in CO_STATES:
            return _co_items(model, CO_STATES[name])
        if name in self.event_names:
            return [Item(r.time - model.start, 0, _event_fields(model, r))
                    for r in model.records if r.event == name.upper()]
        known = sorted({"stall", "loop_stall", *THREAD_STATES, *CO_STATES, *self.event_names})
        raise BadExpression(f"no event or state `{name}`; there are {', '.join(known)}")

    def select(self, node: ast.expr) -> list[Item]:
        if isinstance(node, ast.Name):
            node = ast.Call(node, [], [])
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)) or node.args:
            raise BadExpression(f"{ast.unparse(node)}: an event or a state, as in stall(co=\"ticker\")")
        found = self.items(node.func.id)
        for wanted in node.keywords:
            value = self.value(wanted.value)
            if found and not any(wanted.arg in item.fields for item in found):
                raise BadExpression(f"{node.func.id} has no `{wanted.arg}`; "
                                    f"it has {', '.join(found[0].fields)}")
            found = [item for item in found if item.fields.get(wanted.arg) == value]
        return found

    def aggregate(self, node: ast.Call) -> float:
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if len(node.args) != 1 or node.keywords:
            raise BadExpression(f"{name}() takes one event or state")
        items = self.select(node.args[0])
        lengths = [item.length for item in items]
        results: dict[str, Callable[[], float]] = {
            "count": lambda: len(items), "total": lambda: sum(lengths), "sum": lambda: sum(lengths),
            "min": lambda: min(lengths, default=0), "max": lambda: max(lengths, default=0),
            "first": lambda: min((item.start for item in items), default=-1),
            "last": lambda: max((item.start for item in items), default=-1),
        }
        if name not in results:
            raise BadExpression(f"no aggregate `{name}`; there are {', '.join(results)}")
        value = results[name]()
        shown = str(value) if name == "count" else duration(value)
        self.seen.append(f"{ast.unparse(node)} is {shown}")
        return value

    def value(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id == "lost":
            return self.model.trace.lost()
        if isinstance(node, ast.Call):
            return self.aggregate(node)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            sides = self.value(node.left), self.value(node.right)
            if not all(isinstance(side, (int, float)) for side in sides):
                raise BadExpression(f"{ast.unparse(node)}: only numbers can be reckoned with")
            return OPERATORS[type(node.op)](*sides)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            value = self.value(node.operand)
            return not value if isinstance(node.op, ast.Not) else -value
        if isinstance(node, ast.BoolOp):
            values = [self.value(part) for part in node.values]
            return all(values) if isinstance(node.op, ast.And) else any(values)
        if isinstance(node, ast.Compare):
            sides = [self.value(side) for side in (node.left, *node.comparators)]
            return all(OPERATORS[type(op)](a, b) for op, a, b in zip(node.ops, sides, sides[1:]))
        raise BadExpression(f"{ast.unparse(node)}: not understood; see tools/ktrace check --help")

    def holds(self, expression: str) -> bool:
        self.seen = []
        shown = expression if len(expression) < 200 else expression[:200] + "..."
        try:
            text = NUMBER.sub(lambda m: m[1] or str(int(float(m[2]) * UNITS[m[3]])), expression)
            result = self.value(ast.parse(text.strip(), mode="eval").body)
        except SyntaxError as error:
            raise BadExpression(f"{shown}: {error.msg}") from None
        except (TypeError, KeyError, ValueError, ArithmeticError) as error:
            raise BadExpression(f"{shown}: {error}") from None
        except (RecursionError, MemoryError):
            raise BadExpression(f"{shown}: it is nested too deeply") from None
        if not isinstance(result, bool):
            raise BadExpression(f"{shown}: compare it with something, as in `... < 5ms`")
        return result


def check(trace: fmt.Trace, expressions: list[str]) -> int:
    checker = Checker(trace)
    results = [(checker.holds(expression), checker.seen, expression) for expression in expressions]
    print(f"KTAP version 1\n1..{len(results)}")
    for number, (good, seen, expression) in enumerate(results, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {expression}")
        for line in [] if good else seen:
            print(f"# {line}")
    return 0 if all(good for good, _, _ in results) else 1
