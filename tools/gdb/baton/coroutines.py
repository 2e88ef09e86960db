"""Coroutines of a process: `info coros`, `coro`.

The library links every struct co into co_registry. All is read through the page tables of the
process, so it need not be the one that runs; its symbols are loaded first.
"""
from typing import Iterator

import gdb

from . import memory, programs, tasks, unwind
from .command import Usage, command, number
from .lines import show, table

STACKED = ("r15", "r14", "r13", "r12", "rbx", "rbp", "rip")  # above the control words, switch.asm
READY, PARKED, ENDED = 1, 2, 3  # enum loop_state
RUNNING, NORMAL, DEAD = 1, 2, 3  # enum co_state


def user_value(mm: gdb.Value, address: int, name: str) -> gdb.Value:
    """A copy of an object in user memory."""
    kind = gdb.lookup_type(name)
    return gdb.Value(memory.read_user(mm, address, kind.sizeof), kind)


def registry(task: gdb.Value) -> gdb.Value:
    programs.load_for(task)
    if int(task["mm"]) == 0 or not gdb.lookup_global_symbol("co_registry"):
        if programs.has_program(task) and programs.loaded is None:
            raise gdb.GdbError(f"{tasks.label(task)}: its program has no symbols here: none in build/user is it")
        raise gdb.GdbError(f"{tasks.label(task)} has no coroutines: its program lacks the library")
    found = user_value(task["mm"], memory.address_of("co_registry"), "struct co_registry")
    if int(found["version"]) > 1:
        raise gdb.GdbError(f"coroutines of version {int(found['version'])}: these tools know 1")
    return found


def all_coroutines(task: gdb.Value) -> Iterator[tuple[int, gdb.Value]]:
    """Address and a copy of each, by id."""
    node = int(registry(task)["all"]["next"])
    offset = next(f.bitpos // 8 for f in gdb.lookup_type("struct co").fields() if f.name == "all")
    head = memory.address_of("co_registry") + next(
        f.bitpos // 8 for f in gdb.lookup_type("struct co_registry").fields() if f.name == "all")
    found: list[tuple[int, gdb.Value]] = []
    seen = {head, 0}
    try:
        while node not in seen:
            seen.add(node)
            co = user_value(task["mm"], node - offset, "struct co")
            found.append((node - offset, co))
            node = int(co["all"]["next"])
    except gdb.MemoryError:
        memory.damaged("the list of coroutines leads to no memory", node)
    else:
        if node != head:
            memory.damaged("the list of coroutines runs in a circle", node)
    return iter(sorted(found, key=lambda pair: int(pair[1]["id"])))


def name_at(task: gdb.Value, address: int) -> str:
    """Of a struct co_ctx: a coroutine's, or a thread's own stack."""
    for place, co in all_coroutines(task):
        if place == address:
            return f"{memory.text(co['name'])} (#{int(co['id'])})"
    return "the thread's own stack"


def stack_owner(task: gdb.Value, rsp: int) -> str:
    for _, co in all_coroutines(task):
        if int(co["base"]) <= rsp < int(co["base"]) + int(co["size"]):
            return f"{memory.text(co['name'])} (#{int(co['id'])})"
    return "the thread itself"


def saved_rsp(task: gdb.Value, context: int) -> int:
    return int.from_bytes(memory.read_user(task["mm"], context, 8), "little")


def saved_registers(task: gdb.Value, rsp: int) -> dict[str, int]:
    """Of a stack that was switched away from: as they will be when co_switch returns to it."""
    data = memory.read_user(task["mm"], rsp + 8, 8 * len(STACKED))
    found = {name: int.from_bytes(data[8 * i:8 * i + 8], "little")
             for i, name in enumerate(STACKED)}
    return found | {"rsp": rsp + 8 + len(data)}


def thread_of(co: gdb.Value) -> gdb.Value | None:
    for task in tasks.all_tasks():
        if int(task["tid"]) == int(co["thread"]):
            return task
    return None


def loop_text(place: int, mm: gdb.Value, culprit: str) -> str:
    """What its run loop has noted of the one at `place`; with a culprit its thread sleeps in the kernel."""
    co = user_value(mm, place, "struct loop_co")
    state = int(co["loop_state"])
    if culprit and (state == READY or (state == PARKED and 0 <= int(co["deadline"]) <= tasks.now())):
        return f"STALLED by {culprit}"
    if state == PARKED and int(co["why"]):
        return "parked: " + memory.user_string(mm, int(co["why"])).strip('"')
    return {READY: "ready", PARKED: "parked", ENDED: "ended"}[state]


def state_text(place: int, co: gdb.Value, task: gdb.Value | None, culprit: str) -> str:
    """What it does, and where it is stalled: it could run, but its thread sleeps in the kernel."""
    state, asleep = int(co["state"]), task is not None and 1 <= int(task["state"]) <= 3
    if state == RUNNING:
        return f"runs, blocked in {tasks.reason_text(task)}" if asleep else "runs"
    if state == DEAD:
        return "ended"
    if state == NORMAL:
        return "resumed another one"
    if not int(co["loop"]):
        return "suspended"
    mm = task["mm"] if task is not None else tasks.selected()["mm"]
    return loop_text(place, mm, culprit if asleep else "")


def culprits(found: list[tuple[int, gdb.Value]]) -> dict[int, str]:
    return {int(co["thread"]): memory.text(co["name"]) for _, co in found if int(co["state"]) == RUNNING}


@command("info coros [TID]")
def info_coros(arguments: list[str]) -> None:
    """List the coroutines of a process.

    Without TID, of the task looked at. STALLED by X: it could run, but X made a
    system call that blocks the thread they share."""
    task = tasks.find(number(arguments[0], "a tid")) if arguments else tasks.selected()
    found = list(all_coroutines(task))
    blame = culprits(found)
    show(f"coroutines of {tasks.label(task)}: {len(found)}")
    rows = []
    for place, co in found:
        thread, where = int(co["thread"]), ""
        if int(co["state"]) not in (RUNNING, DEAD):
            where = memory.symbol_at(saved_registers(task, int(co["ctx"]["rsp"]))["rip"])
        rows.append((str(int(co["id"])), memory.text(co["name"]), str(thread),
                     state_text(place, co, thread_of(co), blame.get(thread, "")), where))
    table((">  ID", "NAME", ">THREAD", "STATE", "WHERE"), rows)


@command("coro ID | coro apply all COMMAND...")
def coro(arguments: list[str]) -> None:
    """Look at a coroutine of the task looked at.

    `bt` then shows its frames, and behind them whoever resumed it; `coro apply all
    COMMAND` does COMMAND at each coroutine. `ktask cpu` goes back."""
    task = tasks.selected()
    found = {int(co["id"]): (place, co) for place, co in all_coroutines(task)}
    if arguments[:2] == ["apply", "all"] and len(arguments) > 2:
        before = unwind.view
        try:
            for wanted, (place, co) in found.items():
                if int(co["state"]) != DEAD:
                    show(f"\ncoroutine {wanted} {memory.text(co['name'])}")
                    choose(task, place, co)
                    gdb.execute(" ".join(arguments[2:]))
        finally:
            unwind.look_at(before.task if before else None)
        return
    if len(arguments) != 1:
        raise Usage
    wanted = number(arguments[0], "a coroutine's id")
    if wanted not in found or int(found[wanted][1]["state"]) == DEAD:
        raise gdb.GdbError(f"no coroutine {wanted} in {tasks.label(task)}: `info coros`")
    choose(task, *found[wanted])
    place, co = found[wanted]
    culprit = culprits(list(found.values())).get(int(co["thread"]), "")
    show(f"coroutine {wanted} {memory.text(co['name'])}: {state_text(place, co, thread_of(co), culprit)}")
    unwind.show_place()


def choose(task: gdb.Value, place: int, co: gdb.Value) -> None:
    owner = thread_of(co)
    if owner is None:
        raise gdb.GdbError(f"its thread {int(co['thread'])} has ended")
    if int(co["state"]) == RUNNING:
        unwind.look_at(owner)
    else:
        unwind.look_at(owner, saved_registers(task, int(co["ctx"]["rsp"])))


def resumer(task: gdb.Value, rsp: int) -> dict[str, int]:
    """Behind co_entry: on top of its stack is the struct co. A suspended one has no resumer."""
    co = user_value(task["mm"], saved_rsp(task, rsp), "struct co")
    if int(co["state"]) not in (RUNNING, NORMAL):
        return unwind.END
    return saved_registers(task, saved_rsp(task, int(co["resumer"])))


unwind.coroutine_resumer = resumer
