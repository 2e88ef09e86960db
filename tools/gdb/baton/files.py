"""Open files and names: `kfds`, and the paths that other commands show."""
import os
import re

import gdb

from . import memory, tasks
from .command import command, number
from .lines import show, table
from .memory import at, list_items

FLAGS = ((0o2000, "append"), (0o4000, "nonblock"), (0o10000000, "path"))


def path_of(inode: gdb.Value) -> str:
    """By the names in tmpfs directories; "" for what has none (a pipe)."""
    parts: list[str] = []
    for _ in range(64):
        if int(inode["covers"]):  # a mounted root: its name is the covered directory's
            inode = inode["covers"].dereference()
        parent = inode["parent"]
        if int(parent) == 0 or int(parent) == int(inode.address):
            break
        parts.insert(0, name_in(parent.dereference(), int(inode.address)))
        inode = parent.dereference()
    return "/" + "/".join(parts) if parts else ""


def name_in(directory: gdb.Value, inode: int) -> str:
    if memory.symbol_at(int(directory["ops"])) != "tmpfs_directory_ops":
        return "?"
    entries = at(int(directory["data"]), "struct tmpfs_directory")["by_age"]
    for entry in list_items(entries, "struct entry", "by_age"):
        if int(entry["inode"]) == inode:
            return memory.text(entry["name"].address.cast(memory.pointer_to("char")))
    return "(deleted)"


def kind_of(file: gdb.Value) -> str:
    """By its operations: pipe, tty, null, regular, ..."""
    ops = int(file["ops"])
    return re.sub(r"(_file)?(^|_)ops$", "", memory.symbol_at(ops)) or \
        os.path.basename(memory.file_of_static(ops)).removesuffix(".c")


@command("kfds [TID]")
def kfds(arguments: list[str]) -> None:
    """List the open files of a task.

    Without TID, of the task looked at. USERS counts the descriptors, of any
    process, that share the open file and its position."""
    task = tasks.find(number(arguments[0], "a tid")) if arguments else tasks.selected()
    if int(task["files"]) == 0:
        raise gdb.GdbError(f"{tasks.label(task)} has no files: a kernel thread or a zombie")
    opened, rows = task["files"], []
    show(f"files of {tasks.label(task)}: {int(opened['used'])} open")
    for fd in range(int(opened["capacity"])):
        if int(opened["slots"][fd]) < 2:
            continue
        file = opened["slots"][fd].dereference()
        flags = int(file["flags"])
        words = [("r", "w", "rw", "-")[flags & 3]] + [name for bit, name in FLAGS if flags & bit]
        if int(opened["close_on_exec"][fd // 64]) >> fd % 64 & 1:
            words.append("cloexec")
        path = path_of(file["inode"].dereference()) or f"{int(file['inode']):#x}"
        rows.append((str(fd), kind_of(file), ",".join(words), str(int(file["position"])),
                     str(int(file["references"])), path))
    table((">  FD", "KIND", "FLAGS", ">AT", ">USERS", "FILE"), rows)
