"""The table of programs: what nobody here has built, on the host, in the guest and, for its time to start, on
Linux in the same QEMU. For `make test-programs`: it takes minutes, and what the host does not have is left out.

python3 tests/program_table.py [NAME...]
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from driver import RUN, call  # noqa: E402
from guest_tests import linux_kernel  # noqa: E402
from programs import here, quoted  # noqa: E402

C = "#include <stdio.h>\nint main(void) { for (int i = 0; i < 3; i++) printf(\"%d\\n\", i * i); return 4; }\n"
THREADS = ("import threading, queue\nq = queue.Queue()\nt = [threading.Thread(target=q.put, args=(i,)) for i in range(20)]\n"
           "[x.start() for x in t]; [x.join() for x in t]; print(sorted(q.get() for _ in t))")
POOL = ("import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n"
        " with m.Pool(3) as p: print(p.map(f, range(10)))\n l = m.Lock()\n with l: print('locked')")
ASYNC = ("import asyncio\nasync def f(r, w):\n w.write((await r.readline()).upper()); await w.drain(); w.close()\n"
         "async def m():\n s = await asyncio.start_unix_server(f, '/tmp/s')\n r, w = await asyncio.open_unix_connection('/tmp/s')\n"
         " w.write(b'hello\\n'); print(await r.readline()); s.close()\nasyncio.run(m())")
SEND = ("import socket, os, array\na, b = socket.socketpair()\nr, w = os.pipe()\nsocket.send_fds(a, [b'x'], [w])\n"
        "m, f, _, _ = socket.recv_fds(b, 9, 4)\nos.write(f[0], b'passed'); print(m, os.read(r, 9))")
NODE = ("setTimeout(() => console.log('late'), 20); require('fs').writeFileSync('/tmp/n', 'x'); "
        "require('child_process').exec('echo child', (e, o) => console.log(o.trim()))")
# name: what else it needs of the host, and the command line
PROGRAMS: dict[str, tuple[list[str], str]] = {
    "bash": ([], "bash -c 'for i in {1..3}; do echo $i; done | sort -r'"), "dash": ([], "dash -c 'echo $((6 * 7))'"),
    "zsh": ([], "zsh -fc 'print -l ${(o)${(s: :):-c a b}}'"), "perl": ([], "perl -e 'print join(\",\", sort {$b <=> $a} 1..9), \"\\n\"'"),
    "gawk": ([], "gawk 'BEGIN {for (i = 0; i < 3; i++) print i, sqrt(i)}'"), "mawk": ([], "mawk 'BEGIN {print exp(1)}'"),
    "lua5.4": ([], "lua5.4 -e 'print(#\"abc\", 7 // 2)'"), "sqlite3": ([], "sqlite3 /tmp/x.db 'create table t(a); insert into t "
    "values (6), (7); select sum(a) from t'"),
    "git": (["sh"], "cd /tmp; git init -q r; cd r; echo x > a; git add a; git -c user.name=a -c user.email=b commit -qm m; "
            "git log --format=%s; git status --short"),
    "make": (["gcc", "as", "ld", "cat"], f"mkdir /tmp/m; cd /tmp/m; printf '%s' {quoted('', C)[1:]} > a.c; "
             "printf 'a: a.c\\n\\tgcc -o a a.c\\n' > Makefile; make -s; ./a; echo $?"),
    "gcc": (["as", "ld"], f"cd /tmp; printf '%s' {quoted('', C)[1:]} > b.c; gcc -O2 -c b.c && echo compiled"),
    "python3": ([], "python3 -c 'import json; print(json.dumps([1, None]))'"),
    "python3 threads": ([], quoted("python3 -c", THREADS)), "python3 Pool": ([], quoted("python3 -c", POOL)),
    "python3 asyncio": ([], quoted("python3 -c", ASYNC)), "python3 send_fds": ([], quoted("python3 -c", SEND)),
    "node": ([], quoted("node -e", NODE)), "df": ([], "df /tmp > /dev/null; echo $?"), "ps": ([], "ps -o comm= -p $$"),
    "lscpu": ([], "lscpu > /dev/null; echo $?"), "vim": ([], "vim -es -c 'normal ihello' -c 'wq! /tmp/v' ; cat /tmp/v"),
    "less": ([], "echo text | less"), "chrt": (["sed"], "chrt -f 7 chrt -p 0 | tail -n 1 | sed 's,.*:,,'; chrt -m | head -n 2"),
    "find": ([], "find /etc -maxdepth 0"), "sed": ([], "echo abc | sed 's/b/x/'"), "grep": ([], "echo abc | grep -o b"),
}
TOOLS = ["bash", "sort", "cat", "mkdir", "head", "tail", "tr", "echo", "printf", "rm"]


def added(name: str) -> list[str]:
    program, needs = name.split()[0], PROGRAMS[name][0]
    found = [path for tool in dict.fromkeys([program, *needs, *TOOLS]) if here(tool) for path in (f"/usr/bin/{tool}",)]
    if "gcc" in (program, *needs):
        libraries = Path("/usr/lib/x86_64-linux-gnu")
        found += ["/usr/lib/gcc", "/usr/include", *(str(path) for part in ("crt*.o", "libc.so*", "libc_nonshared.a", "libgcc_s*")
                                                   for path in libraries.glob(part))]
    return [word for path in found for word in ("--add", path)]


def in_guest(name: str, options: list[str]) -> tuple[str, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(f"export PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C\nTIMEFORMAT='@@ %R'\ntime (\n{PROGRAMS[name][1]}\n) 2>&1\n")
        script.flush()
        run = call([RUN, "--mem", "1024", "--timeout", "120", *options, *added(name), "--add", f"{script.name}:/script",
                    "--", "bash", "/script"], limit=400)
    time = re.search(r"@@ ([\d.]+)", run.stderr + run.stdout)
    return re.sub(r"(?m)^@@ .*\n?", "", run.stdout), time[1] if time else "-"


def main() -> int:
    wanted = sys.argv[1:] or list(PROGRAMS)
    linux, failed = linux_kernel(), 0
    print(f"{'program':20} {'output':10} {'s in Baton':>10} {'s in Linux':>10}")
    for name in wanted:
        if not here(name.split()[0]):
            print(f"{name:20} not on this host")
            continue
        with tempfile.TemporaryDirectory() as folder:
            text = PROGRAMS[name][1].replace("/tmp", folder)
            host = subprocess.run(["bash", "-c", f"( {text}\n ) 2>&1"], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                                  env={"PATH": "/usr/bin:/bin", "HOME": folder, "LC_ALL": "C"}).stdout
        ours, time = in_guest(name, [])
        theirs = in_guest(name, ["--linux", str(linux)])[1] if linux else "-"
        same = ours == host
        failed += not same
        print(f"{name:20} {'same' if same else 'different':10} {time:>10} {theirs:>10}", flush=True)
        if not same:
            print(f"--- on the host\n{host}--- in the guest\n{ours}---")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
