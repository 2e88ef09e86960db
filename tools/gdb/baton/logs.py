"""What the kernel has written down: `kdmesg`, `ktrace last`, `ktrace save`."""
import os

import gdb
from ktracelib import format as trace_format
from ktracelib import text as trace_text

from . import memory, programs
from .command import command, number
from .memory import variable


@command("kdmesg")
def kdmesg(arguments: list[str]) -> None:
    """Show the kernel's log: `kdmesg [LINES]`, the last ones."""
    ring, end = variable("lib/log.c:ring"), int(variable("lib/log.c:ring_end"))
    size = ring.type.sizeof
    data = memory.read(int(ring.address), size)
    text = data[end % size:] + data[:end % size] if end >= size else data[:end]
    lines = text.decode(errors="replace").splitlines()
    print("\n".join(lines[-number(arguments[0], "a number of lines"):] if arguments else lines))


@command("ktrace", gdb.COMPLETE_FILENAME)
def ktrace(arguments: list[str]) -> None:
    """Show or save the kernel's event rings: `ktrace last [N]`, `ktrace save FILE`.

    The kernel writes events when it is started with trace=on. The file is for tools/ktrace."""
    try:
        trace = trace_format.pull(memory.read_physical, os.path.join(programs.ROOT, "build/baton.elf"))
    except trace_format.TraceError as error:
        raise gdb.GdbError(str(error)) from None
    if arguments[:1] == ["last"]:
        count = number(arguments[1], "a number of events") if len(arguments) > 1 else 20
        print("\n".join(list(trace_text.lines(trace))[-count:]))
    elif arguments[:1] == ["save"] and len(arguments) == 2:
        trace_format.save(trace, arguments[1])
        print(f"{arguments[1]}: {len(trace.records)} events; tools/ktrace report {arguments[1]}")
    else:
        raise gdb.GdbError("ktrace last [N], or ktrace save FILE")
