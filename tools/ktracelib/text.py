"""The events as text, one a line."""
from typing import Iterator

from . import format as fmt
from .coroutines import OUTS, text_of
from .states import CR3_LOADED, WHYS, Model


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def describe(model: Model, r: fmt.Record) -> str:
    """What the event says, without time, CPU and name."""
    if r.event == "SWITCH":
        return (f"to {model.task(r.x).label()}: {WHYS.get(r.flags & 3)}"
                + (", CR3 loaded" if r.flags & CR3_LOADED else ""))
    if r.event == "WAKE":
        return f"{model.task(r.x).label()} from {model.reason(r.a)}"
    if r.event == "BLOCK":
        return f"{model.reason(r.x)} 0x{r.a:x}"
    if r.event == "CLONE":
        return f"{r.x}, flags 0x{r.a:x}"
    if r.event == "SYSCALL":
        return f"{model.syscall(r.x)}(0x{r.a:x})"
    if r.event == "SYSRET":
        return f"{model.syscall(r.x)} = {signed(r.a)}"
    if r.event == "FAULT":
        return f"0x{r.a:x}, error 0x{r.x:x}"
    if r.event == "NOMEM":
        return f"asked for at 0x{r.a:x}"
    if r.event == "SIGNAL":
        return f"{r.x} to {r.a}"
    if r.event in ("IRQ_IN", "IRQ_OUT"):
        return f"vector 0x{r.x:x}"
    if r.event in ("NAME", "MARK", "CO_NAME"):
        return f"{r.x} {text_of(r)!r}"
    if r.event.startswith("CO_"):
        co = model.coroutines.get((r.tid, r.x))
        more = {"CO_OUT": OUTS.get(r.flags, ""), "CO_PARK": text_of(r), "CO_ON": str(r.a),
                "CO_DUE": f"at {r.a}", "CO_READY": f"by {r.a}", "CO_SPAWN": f"by {r.a}"}.get(r.event, "")
        return f"{co.label() if co else r.x} {more}".rstrip()
    return f"{r.x} 0x{r.a:x}"


def lines(trace: fmt.Trace) -> Iterator[str]:
    model = Model(trace)
    for r in model.records:
        cpu = "  -" if r.cpu < 0 else f"{r.cpu:3}"
        yield (f"{(r.time - model.start) / 1000:14.3f} us {cpu} {model.task(r.tid).label():20} "
               f"{r.event.lower():10} {describe(model, r)}")
