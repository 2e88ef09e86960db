"""Who runs and who waits: `kq`, `kwait`."""
import gdb

from . import memory, tasks
from .command import command
from .lines import pad, show
from .memory import list_items, tree_items, variable


@command("kq")
def kq(arguments: list[str]) -> None:
    """Show each CPU's run queue: who runs, who is ready.

    In the order of their turns, unless the policy has a queue of its own.
    vruntime is relative to the queue's."""
    for cpu in tasks.cpus():
        if int(cpu["rq"]) == 0:
            continue
        queue = cpu["rq"].dereference()
        running = tasks.current_of(cpu)
        policy = variable("sched_class")["name"].string()
        show(f"CPU {int(cpu['id'])}, {policy}: runs {tasks.label(running)}, {int(queue['runnable'])} "
             f"ready, {int(queue['switches'])} switches"
             + (", wants to reschedule" if int(cpu["need_resched"]) else ""))
        fair = list(tree_items(queue["fair"]["node"], "struct task", "run_node"))
        ready = fair + list(list_items(queue["queue"], "struct task", "run_list"))
        shown = {int(task.address) for task in ready}
        # A policy with a queue of its own.
        ready += [task for task in tasks.all_tasks() if int(task["queued"])
                  and int(task["cpu"]) == int(cpu["id"]) and int(task.address) not in shown]
        for place, task in enumerate(ready):
            line = (f"  {pad(tasks.label(task), 22)} nice {int(task['nice'])}, "
                    f"ran {int(task['usage']['time']) / 1e6:.3f} ms")
            if place < len(fair):
                lag = int(task["vruntime"]) - int(queue["min_vruntime"])
                line += f", vruntime {lag / 1e6:+.3f} ms"
            show(line)


@command("kwait")
def kwait(arguments: list[str]) -> None:
    """Show who waits for what, and the object each one waits for.

    Tasks that wait for the same object stand together."""
    waiting: dict[tuple[str, int], list[gdb.Value]] = {}
    for task in tasks.all_tasks():
        if 1 <= int(task["state"]) <= 3:
            key = tasks.reason_text(task) or tasks.state_text(task), int(task["wait_object"])
            waiting.setdefault(key, []).append(task)
    if not waiting:
        show("nobody waits")
    for (reason, item), found in waiting.items():
        show(f"{reason:12} {object_text(reason, item)}")
        for task in found:
            show(f"  {pad(tasks.label(task), 22)} {tasks.state_text(task)} for {tasks.since(task)}")


def object_text(reason: str, item: int) -> str:
    if reason == "nanosleep":
        return f"until {item / 1e9:.6f} s" if item else ""
    if reason == "mutex":
        return memory.symbol_at(item)
    return f"0x{item:x}" if item else ""
