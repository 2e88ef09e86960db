"""A tool's command line. Its --help fits into the terminal, though the text at the top of a tool is as wide as its
source, 100 columns and more; what is wrong with it is told in a line."""
import argparse
import re
import sys
import textwrap
from typing import NoReturn

from launch import host

# A line that begins with a space, or is empty; or all up to one, or up to the next `exit status: ...`.
PARAGRAPH = re.compile(r"(?m)^(?:[ \t].*|$|\S.*(?:\n(?![a-z ]+: )\S.*)*)$")
EXAMPLE = re.compile(r"(\s+\S.*\S\s{2,})(\S.*)")  # a command, and what it does


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False)


def example(line: str, width: int) -> list[str]:
    match = EXAMPLE.fullmatch(line)
    if len(line) <= width or not match:
        return [line]
    if len(match[1]) <= width // 2:
        return wrapped(match[2], width, match[1], " " * len(match[1]))
    return [match[1].rstrip(), *wrapped(match[2], width, " " * 6, " " * 6)]


class Help(argparse.RawDescriptionHelpFormatter):
    """Lines that begin with a space stay lines; what is too wide of the others is filled again."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for block in PARAGRAPH.findall(text):
            if block[:1].strip():
                lines += wrapped(block, width) if max(map(len, block.split("\n"))) > width else block.split("\n")
            else:
                lines += example(block, width)
        return "\n".join(lines)


class Parser(argparse.ArgumentParser):
    """What is wrong with a command line is one line, which says where to read more, and status 2."""

    def error(self, message: str) -> NoReturn:
        host.say(f"{self.prog.split()[0]}: {' '.join(message.split())} ({self.prog} --help)")
        sys.exit(2)
