"""How a command is made: what it takes, errors in one line, help text from the docstring."""
import re
from typing import Callable

import gdb

from .lines import show


COMMANDS: list[tuple[str, str]] = []


class Usage(Exception):
    """The command was given what it does not take."""


def command(usage: str, complete: int = gdb.COMPLETE_NONE) -> Callable:
    """Register a function(arguments) as a gdb command. What it takes stands behind its name: [THAT]
    may be left out, any number may come for `...`, and where there is a `|` the function checks
    itself. The docstring is the help."""
    name = re.match(r"(info )?\w+", usage)[0]
    taken, open_end = usage[len(name):], "..." in usage or "|" in usage
    least = 0 if open_end else len(re.sub(r"\[.*?\]", "", taken).split())
    most = 1000 if open_end else len(taken.split())

    def register(function: Callable[[list[str]], None]) -> Callable:
        def invoke(self: gdb.Command, argument: str, from_tty: bool) -> None:
            arguments = gdb.string_to_argv(argument)
            try:
                if not least <= len(arguments) <= most:
                    raise Usage
                function(arguments)
            except Usage:
                raise gdb.GdbError(f"usage: {usage}") from None
            except gdb.MemoryError as error:
                raise gdb.GdbError(f"{name}: {error}; has the kernel got so far?") from None
            except OSError as error:
                raise gdb.GdbError(f"{name}: {error.filename}: {error.strerror}") from None
            except gdb.error as error:
                raise gdb.GdbError(f"{name}: {error}") from None
        first, _, rest = (function.__doc__ or "").replace("\n    ", "\n").partition("\n")
        kind = type(name, (gdb.Command,), {"__doc__": f"{first}\n\nUsage: {usage}\n{rest}", "invoke": invoke})
        kind(name, gdb.COMMAND_STATUS if name.startswith("info ") else gdb.COMMAND_USER, complete)
        COMMANDS.append((name, first))
        return function
    return register


def number(text: str, what: str) -> int:
    try:
        value = gdb.parse_and_eval(text)
        return int(value.address if value.type.code == gdb.TYPE_CODE_FUNC else value)
    except (gdb.error, ValueError):
        raise gdb.GdbError(f"{text}: not {what}") from None


@command("kernel")
def kernel(arguments: list[str]) -> None:
    """List the commands for the Baton kernel.

    `help NAME` explains one. A line ends in ~ where it is wider than the terminal;
    `set width 0` shows all of it."""
    show("\n".join(f"{name:11} {text}" for name, text in sorted(COMMANDS)))
