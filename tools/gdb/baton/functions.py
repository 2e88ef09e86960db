"""Convenience functions for expressions: $ktask(tid), $kcurrent(), $container_of(), $pa()."""
import gdb

from . import memory, tasks


class KTask(gdb.Function):
    """$ktask(TID): the struct task * of a tid. `p *$ktask(1)`, `p $ktask(7)->mm->resident`."""

    def __init__(self) -> None:
        super().__init__("ktask")

    def invoke(self, tid: gdb.Value) -> gdb.Value:
        return tasks.find(int(tid)).address


class KCurrent(gdb.Function):
    """$kcurrent(): the struct task * that runs on the selected CPU."""

    def __init__(self) -> None:
        super().__init__("kcurrent")

    def invoke(self) -> gdb.Value:
        return tasks.current().address


class ContainerOf(gdb.Function):
    """$container_of(POINTER, "struct NAME", "MEMBER"): the object whose member POINTER points to."""

    def __init__(self) -> None:
        super().__init__("container_of")

    def invoke(self, pointer: gdb.Value, name: gdb.Value, member: gdb.Value) -> gdb.Value:
        return memory.container_of(pointer, name.string(), member.string()).address


class PhysicalAddress(gdb.Function):
    """$pa(ADDRESS): the physical address behind one of the kernel's, or of the task looked at."""

    def __init__(self) -> None:
        super().__init__("pa")

    def invoke(self, address: gdb.Value) -> int:
        return memory.physical_of(int(address) & (1 << 64) - 1)


for function in (KTask, KCurrent, ContainerOf, PhysicalAddress):
    function()
