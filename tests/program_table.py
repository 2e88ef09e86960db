"""The table of programs: what nobody here has built, on the host and in the guest, and what it takes to start
each, beside Linux in the same QEMU. For `make test-programs`: it takes minutes, and what the host does not
have is left out and said so.

python3 tests/program_table.py [--docs] [NAME...]     --docs: and write the table into docs/programs.md
"""
import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
from driver import ROOT, RUN, call  # noqa: E402
from guest_tests import linux_kernel  # noqa: E402
from programs import CORE_COMMANDS, COREUTILS, DASH_TEXT, OTHERS, SETUP, SHELL_TEXT, here, quoted  # noqa: E402

OTHER_SOURCES = ROOT / "tests/others"
TABLE = re.compile(r"(<!-- table of make test-programs -->\n).*?(<!-- end -->\n)", re.S)
CHINESE = "| 程序 | 与主机上一样 | 启动所需的千条指令 | Linux 上 |"
GROUP = 20  # programs whose start is measured in one guest
TOOLS = ["bash", "sort", "cat", "mkdir", "head", "tail", "tr", "echo", "printf", "rm", "seq", "ln", "touch", "wc", "cp", "sleep"]
C = "#include <stdio.h>\nint main(void) { for (int i = 0; i < 3; i++) printf(\"%d\\n\", i * i); return 4; }\n"
WRITE_C = f"printf '%s' {quoted('', C)[1:]}"
ASYNC = ("import asyncio\nasync def f(r, w):\n w.write((await r.readline()).upper()); await w.drain(); w.close()\n"
         "async def m():\n s = await asyncio.start_unix_server(f, '/tmp/s')\n r, w = await asyncio.open_unix_connection('/tmp/s')\n"
         " w.write(b'hello\\n'); print(await r.readline()); s.close()\n"
         " p = await asyncio.create_subprocess_exec('cat', stdin=-1, stdout=-1); print(await p.communicate(b'x'))\nasyncio.run(m())")
SEND = ("import socket, os\na, b = socket.socketpair()\nr, w = os.pipe()\nsocket.send_fds(a, [b'x'], [w])\n"
        "m, f, _, _ = socket.recv_fds(b, 9, 4)\nos.write(f[0], b'passed'); print(m, os.read(r, 9))")
POOL = ("import multiprocessing as m\ndef f(x): return x * x\ndef g(l, v):\n for i in range(100):\n  with l: v.value += 1\n"
        "if __name__ == '__main__':\n with m.Pool(3) as p: print(p.map(f, range(10)))\n l, v = m.Lock(), m.Value('i', 0, lock=False)\n"
        " p = [m.Process(target=g, args=(l, v)) for i in range(3)]\n [x.start() for x in p]; [x.join() for x in p]; print(v.value)\n"
        " q = m.Queue(); x = m.Process(target=q.put, args=('queued',)); x.start(); print(q.get()); x.join()")
THREADS = ("import threading, queue\nq = queue.Queue()\nt = [threading.Thread(target=q.put, args=(i,)) for i in range(20)]\n"
           "[x.start() for x in t]; [x.join() for x in t]; print(sorted(q.get() for _ in t))")
CHILDREN = ("import subprocess as s\nprint(s.run('cat; exit 3', shell=True, input=b'x', capture_output=True))\n"
            "p = s.Popen(['sleep', '9']); p.terminate(); print(p.wait())\ntry: s.run(['sleep', '9'], timeout=.05)\n"
            "except s.TimeoutExpired as e: print(e.cmd)\ntry: s.run(['nothing'])\nexcept OSError as e: print(e)")
DATABASE = ("import sqlite3\nc = sqlite3.connect('/tmp/y.db'); c.execute('pragma journal_mode=wal'); c.execute('create table t(a)')\n"
            "c.executemany('insert into t values (?)', [(i,) for i in range(100)]); c.commit()\n"
            "d = sqlite3.connect('/tmp/y.db', timeout=.05); print(d.execute('select sum(a) from t').fetchall())\n"
            "c.execute('begin exclusive')\ntry: d.execute('insert into t values (1)')\nexcept Exception as e: print(e)")
NODE = ("setTimeout(() => console.log('late'), 20); let f = require('fs'); f.writeFileSync('/tmp/n', 'x'); f.copyFileSync('/tmp/n', '/tmp/o'); console.log(f.readdirSync('/tmp')); "
        "require('child_process').exec('echo child', (e, o) => console.log(o.trim())); "
        "const { Worker } = require('worker_threads'); "
        "new Worker('require(\"worker_threads\").parentPort.postMessage(7)', { eval: true }).on('message', setTimeout.bind(0, console.log, 90))")
PERL = ("use strict; use threads; use Thread::Queue; my $q = Thread::Queue->new; my @t = map { my $i = $_; threads->create(sub "
        "{ $q->enqueue($i * $i); $i }) } 1..4; print join(\",\", map { $_->join } @t), \" \", join(\",\", sort map { $q->dequeue } 1..4), \"\\n\"; "
        "use POSIX qw(floor :sys_wait_h); print floor(3.7), \"\\n\"; open my $p, \"-|\", \"echo x; exit 3\"; print <$p>; close $p; print $? >> 8, \"\\n\"")
TMUX = ("export LANG=C.UTF-8 SHELL=/bin/bash; T='tmux -f /dev/null -L t'; $T new-session -d -x 60 -y 8 \"PS1='$ ' bash --norc\"; "
        "sleep 1; $T send-keys 'echo a$((1 + 1))b; tty | tr -d 0-9; stty size' Enter; sleep 1; $T capture-pane -p; $T split-window -h 'stty size; sleep 9'; "
        "sleep 1; $T list-panes -F '#{pane_width} #{pane_height} #{pane_current_command}'; $T kill-server; sleep 1; $T ls")
VIM = ("export LANG=C.UTF-8; T='tmux -f /dev/null -L v'; $T new-session -d -x 40 -y 6 vim -u NONE /tmp/v; sleep 2; $T send-keys ihello Escape yyp; "
       "sleep 1; $T capture-pane -p; $T send-keys :wq Enter; sleep 1; cat /tmp/v; $T ls")
LESS = ("export LANG=C.UTF-8; T='tmux -f /dev/null -L l'; seq 99 > n; $T new-session -d -x 40 -y 6 less n; sleep 2; $T send-keys G; sleep 1; "
        "$T capture-pane -p; $T send-keys g/7 Enter; sleep 1; $T capture-pane -p; $T send-keys q; sleep 1; $T ls")
GIT = ("export GIT_AUTHOR_DATE='@86400 +0000' GIT_COMMITTER_DATE='@86400 +0000'; cd /tmp; git init -q r; cd r; git config user.name a; git config user.email b; echo x > a; git add a; git commit -qm m; git checkout -qb t; "
       "echo y >> a; git commit -qam n; git checkout -q master; git merge -q t; git log --format=%s --graph; git clone -q . ../q; cat ../q/a; "
       "echo z > a; git stash -q; git status --short; git stash pop -q; git diff | cat; git gc -q; git fsck; ls .git/hooks | wc -l")
MAKE = "mkdir m; cd m; {write} > a.c; printf 'a: a.c\\n\\t{compiler} -o a a.c\\n' > Makefile; make -s -j2; ./a; echo $?"
STRESS = ("stress-ng --metrics-brief --timeout 3 " +
          " ".join(f"--{name} 2 --{name}-ops {count}" for name, count in {
              "cpu": 4, "pipe": 1000, "fork": 20, "switch": 1000, "sem": 500, "futex": 500, "poll": 200, "epoll": 100, "sigq": 200,
              "signal": 500, "kill": 500, "mmap": 2, "vm": 2, "yield": 500, "timer": 100, "nanosleep": 5, "pthread": 20, "eventfd": 200, "fifo": 200,
              "sockpair": 20, "open": 20, "rename": 200, "link": 20, "flock": 50, "lockf": 50, "brk": 100, "clone": 5, "vfork": 20, "zombie": 20,
              "exec": 5, "wait": 20}.items()).replace("--vm 2", "--vm 2 --vm-bytes 4M").replace("--mmap 2", "--mmap 2 --mmap-bytes 1M"))


@dataclass
class Row:
    """A command line for bash; what it needs of the host beside the program that is its name's first word;
    what is built of a source first, as /bin/other; how the program starts and does nothing; what
    it says and the row leaves out."""
    text: str
    needs: str = ""
    build: str = ""
    start: str = ""
    note: str = ""


def text_of(name: str) -> str:
    return "\n".join(OTHERS[name])


PROGRAMS: dict[str, Row] = {
    "bash": Row(SHELL_TEXT, start="bash -c :"), "dash": Row(quoted("dash -c", DASH_TEXT), start="dash -c :"),
    "zsh": Row("zsh -fc 'print -l ${(o)${(s: :):-c a b}}; zmodload zsh/mathfunc; print $((sqrt(16)))'", start="zsh -fc :"),
    "ls and 45 of coreutils": Row("\n".join(CORE_COMMANDS), " ".join(COREUTILS), start="ls /"),
    **{name: Row(text_of(name), "cmp", start=start) for name, start in {
        "find": "find /etc -maxdepth 0", "grep": "grep -q x /etc/motd", "sed": "sed -n 1p /etc/motd", "gawk": "gawk 'BEGIN {}'",
        "mawk": "mawk 'BEGIN {}'", "xargs": "xargs --version", "gzip": "gzip --version", "diff": "diff --version", "bc": "bc --version",
        "dc": "dc --version"}.items()},
    "tar with gzip and xz": Row("mkdir u; seq 99 > u/a; ln -s a u/b; tar c --sort=name -zf x.tgz u; tar cJf x.txz u; tar tzf x.tgz; rm -r u; tar xJf x.txz; ls -R u; "
                                "tail -n 1 u/b; echo broken > x; tar xzf x; echo $?", "gzip xz ls", start="tar --version"),
    "perl": Row(quoted("perl -e", PERL), start="perl -e 0"), "lua5.4": Row("lua5.4 -e 'c = coroutine.wrap(function() for i = 1, 3 do "
    "coroutine.yield(i) end end) print(c(), c(), c(), 7 // 2) print(io.popen(\"echo x\"):read())'", start="lua5.4 -e 0"),
    "ruby": Row(quoted("ruby -e", "require 'json'; q = Queue.new; t = 3.times.map { |i| Thread.new { q << i } }; t.each(&:join); "
                "puts 3.times.map { q.pop }.sort.to_json; f = Fiber.new { Fiber.yield 1; 2 }; puts f.resume, f.resume; puts `echo x`; r, w = IO.pipe; "
                "fork { w.puts 'child' }; puts r.gets; Process.wait; puts $?.exitstatus; sleep 0.01; raise 'end'"), start="ruby -e 0"),
    "php": Row(quoted("php -r", "echo json_encode([1, null]), PHP_EOL; echo shell_exec('echo x'); $f = new Fiber(function () { echo Fiber::suspend(1); }); "
               "echo $f->start(); $f->resume(2); echo md5('x'), PHP_EOL; file_put_contents('f', 'abc', LOCK_EX); echo filesize('f'), PHP_EOL; exit(3);") +
               "; echo $?", start="php -r '0;'"),
    "sqlite3": Row("sqlite3 x.db 'create table t(a); insert into t values (6), (7); select sum(a) from t'; sqlite3 x.db 'pragma journal_mode=wal; "
                   "insert into t values (8); pragma integrity_check; select count(*) from t'", start="sqlite3 :memory: ''"),
    "python3": Row("python3 -c 'import json, sys; print(json.dumps([1, None])); sys.exit(3)'; echo $?", start="python3 -c 0"),
    "python3 threading": Row(quoted("python3 -c", THREADS)), "python3 subprocess": Row(quoted("python3 -c", CHILDREN)),
    "python3 multiprocessing": Row(quoted("python3 -c", POOL)), "python3 asyncio": Row(quoted("python3 -c", ASYNC)),
    "python3 sqlite3": Row(quoted("python3 -c", DATABASE)), "python3 send_fds": Row(quoted("python3 -c", SEND)),
    "git": Row(GIT, "ls", start="git --version"),
    "make with gcc": Row(MAKE.format(write=WRITE_C, compiler="gcc -O2"), "gcc", start="make --version"),
    "gcc": Row(f"{WRITE_C} > b.c; gcc -O2 -Wall -c b.c && echo compiled; echo 'int x = y;' > c.c; gcc -c c.c; echo $?", start="gcc --version"),
    "make with tcc": Row(MAKE.format(write=WRITE_C, compiler="tcc"), "tcc"),
    "tcc": Row(f"{WRITE_C} > b.c; tcc -run b.c; echo $?", start="tcc -v"),
    "go program": Row("other", "echo", build="go build -o {out} {in}/goroutines.go", start="other"),
    "node": Row(quoted("node -e", NODE), "sh", start="node -e 0"),
    "g++ coroutines": Row("other", build="g++ -std=c++20 -o {out} {in}/coroutine.cpp", start="other"),
    "gcc OpenMP": Row("other", build="gcc -fopenmp -o {out} {in}/openmp.c", start="other"),
    "g++ boost.fiber": Row("other", build="g++ -o {out} {in}/fibers.cpp -lboost_fiber -lboost_context", start="other"),
    "gcc libuv": Row("other", "sh", build="gcc -o {out} {in}/loop.c -luv", start="other"),
    "gcc pthreads of glibc": Row("other", build="gcc -pthread -o {out} {in}/pthreads.c", start="other"),
    "musl-gcc pthreads of musl": Row("other", build="musl-gcc -o {out} {in}/pthreads.c", start="other"),
    "hackbench": Row("for o in '' -T -p '-p -T'; do hackbench -g 2 -f 5 -l 20 $o > o; echo $?; grep -c Time: o; done", "grep"),
    "cyclictest": Row("cyclictest -q -l 20 -i 1000 -p 50 -t 2 > o 2> /dev/null; echo $?; grep -c '^T:' o", "grep"),
    "stress-ng": Row(f"{STRESS} > o 2>&1; echo $?; grep error: o; grep -c '[a-z] *[0-9]* .*[0-9]$' o", "grep",
                     note="four stressors say that capabilities cannot be dropped (capset), and go on"),
    "chrt": Row("chrt -f 7 chrt -p 0 | tail -n 1 | sed 's,.*:,,'; chrt -m | head -n 2", "sed", start="chrt -m"),
    "script": Row("script -qec 'tty | tr -d 0-9; stty size; echo hi; exit 3' /dev/null; echo $?; script -qec 'kill -9 $$' log; echo $?; tr -d '\\r' < log | tail -n 1 "
                  "| sed 's/ on .*//'", "tty stty sed", start="script --version"),
    "tmux": Row(TMUX, "tty stty", start="tmux -V"), "vim": Row(VIM, "tmux", start="vim --version"), "less": Row(LESS, "tmux", start="less --version"),
    "ps": Row("ps -o comm= -p $$; p=$BASHPID; sleep 5 & ps -o ppid=,comm= -p $! | sed \"s/.*$p/me/\"; ps -p 99999; echo $?", "sed", start="ps -p 1"),
    "df": Row("df /tmp > o; echo $?; wc -l < o; df nothing; echo $?", start="df /"), "lscpu": Row("lscpu > o; echo $?; grep -c '^Architecture: *x86_64' o", "grep",
                                                                                 start="lscpu --version"),
    "jq": Row("echo '{\"a\": [1, {\"b\": null}], \"c\": 1.5}' | jq -c '.a[1], (.c * 2), keys'; echo '{' | jq .; echo $?", start="jq -n 0"),
    "ssh-keygen": Row("ssh-keygen -q -t ed25519 -N '' -C me -f k; ssh-keygen -l -f k.pub | sed 's/SHA256:[^ ]*/X/'; stat -c %a k; ssh-keygen -y -f k | "
                      "cmp - k.pub; echo x > f; ssh-keygen -q -Y sign -n file -f k f; head -n 1 f.sig", "sed stat cmp", start="ssh-keygen -y -f /none"),
    "curl": Row("echo text > f; curl -s file://$PWD/f; curl -s file:///none; echo $?; curl -s http://127.0.0.1:9/; echo $?", start="curl --version"),
    "rsync": Row("mkdir -p a/d; seq 99 > a/f; ln -s f a/l; touch -d @1000 a/d/old; rsync -a a/ b; ls -R b; stat -c '%Y %a' b/d/old; echo new >> a/f; "
                 "rm a/l; rsync -a --delete --itemize-changes a/ b", "ls stat", start="rsync --version"),
    "openssl": Row("echo x | openssl dgst -sha256; openssl genrsa 2>/dev/null | head -n 1; echo x | openssl enc -aes-256-cbc -pbkdf2 -k p -a | "
                   "openssl enc -d -aes-256-cbc -pbkdf2 -k p -a", start="openssl version"),
}


def missing(name: str) -> list[str]:
    return [program for program in (name.split()[0], *PROGRAMS[name].needs.split()) if not here(program) and name != "go program"]


def added(name: str, other: str) -> list[str]:
    """The options that bring it."""
    row = PROGRAMS[name]
    if row.build:
        return ["--add", f"{other}:/bin/other", *(word for tool in row.needs.split() for word in ("--add", f"/usr/bin/{tool}"))]
    wanted = [name.split()[0], *row.needs.split()]
    return [word for tool in dict.fromkeys(wanted) if here(tool) for word in ("--add", f"/usr/bin/{tool}")]


def basic() -> list[str]:
    return [word for tool in TOOLS if here(tool) for word in ("--add", f"/usr/bin/{tool}")]


def in_guest(script: str, options: list[str], memory: int = 1536) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        return call([RUN, "--mem", str(memory), "--timeout", "300", "--icount", *options, *basic(), "--add", f"{file.name}:/script",
                     "--", "bash", "/script"], limit=3000).stdout


def compare(name: str, folder: Path) -> tuple[str, str]:
    """What it prints on the host and in the guest."""
    text = f"export LC_ALL=C TMPDIR=/tmp\n{SETUP}\n(\n{PROGRAMS[name].text}\n) 2>&1"
    work = folder / "work"
    work.mkdir()
    host = subprocess.run(["bash", "-c", text.replace("/tmp", str(work))], text=True, capture_output=True, stdin=subprocess.DEVNULL, cwd=work,
                          env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(work)}, errors="replace").stdout
    begin = "mkdir -p /tmp/work; cd /tmp/work; export PATH=/usr/bin:/bin HOME=/tmp/work; exec < /dev/null\n"
    guest = in_guest(begin + text.replace("/tmp", "/tmp/work"), added(name, str(folder / "other")))
    return host.replace(str(work), "/tmp/work"), guest


def outcome(name: str, folder: Path) -> tuple[str, str, str]:
    """What the host lacks for it, what it prints here, and there."""
    folder.mkdir()
    build = PROGRAMS[name].build.replace("{out}", str(folder / "other")).replace("{in}", str(OTHER_SOURCES))
    lacking = " ".join(missing(name))
    if not lacking and build and call(["sh", "-c", build]).returncode:
        lacking = build
    return (lacking, "", "") if lacking else ("", *compare(name, folder))


def starts_of(group: list[str], folders: dict[str, Path], options: list[str]) -> dict[str, int]:
    """Microseconds of the guest, one for a thousand instructions, from fork to exit of the second start."""
    script, brought = "export PATH=/bin LC_ALL=C HOME=/tmp\nexec < /dev/null\n", []
    for number, name in enumerate(group):
        other = f"other{number}"
        brought += [word.replace(":/bin/other", f":/bin/{other}") for word in added(name, str(folders[name] / "other"))]
        start = re.sub(r"^other", other, PROGRAMS[name].start)
        script += f"for i in 1 2; do a=$EPOCHREALTIME; {start} > /dev/null 2>&1; b=$EPOCHREALTIME; done; echo $((${{b/./}} - ${{a/./}})) {name}\n"
    said = in_guest(script, [*options, *brought], 3072)
    return {name: int(time) for time, name in re.findall(r"(?m)^(\d+) (.+)$", said) if name in group}


def starts(pool: ThreadPoolExecutor, names: list[str], folders: dict[str, Path], options: list[str]) -> dict[str, int]:
    groups = [names[at:at + GROUP] for at in range(0, len(names), GROUP)]
    return {name: time for found in pool.map(lambda group: starts_of(group, folders, options), groups) for name, time in found.items()}


def write_docs(lines: list[str]) -> None:
    for path, header in ((ROOT / "docs/programs.md", lines[0]), (ROOT / "docs/zh/programs.md", CHINESE)):
        path.write_text(TABLE.sub(lambda found: found[1] + "".join(f"{line}\n" for line in [header, *lines[1:]]) + found[2], path.read_text()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--same", action="store_true", help="only whether they print the same")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    args = parser.parse_args()
    wanted, same, theirs = args.names or list(PROGRAMS), {}, {}
    with tempfile.TemporaryDirectory() as top, ThreadPoolExecutor() as pool:
        folders = {name: Path(top, name.replace(" ", "-")) for name in wanted}
        for name, (lacking, host, guest) in zip(wanted, pool.map(lambda name: outcome(name, folders[name]), wanted)):
            if lacking:
                print(f"{name:30} not on this host: {lacking}", flush=True)
                continue
            same[name] = host == guest
            print(f"{name:30} {'same' if same[name] else 'different'}", flush=True)
            if not same[name]:
                print(f"--- on the host\n{host}--- in the guest\n{guest}---", flush=True)
        if args.same:
            return not all(same.values())
        measured, linux = [name for name in same if PROGRAMS[name].start], linux_kernel()
        ours = starts(pool, measured, folders, [])
        if linux:
            theirs = starts(pool, measured, folders, ["--linux", str(linux)])
    lines = ["| program | as on the host | thousand instructions to start | under Linux |", "|---|---|---|---|"]
    lines += [f"| {name} | {'yes' if yes else '**no**'}{PROGRAMS[name].note and ': ' + PROGRAMS[name].note} | {ours.get(name, '-')} | "
              f"{theirs.get(name, '-')} |" for name, yes in same.items()]
    print("\n".join(lines))
    if args.docs:
        write_docs(lines)
    return not all(same.values())


if __name__ == "__main__":
    sys.exit(main())
