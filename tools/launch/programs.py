"""What a program needs in the guest beside its own file: its interpreter and libraries, those of the
interpreter of a script, Python's library, and what else it is known to open."""
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from launch import companions, elf, libraries

LINKS_MAX = 40  # as in the kernel
GLIBC, LATER = "libc.so.6", ("libgcc_s.so.1",)  # which it opens itself when a thread ends itself


@dataclass
class Need:
    """A file or folder of the host that the guest has to have under this name; or a link to `link`."""
    path: str
    name: str
    link: str = ""


class Missing(Exception):
    """Something that the program needs, and this host does not have: it cannot run here, either."""


def _with_links(path: str, name: str) -> Iterator[Need]:
    """The file, and the links that lead to it: each stays one."""
    for _ in range(LINKS_MAX):
        target = os.readlink(path) if os.path.islink(path) else ""
        yield Need(path, name, target)
        if not target:
            return
        path = os.path.join(os.path.dirname(path), target)
        name = os.path.normpath(os.path.join(os.path.dirname(name), target))


def _of_elf(path: str, name: str, about: elf.Elf, interpreter: str) -> Iterator[Need]:
    """The libraries of a program or library, and theirs."""
    waiting, seen, missing = [libraries.Loaded(path, name, about)], set(), []
    while waiting:
        loaded = waiting.pop(0)
        for library in loaded.elf.needed + list(LATER if os.path.basename(loaded.name) == GLIBC else ()):
            if library in seen or libraries.is_musl(interpreter) and libraries.MUSL_OWN.fullmatch(library):
                continue
            seen.add(library)
            found = libraries.find(library, loaded, interpreter)
            if found:
                waiting.append(found)
                yield from _with_links(found.path, found.name)
                yield from _of_companions(library)
            elif library not in LATER:
                missing.append(library)
    if missing:
        raise Missing(", ".join(missing))


def _of_interpreter(interpreter: str) -> Iterator[Need]:
    """The dynamic linker and what it reads."""
    if not os.path.isfile(interpreter):
        raise Missing(interpreter)
    yield from _with_links(interpreter, os.path.normpath(interpreter))
    settings = libraries.musl_path_file(interpreter) if libraries.is_musl(interpreter) else libraries.CACHE
    if os.path.isfile(settings):
        yield Need(settings, settings)


def python_library(path: str) -> list[str]:
    """The folders of the library of the Python that this file is; it looks for them from there."""
    path = os.path.realpath(path)
    version = re.fullmatch(r"(python3\.\d+t?)d?", os.path.basename(path))
    prefix = os.path.dirname(os.path.dirname(path))
    folders = [os.path.join(prefix, lib, version[1]) for lib in ("lib", "lib64")] if version else []
    return [folder for folder in folders if os.path.isdir(folder)]


def script_words(path: str) -> list[str]:
    """Of its #! line; none: it is no script."""
    with open(path, "rb") as f:
        line = f.read(256).split(b"\n")[0]
    return os.fsdecode(line[2:]).split() if line.startswith(b"#!") and b"\0" not in line else []


def _of_script(words: list[str]) -> Iterator[Need]:
    """Its interpreter with all that needs; and of `env NAME` that one, too."""
    if not os.path.isfile(words[0]):
        raise Missing(words[0])
    name = os.path.normpath(words[0])
    yield from program(words[0], name)
    if os.path.basename(name) == "env":
        named = [word for word in words[1:] if not word.startswith("-") and "=" not in word][:1]
        found = shutil.which(named[0]) if named else None
        if found:
            yield from program(found, f"/bin/{named[0]}")
        elif named:
            raise Missing(named[0])


def _of_companions(name: str) -> Iterator[Need]:
    for path in companions.of(name):
        if os.path.isdir(path):
            yield Need(path, path)
        elif os.path.dirname(path) == "/usr/bin":
            yield from program(path, f"/bin/{os.path.basename(path)}")
            yield Need(path, path, f"/bin/{os.path.basename(path)}")  # for who does not look in the PATH
        else:
            yield from _with_links(path, path)


def has_home(path: str) -> bool:
    """It looks for its files from its own place, so there it has to be; a link leads to it."""
    return bool(python_library(path)) or any(companions.of(os.path.realpath(path)))


def program(path: str, name: str) -> Iterator[Need]:
    """The program itself, as `name` in the guest, and all that it needs."""
    real = os.path.realpath(path)
    if name != real and has_home(path):
        yield Need(path, name, real)
        name = real
    yield Need(path, name)
    yield from (Need(folder, folder) for folder in python_library(path))
    yield from _of_companions(real)
    yield from needs(path, name)


def needs(path: str, name: str) -> Iterator[Need]:
    """Of an ELF file or a script; any other file needs nothing."""
    about = elf.read(path)
    if about and about.interpreter:
        yield from _of_interpreter(about.interpreter)
    if about:
        yield from _of_elf(path, name, about, about.interpreter)
    elif words := script_words(path):
        yield from _of_script(words)
