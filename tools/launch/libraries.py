"""Where the dynamic linkers of glibc (ld.so(8)) and musl look for a library.

Their rules are followed by reading files alone: what is added to the guest may be just what nobody
wants to have run here.
"""
import functools
import os
import re
import struct
from dataclasses import dataclass

from launch import elf

CACHE = "/etc/ld.so.cache"
CACHE_MAGIC = b"glibc-ld.so.cache1.1"
X86_64_LIBC6 = 0x303  # an entry's flags
GLIBC_FOLDERS = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
MUSL_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")
MUSL_OWN = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet|c\.musl-\w+)\.so(\.\d+)?")  # all in its one file


@dataclass
class Loaded:
    """A program or library: its file here, its path in the guest, and who needs it."""
    path: str
    name: str
    elf: elf.Elf
    parent: "Loaded | None" = None


def is_musl(interpreter: str) -> bool:
    return "ld-musl-" in os.path.basename(interpreter)


def musl_path_file(interpreter: str) -> str:
    """/lib/ld-musl-x86_64.so.1 reads /etc/ld-musl-x86_64.path."""
    arch = os.path.basename(interpreter).removesuffix(".1").removesuffix(".so")
    return os.path.normpath(os.path.join(os.path.dirname(interpreter), "../etc", arch + ".path"))


@functools.cache
def _cache() -> dict[str, list[str]]:
    """The paths of each library that ldconfig(8) has found, but those for certain processors."""
    found: dict[str, list[str]] = {}
    try:
        with open(CACHE, "rb") as f:
            content = f.read()
        at = content.index(CACHE_MAGIC)  # behind the old format, perhaps
        count, = struct.unpack_from("<I", content, at + 20)
        for flags, key, value, _, processor in struct.iter_unpack("<iIIIQ", content[at + 48:at + 48 + 24 * count]):
            if flags == X86_64_LIBC6 and processor == 0:
                name, path = (os.fsdecode(content[at + o:content.index(b"\0", at + o)]) for o in (key, value))
                found.setdefault(name, []).append(path)
    except (OSError, ValueError, struct.error):
        pass  # musl's and some others' systems have none
    return found


@functools.cache
def _musl_folders(interpreter: str) -> tuple[str, ...]:
    try:
        with open(musl_path_file(interpreter), encoding="utf-8", errors="surrogateescape") as f:
            return tuple(folder for folder in re.split("[:\n]", f.read()) if folder)
    except OSError:
        return MUSL_FOLDERS


def _named_folders(loaded: Loaded, paths: str) -> list[tuple[str, str]]:
    """Of a RUNPATH, here and in the guest: $ORIGIN is the folder of the file that names it."""
    folders = []
    for path in filter(None, paths.split(":")):
        here, there = (re.sub(r"\$(ORIGIN\b|\{ORIGIN\})", lambda _, o=os.path.dirname(origin): o, path)
                       for origin in (os.path.realpath(loaded.path), loaded.name))
        folders.append((here, os.path.normpath(there)))
    return folders


def _folders(loaded: Loaded, interpreter: str) -> list[tuple[str, str]]:
    """Before the system's: of the object itself and, by RPATH or musl, of those that need it."""
    folders, one = [], loaded
    if not is_musl(interpreter) and loaded.elf.runpath:
        return _named_folders(loaded, loaded.elf.runpath)
    while one:
        paths = one.elf.runpath or one.elf.rpath if is_musl(interpreter) else \
            "" if one.elf.runpath else one.elf.rpath
        folders += _named_folders(one, paths)
        one = one.parent
    return folders


def find(library: str, loaded: Loaded, interpreter: str) -> Loaded | None:
    """What `loaded` names `library`. None: it is not on this host."""
    if "/" in library:
        places = [(library, library)]
    else:
        places = [(os.path.join(here, library), os.path.join(there, library))
                  for here, there in _folders(loaded, interpreter)]
        system = [] if is_musl(interpreter) else _cache().get(library, [])
        folders = _musl_folders(interpreter) if is_musl(interpreter) else GLIBC_FOLDERS
        places += [(path, path) for path in [*system, *(f"{folder}/{library}" for folder in folders)]]
    for here, there in places:
        about = elf.read(here) if os.path.isabs(here) else None
        if about:
            return Loaded(here, there, about, loaded)
    return None
