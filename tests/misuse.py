"""Each tool as it is called by mistake: without arguments, with wrong ones, with files that are none of its
own. It says so in one line, ends with status 2, and what was there before stays as it is."""
import os
import shutil
import sys
import tempfile
from pathlib import Path

from driver import ROOT, Skipped, call, check, test

# What has to be said to each besides.
NEEDS = {"catalogue.py": ["FILE"], "conformance": ["FOLDER"], "picture": ["FILE"], "mkinitrd": ["OUT", "PROGRAM"],
         "ktrace": ["report", "FILE"], "lab": ["list"], "explore": ["--", "true"]}
# Those that must have something, and what takes files of which kind: name, words before the file, words after it.
WANT_WORDS = ("alone", "catalogue.py", "conformance", "explore", "ktrace", "lab", "mkinitrd", "mkiso", "picture")
TAKE_FILES = [("catalogue.py", [], []), ("conformance", [], []), ("docs", ["--check"], []), ("format", ["--check"], []),
              ("picture", [], []), ("translated", ["--diff"], []), ("mkiso", ["OUT"], ["build/initramfs.cpio", "iso/grub.cfg"]),
              *[("ktrace", [kind], []) for kind in ("report", "text", "svg", "html", "perfetto", "chrome", "pull")]]


def tools() -> list[str]:
    return sorted(path.name for path in (ROOT / "tools").iterdir() if path.is_file())


def refused(*words: str, prefix: str = "") -> None:
    result = call(["sh", "-c", 'ulimit -v 4000000; exec "$@"', "sh", *words])
    check(result.returncode == 2 and result.stderr.count("\n") == 1 and not result.stdout
          and result.stderr.startswith((prefix or words[0], "usage: " + words[0])),
          f"{words}: status {result.returncode}\n{result.stdout[-300:]}{result.stderr[-1000:]}")


@test
def wrong_words_are_told_in_one_line() -> None:
    for name in tools():
        refused(f"tools/{name}", *[word for word in NEEDS.get(name, ()) if word[0] != "-"], "--no-such\noption")
    for name in WANT_WORDS:
        refused(f"tools/{name}")


@test
def wrong_files_are_told_in_one_line() -> None:
    """A folder, one that is not there, a binary, half a megabyte of nothing, and a device that never ends."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "folder").mkdir()
        (directory / "binary").write_bytes(bytes(range(128, 256)) * 4000)
        (directory / "unreadable").touch(0)
        for tool, before, after in TAKE_FILES:
            before = [word.replace("OUT", f"{name}/out.iso") for word in before]
            text = tool in ("mkiso", "docs")  # of the kernel tools/run says what it is; no text has such bytes
            for file in ("folder", "none", *([] if tool == "mkiso" else ["binary"]),
                         *([] if text else ["/dev/zero"]), *(["unreadable"] if os.getuid() else [])):
                refused(f"tools/{tool}", *before, str(directory / file), *after)
        check(not (directory / "out.iso").exists(), "an image of nothing")


@test
def what_is_named_by_mistake_stays_as_it_is() -> None:
    """What is to be written is something else: a program, a text, a folder, a pipe."""
    with tempfile.TemporaryDirectory() as name:
        mine, fifo = Path(name, "mine"), f"{name}/fifo"
        mine.write_text("a week of work\n")
        os.mkfifo(fifo)
        program, images = "build/stripped/bin/ls", ["build/baton.elf", "build/initramfs.cpio", "iso/grub.cfg"]
        for words in (["alone", str(mine), "true"], ["mkinitrd", str(mine), program], ["mkinitrd", name, program],
                      ["mkinitrd", fifo, program], ["mkinitrd", f"{name}/new", f"{name}/none"],
                      ["mkinitrd", f"{name}/new", name], ["mkiso", name, *images], ["mkiso", fifo, *images],
                      ["mkiso", f"{name}/none/new", *images]):
            refused(f"tools/{words[0]}", *words[1:])
        check(mine.read_text() == "a week of work\n" and Path(fifo).is_fifo(), "it is lost")
        check(sorted(os.listdir(name)) == ["fifo", "mine"], f"left: {os.listdir(name)}")
        made = call(["tools/mkinitrd", f"{name}/new", program])
        check(made.returncode == 0 and b"bin/ls\0" in Path(name, "new").read_bytes(), f"{made}")


@test
def no_file_of_the_tree_is_named_like_an_option() -> None:
    """Such a one is made by mistake, and `rm *` or `ls *` takes it for an option."""
    odd = [line for line in call(["git", "ls-files"]).stdout.splitlines()
           if any(part.startswith("-") for part in line.split("/"))]
    check(not odd, f"{odd}")


@test
def tools_close_what_they_open() -> None:
    """Python says so, where it is asked: files and pipes that nobody closes, names that go away."""
    with tempfile.TemporaryDirectory() as name:
        trace = f"{name}/t.ktr"
        for status, *words in ((0, "tools/run", "--icount", "--trace", trace, "--", "stall", "--mode=blocking"),
                               (125, "tools/run", "--append", "crash=panic", "--evidence", f"{name}/failed", "--", "true"),
                               (1, "tools/explore", "--", "race", "--way", "plainly"),
                               (0, "tools/ktrace", "html", trace)):
            result = call([sys.executable, "-X", "dev", "-W", "error", *words])
            check(result.returncode == status and "Warning" not in result.stderr,
                  f"{words}: {result.returncode}\n{result.stderr[-1000:]}")


@test
def tools_read_and_write_utf8_in_any_locale() -> None:
    """In one of another character set as well: Chinese texts, a panic's log, a story with arrows, names."""
    if not shutil.which("localedef"):
        raise Skipped("no localedef")
    with tempfile.TemporaryDirectory() as name:
        for locale in ("zh_CN.GBK", "de_DE.ISO-8859-1"):
            language, _, charset = locale.partition(".")
            made = call(["localedef", "-i", language, "-f", charset, f"{name}/{locale}"])
            if not Path(name, locale).is_dir():
                raise Skipped(made.stderr.strip().split("\n")[-1])
            echo = (f"run --log {name}/log -- echo \u4e16\u754c\u00b7\u2014\u20ac", 0)
            others = [("lab list", 0), ("catalogue.py user/demo/zh.po", 0), (f"lab make 2 -o {name}/字", 0),
                      (f"run --log {name}/log --evidence {name}/kept --append crash=panic -- true", 125),
                      ("explore -- race --way plainly", 1)]
            for words, status in [("translated", 0), *(others if locale.startswith("zh") else ()), echo]:
                command = ["env", f"LOCPATH={name}", f"LC_ALL={locale}", *f"tools/{words}".split()]
                result = call(command)
                check(result.returncode == status and "Traceback" not in result.stderr, f"{command}: {result}")
            check(result.stdout == "\u4e16\u754c\u00b7\u2014\u20ac\n", f"{result.stdout!r}")
