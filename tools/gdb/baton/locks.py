"""Locks that are held: `klocks`."""
import gdb

from . import memory, tasks
from .command import command
from .lines import show
from .memory import variable


@command("klocks")
def klocks(arguments: list[str]) -> None:
    """Show which spinlocks are held, and who waits for a mutex.

    Spinlocks: the kernel's global ones and each run queue's, and which CPU holds
    it. preempt_count says how many a CPU holds, those in allocated objects too. A
    mutex does not know its holder."""
    show("\n".join([f"CPU {int(cpu['id'])}: preempt_count {int(cpu['preempt_count'])}"
                    for cpu in tasks.cpus()]))
    held = [(name, lock) for name, lock in spinlocks() if int(lock["holder"])]
    for name, lock in held:
        show(f"  {name} is held by CPU {int(lock['holder']) - 1}")
    if not held:
        show("  no global spinlock is held")
    for task in tasks.all_tasks():
        if tasks.reason_text(task) == "mutex":
            show(f"  mutex {memory.symbol_at(int(task['wait_object']))}: {tasks.label(task)} waits")


def spinlocks() -> list[tuple[str, gdb.Value]]:
    found = []
    listing = gdb.execute("info variables -q -n -t ^struct.spinlock$", to_string=True)
    file = ""
    for line in listing.splitlines():
        if line.startswith("File "):
            file = line[5:].rstrip(":")
        elif line.endswith(";"):
            name = line.split()[-1].rstrip(";").lstrip("*")
            if "[" not in name:
                found.append((name if name == "tasks_lock" else f"{file.removeprefix('kernel/')}:{name}",
                              gdb.parse_and_eval(f"'{file}'::{name}")))
    for cpu in tasks.cpus():
        if int(cpu["rq"]):
            found.append((f"runqueues[{int(cpu['id'])}].lock", cpu["rq"]["lock"]))
    return found
