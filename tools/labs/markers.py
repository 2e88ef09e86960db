"""The markers that tell a lab's solution from its stub, in the comments of the solution tree.

    //@lab 3 switch begin          the leader is that of the file type: //, ; or #
        the solution
    //@lab 3 switch stub           this part may be absent: the stub is then nothing
    //|  panic("lab 3: ...");      the text behind the bar, one space dropped, at this indentation
    //@lab 3 switch end
"""
import re
from dataclasses import dataclass, field
from pathlib import PurePath

LEADERS = {".c": "//", ".h": "//", ".asm": ";", ".inc": ";", ".py": "#", ".sh": "#", ".mk": "#",
           ".txt": "#", "": "#"}


class MarkerError(Exception):
    pass


@dataclass
class Block:
    """One marked place: which lab, its name, the two texts, where the marker stands."""
    lab: int
    name: str
    line: int
    solution: list[str] = field(default_factory=list)
    stub: list[str] = field(default_factory=list)


def leader_of(path: str) -> str | None:
    """None: a file of this type has no markers."""
    return LEADERS.get(PurePath(path).suffix)


def parse(path: str, text: str) -> list[str | Block]:
    """The file as plain lines and blocks, in order. MarkerError for what is not well formed."""
    leader = leader_of(path)
    if leader is None or leader + "@lab" not in text:
        return list(text.splitlines(keepends=True))
    parts: list[str | Block] = []
    block: Block | None = None
    in_stub = False

    for number, line in enumerate(text.splitlines(keepends=True), 1):
        def wrong(what: str) -> MarkerError:
            return MarkerError(f"{path}:{number}: {what}")

        stripped = line.strip()
        if stripped.startswith(leader + "@"):
            match = re.fullmatch(re.escape(leader) + r"@lab (\d+) (\w[\w-]*) (\w+)", stripped)
            if not match or match[3] not in ("begin", "stub", "end"):
                raise wrong(f"unknown marker: {stripped}")
            lab, name, word = int(match[1]), match[2], match[3]
            if word == "begin":
                if block:
                    raise wrong(f"nested in the block {block.name} of line {block.line}")
                block, in_stub = Block(lab, name, number), False
                continue
            if not block or (block.lab, block.name) != (lab, name):
                raise wrong(f"{word} of {name} without its begin")
            if word == "stub":
                if in_stub:
                    raise wrong(f"a second stub of {name}")
                in_stub = True
                continue
            parts.append(block)
            block = None
        elif block and in_stub:
            indent, bar, rest = line.partition(leader + "|")
            if not bar or indent.strip():
                raise wrong(f"in a stub, each line begins with {leader}|")
            text_line = rest.removeprefix(" ").rstrip()
            block.stub.append((indent + text_line if text_line else "") + "\n")
        elif block:
            block.solution.append(line)
        else:
            parts.append(line)
    if block:
        raise MarkerError(f"{path}:{block.line}: {block.name} has no end")
    return parts


def blocks(parts: list[str | Block]) -> list[Block]:
    return [part for part in parts if isinstance(part, Block)]


def resolve(parts: list[str | Block], lab: int | None) -> str:
    """The file for a starter of `lab`: its blocks stubbed, all others solved; None: all solved."""
    return "".join(part if isinstance(part, str)
                   else "".join(part.stub if part.lab == lab else part.solution) for part in parts)
