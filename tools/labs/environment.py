"""What a grading takes from whoever starts it: where programs are, where files may be put, which compilers.

So the same tree gets the same verdicts from a shell, from make with any options, from a runner and from
a hook of git. Of the rest, CI would make warnings errors, SANITIZE another kernel, MAKEFLAGS, MAKEFILES
and CPATH another build, GUI a window, GIT_DIR would put a starter into another repository, and a language
would hide the compiler's errors; in which one a grading talks is known before (language.py).
"""
import os
import re
import resource
import signal

KEPT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "CROSS_COMPILE")
# Of what make was given as `NAME=value`; it puts a backslash before a space in the value.
WORD = re.compile(r"(?:\\.|[^\\ ])+")
COMPILERS = ("CC=", "LD=", "NM=", "AR=", "OBJCOPY=", "CROSS_COMPILE=")


def compilers() -> str:
    """Those that make was told to use, as it takes them."""
    return " ".join(word for word in WORD.findall(os.environ.get("MAKEFLAGS", "")) if word.startswith(COMPILERS))


def settle() -> None:
    """For this process and all that it starts."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ} | \
        {"MAKEFLAGS": compilers(), "LC_ALL": "C"}
    os.environ.clear()
    os.environ.update(kept)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who ignores it never learns how a child has ended


def limit(what: int, soft: int, hard: int) -> None:
    """Or less, where whoever started us allows less: only root may raise that."""
    allowed = resource.getrlimit(what)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    resource.setrlimit(what, (soft, hard))
