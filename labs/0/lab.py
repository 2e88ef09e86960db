"""Lab 0: the tour. What is declared here: tools/labs/manifest.py and own.py."""
from ktracelib.coroutines import text_of
from ktracelib.states import CR3_LOADED, Model
from manifest import Lab
from own import OwnTrace, Question, Right


def drawn(name: str, number: int, least: int, count: int) -> int:
    """What user/bin/tour.c draws for this name."""
    value = 0xcbf29ce484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    value ^= value >> 29
    return least + (value >> number * 12 & 0xfff) % count


def within(milliseconds: int, share: float = 0.05) -> tuple[int, int]:
    return round(milliseconds * (1 - share)), round(milliseconds * (1 + share))


def stall(model: Model):
    """The one of act 3: the longest."""
    return max(model.stalls, key=lambda found: found.end - found.start)


def process(model: Model) -> int:
    return stall(model).tid


def partner(model: Model) -> int:
    """The process's other thread."""
    return next(task.tid for task in model.tasks.values()
                if task.group == process(model) and task.tid != process(model))


def first_child(model: Model) -> int:
    return min(task.tid for task in model.tasks.values()
               if task.parent == process(model) and task.group == task.tid)


def switches(model: Model, prev: int, after: int) -> list[int]:
    """The flags of each."""
    return [r.flags for r in model.records if r.event == "SWITCH" and (r.tid, r.x) == (prev, after)]


def stalled_ms(model: Model) -> int:
    found = stall(model)
    return (found.end - found.start) // 1000000


def cr3(model: Model) -> Right:
    loaded = {bool(flags & CR3_LOADED) for flags in switches(model, process(model), partner(model))}
    return {(True,): "yes", (False,): "no"}[tuple(loaded)]


def woken_by(model: Model) -> Right:
    end = stall(model).end
    return min((wake for wake in model.wakes if wake.woken == process(model)),
               key=lambda wake: abs(wake.time - end)).waker


def whose(model: Model, name: str) -> str:
    signed = text_of(*sorted((r for r in model.records if r.event == "MARK"), key=lambda r: r.x))
    if not model.stalls or not signed:
        return "it is no trace of tour"
    if signed != name:
        return f"it is the trace of {signed}, and the name in the answers is {name}"
    low, high = within(drawn(name, 4, 10, 40) * 10)
    if not low <= stalled_ms(model) <= high:
        return "it has been changed"
    return ""


LAB = Lab(
    number=0, title="The tour",
    goal="Run it, trace it, look at each kind of switch: who holds the CPU, and who can only wait?",
    files=["labs/0/answers.txt", "labs/0/tour.ktr"],
    tests=[], questions=15,
    own=OwnTrace(
        "labs/0/tour.ktr", "tools/run --icount --trace labs/0/tour.ktr -- tour NAME", 15, whose, [
            Question("partner", 10, "the number of the second thread of act 2",
                     "step 3: two threads have the same process in the report", partner),
            Question("balls", 10, "how often the CPU went straight from tour to its child in act 1",
                     "step 4: count the lines of tools/ktrace text that say so",
                     lambda model: len(switches(model, process(model), first_child(model)))),
            Question("cr3", 10, "whether the switches of act 2 loaded CR3: yes or no",
                     "step 4: compare the switch lines of act 1 and act 2", cr3),
            Question("culprit", 10, "the coroutine that blocked its thread",
                     "step 5: it is the one that is not hatched", lambda model: stall(model).culprit.name),
            Question("call", 5, "the system call in which it did", "step 5: select its span",
                     lambda model: stall(model).call.removesuffix("()")),
            Question("victims", 10, "how many coroutines were stalled meanwhile",
                     "step 5: count the hatched lanes", lambda model: len(
                         {victim.number for victim, _, _ in stall(model).victims})),
            Question("stalled_ms", 10, "for how many milliseconds",
                     "step 5: the sentence on a hatched span has it", lambda model: within(stalled_ms(model))),
            Question("woken_by", 5, "the number of the thread whose write ended the wait",
                     "step 5: select the thread's own span; follow the arrow", woken_by),
        ]),
)
