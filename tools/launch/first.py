"""What holds from the first import on: this module comes before all others.

Standard descriptors are open: where 0, 1 or 2 is closed, the next file that is opened would be taken for
it, and libraries keep files open (libffi does, of ctypes). And ^C ends a tool that has not begun yet
without a word: a traceback through half of its imports tells nobody anything (host.handle_ends). And text
is UTF-8 whatever the locale, as all files here are: in zh_CN.GBK or de_DE.ISO-8859-1 Python would read and
write another one. It asks for that only at its start, so the tool starts again.
"""
import os
import signal
import sys


def words() -> list[bytes]:
    """This command line as it came; what Python has made of it may not lead back."""
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return [os.fsencode(word) for word in sys.orig_argv]


if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1" and sys.executable:
    os.environ["PYTHONUTF8"] = "1"
    os.execv(sys.executable, words())

for _fd in range(3):
    try:
        os.fstat(_fd)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: _fd
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as nohup(1) has it
    signal.signal(signal.SIGINT, signal.SIG_DFL)
