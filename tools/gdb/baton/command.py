"""How a command is made: errors in one line, help text from the docstring."""
from typing import Callable

import gdb


class KernelCommand(gdb.Command):
    """Commands for the Baton kernel: tasks, switches, address spaces, locks, the log, the trace."""

    def __init__(self) -> None:
        super().__init__("kernel", gdb.COMMAND_USER, gdb.COMPLETE_NONE, True)

    def invoke(self, argument: str, from_tty: bool) -> None:
        print("\n".join(f"{name:18} {text}" for name, text in sorted(COMMANDS)))


COMMANDS: list[tuple[str, str]] = []


def command(name: str, complete: int = gdb.COMPLETE_NONE) -> Callable:
    """Register a function(arguments) as a gdb command; its docstring is the help."""
    def register(function: Callable[[list[str]], None]) -> Callable:
        def invoke(self: gdb.Command, argument: str, from_tty: bool) -> None:
            try:
                function(gdb.string_to_argv(argument))
            except gdb.MemoryError as error:
                raise gdb.GdbError(f"{name}: {error}; has the kernel got so far?") from None
        text = (function.__doc__ or "").replace("\n    ", "\n")
        kind = type(name, (gdb.Command,), {"__doc__": text, "invoke": invoke})
        kind(name, gdb.COMMAND_STATUS if name.startswith("info ") else gdb.COMMAND_USER, complete)
        COMMANDS.append((name, text.split("\n")[0]))
        return function
    return register


def number(text: str, what: str) -> int:
    try:
        return int(gdb.parse_and_eval(text))
    except (gdb.error, ValueError):
        raise gdb.GdbError(f"{text}: not {what}") from None


KernelCommand()
