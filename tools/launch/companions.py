"""What a program opens by its name when it runs, and no file says so: Git's templates, Perl's modules, the
parts of a compiler, how to talk to a terminal. By the name of the program's file or of a library."""
import glob
import os
import re
from collections.abc import Iterator

_HEADERS = ["/usr/include/*.h", *(f"/usr/include/{folder}" for folder in (
    "x86_64-linux-gnu", "asm-generic", "linux", "bits", "gnu", "sys", "arpa", "net", "netinet"))]
_LINKING = [f"/usr/{folder}/{name}" for folder in ("lib/x86_64-linux-gnu", "lib64", "lib")
            for name in ("*crt?.o", "libc.so*", "libc_nonshared.a", "libm.so*", "libmvec.so*", "libpthread.a", "libgcc_s.so*")]
# {0}: what the brackets of the name have found.
OPENED = {
    r"git": ["/usr/share/git-core/templates", "/usr/lib/git-core", "/usr/libexec/git-core"],
    r"perl[\d.]*": ["/usr/lib/x86_64-linux-gnu/perl*", "/usr/share/perl*", "/usr/lib*/perl5"],
    r"ruby[\d.]*": ["/usr/lib*/ruby", "/usr/lib/x86_64-linux-gnu/ruby", "/usr/share/ruby", "/usr/share/rubygems*"],
    r"php([\d.]*)": ["/etc/php*/{0}/cli", "/etc/php/{0}/mods-available", "/etc/php.ini", "/etc/php.d", "/usr/lib/php/2*", "/usr/share/zoneinfo/UTC",
                     "/usr/lib64/php/modules"],
    r"zsh[\d.]*": ["/usr/lib*/x86_64-linux-gnu/zsh", "/usr/lib*/zsh", "/usr/share/zsh/functions", "/usr/share/zsh/*/functions"],
    r"gawk[\d.]*": ["/usr/lib*/x86_64-linux-gnu/gawk", "/usr/lib64/gawk", "/usr/share/awk"],
    r"vim?(\..*)?": ["/etc/vim", "/etc/vimrc", "/usr/share/vim"],
    r"(?:.*-)?(?:gcc|cc|g\+\+|c\+\+)(?:-([\d.]+))?": [
        "/usr/bin/as", "/usr/bin/ld", "/usr/lib/gcc/*/{0}", "/usr/libexec/gcc/*/{0}", *_HEADERS, *_LINKING],
    r"(?:.*-)?(?:g\+\+|c\+\+)(?:-[\d.]+)?": ["/usr/include/c++"],
    r"(?:.*-)?tcc": ["/usr/lib*/tcc", "/usr/lib/x86_64-linux-gnu/tcc", *_HEADERS, *_LINKING],
    r"m?tclsh[\d.]*|libtcl[\d.]*\.so.*": ["/usr/share/tcltk/tcl8*", "/usr/share/tcl8*"],
    r"guile[\d.]*": ["/usr/lib/x86_64-linux-gnu/guile", "/usr/lib64/guile", "/usr/share/guile"],
    r"ocaml(?:c|opt|run)?": ["/usr/lib*/ocaml/*.cm[aix]", "/usr/lib*/ocaml/std*", "/usr/lib*/ocaml/ld.conf", "/usr/lib*/ocaml/stublibs"],
    r"emacs(?:-nox)?": ["/usr/lib*/emacs", "/usr/libexec/emacs", "/usr/share/emacs"],
    r"sbcl": ["/usr/lib*/sbcl/sbcl.core"], r"clisp": ["/usr/lib*/clisp-*/base", "/usr/share/locale/locale.alias"], r"bison": ["/usr/share/bison", "/usr/bin/m4"],
    r"gforth(?:-[\w.]*)?": ["/usr/lib*/gforth", "/usr/lib/x86_64-linux-gnu/gforth", "/usr/share/gforth"],
    r"swipl": ["/usr/lib*/swi-prolog"], r"erl": ["/usr/lib*/erlang"], r"mc": ["/etc/mc", "/usr/share/mc", "/usr/lib/mc", "/usr/libexec/mc"],
    r"fish": ["/usr/share/fish"], r"cmake|ctest": ["/usr/share/cmake*"], r"s6-(?:svscan|svc|svwait)": [f"/usr/bin/s6-{name}" for name in ("supervise", "svlisten1", "ftrigrd")],
    r"file": ["/etc/magic", "/usr/lib/file/magic.mgc", "/usr/share/misc/magic.mgc"],
    r"libc\.so\.6": ["/usr/lib/locale/C.utf8"],
    r"libpython(3\.\d+)\.so.*": ["/usr/lib*/python{0}"],
    r"valgrind": ["/usr/bin/valgrind.bin", "/usr/lib*/valgrind", "/usr/libexec/valgrind"],
    r"iconv": ["/usr/lib*/gconv", "/usr/lib/x86_64-linux-gnu/gconv"],
    r"libunistring\.so.*": [f"{folder}/gconv/{name}" for folder in ("/usr/lib64", "/usr/lib/x86_64-linux-gnu") for name in (
        "gconv-modules*", "ISO8859-1.so")],
    r"lib(?:tinfow?|ncursesw?)\.so.*": [f"{folder}/?/{name}" for folder in ("/lib/terminfo", "/usr/share/terminfo") for name in (
        "ansi", "dumb", "linux", "screen*", "tmux*", "vt100", "vt220", "xterm*")],
}
# Of folders: Python's own tests and tools, and what others have installed; other languages of gcc, and what
# only its authors use; what of Git wants a network.
LEFT_OUT = {
    "test", "idlelib", "lib2to3", "turtledemo", "ensurepip", "site-packages", "dist-packages",
    "gnat1", "f951", "cc1obj", "cc1objplus", "lto1", "lto-dump", "adalib", "adainclude", "plugin", "CORE",
    "scalar", *(f"git-{name}" for name in ("daemon", "http-backend", "http-fetch", "http-push", "imap-send", "remote-ftp",
                                           "remote-ftps", "remote-http", "remote-https", "shell")),
}


def of(name: str) -> Iterator[str]:
    """The files and folders of this host that go with a program or library of this file name."""
    for pattern, places in OPENED.items():
        if found := re.fullmatch(pattern, os.path.basename(name)):
            for place in places:
                yield from sorted(glob.glob(place.format((found.groups() or ("",))[0] or "*")))
