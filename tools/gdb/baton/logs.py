"""What the kernel has written down: `kdmesg`, `ktrace last`, `ktrace save`."""
import os

import gdb
from ktracelib import format as trace_format
from ktracelib import text as trace_text

from . import memory, programs
from .command import Usage, command, number
from .lines import show
from .memory import variable


@command("kdmesg [LINES]")
def kdmesg(arguments: list[str]) -> None:
    """Show the kernel's log, or its last lines.

    The log is a ring: its oldest text may be gone."""
    ring, end = variable("lib/log.c:ring"), int(variable("lib/log.c:ring_end"))
    size = ring.type.sizeof
    data = memory.read(int(ring.address), size)
    text = data[end % size:] + data[:end % size] if end >= size else data[:end]
    lines = [memory.line_of(line) for line in text.splitlines()]
    show("\n".join(lines[-number(arguments[0], "a number of lines"):] if arguments else lines))


@command("ktrace last [N] | ktrace save FILE", gdb.COMPLETE_FILENAME)
def ktrace(arguments: list[str]) -> None:
    """Show or save the kernel's event rings.

    The kernel writes events when it is started with trace=on. The file is for
    tools/ktrace."""
    try:
        trace = trace_format.pull(memory.read_physical, os.path.join(programs.ROOT, "build/baton.elf"))
    except trace_format.TraceError as error:
        raise gdb.GdbError(str(error)) from None
    if arguments[:1] == ["last"] and len(arguments) <= 2:
        count = number(arguments[1], "a number of events") if len(arguments) > 1 else 20
        show("\n".join(list(trace_text.lines(trace))[-count:]))
    elif arguments[:1] == ["save"] and len(arguments) == 2:
        trace_format.save(trace, arguments[1])
        show(f"{arguments[1]}: {len(trace.records)} events; tools/ktrace report {arguments[1]}")
    else:
        raise Usage
