"""Programs that nobody here has built, as the host has them: what they print and how they end there,
they print in the guest, too. Those that the host does not have are left out.
"""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from driver import ROOT, RUN, Skipped, call, check, guest, program, test

COREUTILS = """base64 basename cat chmod comm cp cut date dd dirname du env expand expr factor fold head id
    install join ln ls md5sum mkdir mktemp mv nl numfmt od paste printf pwd readlink realpath rm rmdir seq sha256sum
    shuf sleep sort split stat tac tail tee timeout touch tr true truncate tsort uniq wc""".split()
SHELL_TEXT = r"""
    x=(1 2 3); echo ${x[@]}; echo $((3 * 4)); echo ${BASH_VERSION%%.*}
    for i in {1..5}; do echo $i; done | sort -r | head -n 2
    f() { local a=$1; [ $a -gt 0 ] && { echo $a; f $((a - 1)); }; }; f 3
    cat <<< here; echo x | while read y; do echo got $y; done
    trap 'echo trapped' USR1; kill -USR1 $BASHPID; sleep 0.01 & wait $!; echo $?
    (exit 7); echo $?; set -o pipefail; false | true; echo $?; printf '%05d|%-5s|%x\n' 42 ab 255
    [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}; declare -A m=([a]=1 [b]=2); echo ${m[b]}
    coproc { read l; echo "answer $l"; }; echo q >&${COPROC[1]}; read r <&${COPROC[0]}; echo $r"""
DASH_TEXT = r"""
    f() { echo "$# $1"; }; f a b; x=abc; echo ${x#a} ${#x} ${y:-none}; echo $(echo sub | tr s S)
    i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i; (exit 3); echo $?
    echo a b c | { read p q; echo "$q"; }; trap 'echo bye' EXIT; kill -0 $$ && echo alive"""
SETUP = r"""mkdir d d/e; printf 'b 2\na 1\nc 3\na 1\n' > f; seq 20 > n; printf 'x\ty\n' > t; ln -s f l; touch -d @0 d/old"""
CORE_COMMANDS = [
    "base64 f; base64 f | base64 -d", "basename a/b.c .c; dirname a/b", "cat -A t f; tac f; nl f", "chmod 640 f; stat -c '%a %F' f l d",
    "sort -u f > g; comm f g; join g g", "cp -a d d2; ls -R d2; mv d2 d3; ls d3; rm -r d3; ls", "cut -d' ' -f2 f; paste -sd+ n",
    "date -u -d @86400 +%F; TZ=UTC date -d '2020-02-30'", "dd if=n of=m bs=4 count=3 status=none; cat m; rm m", "env -i A=1 env; env -u HOME true",
    "expand t; fold -w 5 n; head -n 2 n; tail -n +19 n; tail -c 3 n", "expr 6 '*' 7; expr abc : 'a\\(.\\)'; factor 1234567890; numfmt --to=iec 123456",
    "install -m 755 -D f p/q/r; stat -c %a p/q/r; rm -r p", "ln f h; stat -c %h f; ln -s /none bad; readlink bad; cat bad; rm h bad",
    "ls -a; ls -1 d; ls --color=never -F; ls nothing", "md5sum f; sha256sum f n", "mkdir d; mkdir -p a/b/c; rmdir -p a/b/c; rmdir d",
    "mktemp -d ./XXXXXX | wc -c; rmdir ./??????", "od -c t; printf '%s %d %q\\n' a 5 'b c'; test -L l && echo link", "realpath --relative-to=. l; pwd | wc -l",
    "seq -w 8 10; seq 1 .5 3; shuf --random-source=/bin/sh -i 1-5 | sort", "sleep 0.01; timeout 0.1 sleep 5; echo $?; (timeout -s KILL 0.1 sleep 5; echo $?) 2> o; rm o",
    "sort -k2n f; sort -r n | uniq -c | head -n 3; sort --parallel=2 -S 1M n | tail -n 1", "split -l 7 n s; wc -l s??; rm s??", "echo x | tee o o2; cat o o2; rm o o2",
    "touch -d @1000 o; stat -c %Y o; truncate -s 5 o; wc -c o; rm o", "tr a-z A-Z < f; echo 'a b b c' | tsort", "true; du -s --apparent-size f > o; wc -l o; rm o",
]
PYTHON_COMMANDS = [
    "print(1); import sys; print(sys.version_info[:2], sys.executable != '')",
    "import json, re, hashlib, zlib, decimal; print(json.dumps({'a': [1, None]}), re.findall('a+', 'baaca'), "
    "hashlib.sha256(b'x').hexdigest(), zlib.crc32(b'x'), decimal.Decimal(1) / 3)",
    "import threading\nl = []\nt = [threading.Thread(target=l.append, args=(i,)) for i in range(8)]\n"
    "[x.start() for x in t]; [x.join() for x in t]; print(sorted(l))",
    "import subprocess; print(subprocess.run(['sh', '-c', 'cat; exit 3'], input=b'x', capture_output=True))",
    "import asyncio\nasync def f(n):\n await asyncio.sleep(.01 * n); print(n)\n"
    "async def m():\n await asyncio.gather(*[f(i) for i in range(3)])\n"
    " p = await asyncio.create_subprocess_exec('echo', 'x', stdout=-1); print(await p.communicate())\nasyncio.run(m())",
    "import os, tempfile, pathlib\nwith tempfile.TemporaryDirectory() as d:\n p = pathlib.Path(d, 'a'); p.write_text('x')\n"
    " print(p.read_text(), os.listdir(d), p.stat().st_size)\nprint(os.path.exists(d))",
    "import signal, time\nl = []\nsignal.signal(signal.SIGALRM, lambda *a: l.append('alarm'))\nsignal.alarm(1)\n"
    "while not l: time.sleep(.01)\nprint(l)",
    "import queue, threading\nq = queue.Queue()\nt = threading.Thread(target=lambda: [q.put(i) for i in range(3)]); t.start()\n"
    "print([q.get(timeout=5) for i in range(3)])\ntry: q.get(timeout=.01)\nexcept queue.Empty: print('empty')",
    "raise SystemExit(5)", "1/0", "import os; os.kill(os.getpid(), 15)",
    "import socket\na, b = socket.socketpair(); a.send(b'x'); print(b.recv(5)); b.settimeout(.01)\ntry: b.recv(1)\nexcept TimeoutError as e: print(e)",
    "import sqlite3; c = sqlite3.connect(':memory:'); print(c.execute('select 6 * 7').fetchall())",
]
OTHERS = {
    "find": ["find . | sort; find d -type d -exec echo {} +; find . -name n -size -2k -printf '%f %s\\n'; find . -newer d/old -type l"],
    "grep": ["grep -n a f; grep -rl 1 . | sort; grep -Eo '[0-9]+' f; grep -c x f; grep -q b f; grep x none"],
    "sed": ["sed -n '2,3p;$=' f; sed 's/\\(.\\) \\(.\\)/\\2 \\1/' f; cp f g; sed -i '1d;y/a/A/' g; cat g; rm g"],
    "mawk": ["mawk '{s += $2} END {print s, NR; printf \"%.3f\\n\", exp(1)}' f; echo | mawk '{\"echo x\" | getline y; print y; system(\"exit 3\")}'"],
    "gawk": ["gawk '{a[$1]++} END {n = asorti(a, b); for (i = 1; i <= n; i++) print b[i], a[b[i]]}' f; gawk 'BEGIN {print strftime(\"%Y\", 0, 1), length(\"é\")}'"],
    "perl": ["perl -e 'print join(\",\", map {$_ * 2} sort {$b <=> $a} 1..5), \"\\n\"; $p = fork // die; exit 3 if !$p; waitpid $p, 0; print $? >> 8, \"\\n\"'",
             "perl -ne 'print if /a/' f; perl -e '$SIG{ALRM} = sub {print \"alarm\\n\"}; alarm 1; select undef, undef, undef, 5; open F, \"-|\", \"echo x\"; print <F>; die \"dead\\n\"'",
             "perl -Mstrict -MPOSIX=floor -Mthreads -e 'print floor(3.7), threads->create(sub {\"made\"})->join, \"\\n\"'"],
    "make": ["printf 'all: a b\\n\\t@echo all\\na b:\\n\\t@echo $@\\nc:\\n\\tfalse\\n' > Makefile; make -j2 | sort; make -n c; make c; rm Makefile"],
    "git": ["export HOME=$PWD; git init -q r && cd r && git config user.email a@b && git config user.name a && echo x > a && git add a && "
            "git commit -qm m && git log --format=%s && git status --short && git branch; git clone -q . ../c; git -C ../c fsck; "
            "ls .git/hooks | wc -l; cd ..; rm -rf r c .gitconfig"],
    "lua": ["lua -e 'c = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(c(), c(), c(), #arg)'"],
    "xargs": ["seq 9 | xargs -n 4 echo; seq 4 | xargs -P 2 -I{} sh -c 'exit 0'; echo a | xargs false"],
    "gzip": ["gzip -k n; gzip -l n.gz | wc -l; gzip -dc n.gz | cmp - n; rm n.gz"],
    "tar": ["tar cf x.tar d f l; tar tf x.tar; mkdir y; tar xf x.tar -C y; ls -R y; rm -r y x.tar"],
    "diff": ["sort f > g; diff f g; diff -u f f; rm g"],
    "bc": ["echo '2^100; scale=5; 1/3' | bc"], "dc": ["echo '2 3 ^ p' | dc"],
    "less": ["less f"],
    "script": ["script -qec 'tty | tr -d 0-9; stty size; stty -echo; stty -a | grep -o \"[-]*echo \"; exit 3' /dev/null"],
    "tput": ["for TERM in linux xterm dumb none; do export TERM; tput cup 1 2 | cat -v; echo; done"],
}


def compare(programs: list[str], commands: list[str]) -> None:
    """Each of the commands prints and ends the same on the host and in the guest."""
    text = f"exec </dev/null; {SETUP}\n" + "".join(
        f"echo '@@ {i}'; (\n{command}\n) 2>&1; echo \"status $?\"\n" for i, command in enumerate(commands))
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "script")
        script.write_text(text)
        os.mkdir(f"{directory}/work")
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C", "TMPDIR": "/tmp"}
        host = subprocess.run(["bash", script], cwd=f"{directory}/work", env=environment, text=True, capture_output=True)
        added = [word for name in ["bash", *programs] for word in ("--add", shutil.which(name, path="/usr/bin:/bin") or name)]
        run = guest("sh", "-c", f"mkdir /work; cd /work; export PATH=/bin LC_ALL=C TMPDIR=/tmp; bash {script} 2>/dev/null; echo; echo '@@ {len(commands)}'; while read line; do echo $line; done < /proc/unimplemented",
                    options=["--mem", "512", "--timeout", "100", "--add", f"{script}:{script}", *added])
    expected, seen = (dict(re.findall(r"(?sm)^@@ (\d+)\n(.*?status \d+\n)", text)) for text in (host.stdout, run.stdout))
    wrong = [f"$ {command}\nhost:\n{expected[str(i)]}guest:\n{seen.get(str(i))}\n"
             for i, command in enumerate(commands) if expected[str(i)] != seen.get(str(i))]
    check(not wrong and not run.stderr, "".join(wrong) + run.stderr +
          f"calls that the kernel does not have, and their number:{run.stdout.rpartition('@@')[2]}")


def place(name: str) -> str | None:
    return shutil.which(name, path="/usr/bin:/bin:/usr/sbin")


def here(name: str) -> bool:
    return place(name) is not None


def quoted(program: str, text: str) -> str:
    return f"{program} " + "'" + text.replace("'", "'\\''") + "'"


@test
def shells_and_coreutils_are_as_on_the_host() -> None:
    shells = ["dash"] if here("dash") else []
    compare([name for name in COREUTILS if here(name)] + shells,
            [SHELL_TEXT, *(quoted("dash -c", DASH_TEXT) for _ in shells), *CORE_COMMANDS])


@test
def programs_of_the_base_system_are_as_on_the_host() -> None:
    found = {name: commands for name, commands in OTHERS.items() if here(name)}
    used = ["cat", "chmod", "cmp", "cp", "echo", "head", "ls", "mkdir", "printf", "rm", "seq", "sort", "touch", "ln", "wc", "tty", "tr", "stty"]
    compare([*found, *filter(here, used)], [command for commands in found.values() for command in commands])


@test
def python_is_as_on_the_host() -> None:
    if not here("python3"):
        raise Skipped("no python3 in /usr/bin")
    used = ["mkdir", "ln", "touch", "seq", "printf", "cat", "echo"]
    compare(["python3", *filter(here, used)], [quoted("python3 -c", command) for command in PYTHON_COMMANDS])


def compiled(output: Path, text: str, *options: str) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".c").write_text(text)
    check(call(["cc", "-o", str(output), str(output.with_suffix(".c")), *options]).returncode == 0, f"cc {output}")
    return output


@test
def programs_bring_their_libraries() -> None:
    if not here("cc"):
        raise Skipped("no compiler of the host's own")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        main = "#include <stdio.h>\nint inner(void), outer(void);\nint main(void) { printf(\"%d\\n\", outer()); return 3; }"
        compiled(folder / "app/lib/deep/libinner.so.1", "int inner(void) { return 20; }", "-shared", "-fPIC",
                 "-Wl,-soname,libinner.so.1")
        os.symlink("libinner.so.1", folder / "app/lib/deep/libinner.so")
        compiled(folder / "app/lib/libouter.so", "int inner(void); int outer(void) { return inner() + 1; }", "-shared", "-fPIC",
                 f"-L{name}/app/lib/deep", "-linner", "-Wl,-rpath,$ORIGIN/deep")
        app = compiled(folder / "app/bin/app", main, f"-L{name}/app/lib", "-louter", "-Wl,-rpath,${ORIGIN}/../lib",
                       f"-Wl,-rpath-link,{name}/app/lib/deep")
        compiled(folder / "static", "#include <stdio.h>\nint main(void) { puts(\"static-pie\"); }", "-static-pie")
        (folder / "script").write_text("#!/usr/bin/env app\n")
        os.symlink("app", folder / "app/bin/link")
        added = [f"{app}:/opt/x/bin/app", f"{folder}/static", f"{folder}/app:/tree", f"{folder}/app/bin/link:/new/"]
        result = guest("sh", "-c", "/opt/x/bin/app; echo $?; static; /tree/bin/link; cat /new/link | wc -c; ls -l /tree/bin /tree/lib/deep",
                       options=[word for item in added for word in ("--add", item)])
        check(result.stdout.startswith(f"21\n3\nstatic-pie\n21\n{app.stat().st_size}\n") and not result.stderr and
              all(text in result.stdout for text in ("link -> app", "libinner.so -> libinner.so.1")), f"{result}")
        os.unlink(folder / "app/lib/deep/libinner.so.1")
        broken = guest("sh", "-c", "app; echo $?", options=["--add", str(app)])
        check("libinner.so.1" in broken.stderr and broken.stderr.count("does not have") == 1, f"{broken}")


@test
def musl_programs_bring_theirs() -> None:
    if not here("cc"):
        raise Skipped("no compiler of the host's own")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loader = folder / "lib/ld-musl-x86_64.so.1"  # the kernel runs it, whatever it is
        loader.parent.mkdir()
        shutil.copy(ROOT / "build/user/bin/true", loader)
        (folder / "etc").mkdir()
        (folder / "etc/ld-musl-x86_64.path").write_text(f"{name}/none\n{name}/own")
        compiled(folder / "own/libown.so", "int own(void) { return 1; }", "-shared", "-fPIC", "-nostdlib")
        app = compiled(folder / "app", "int own(void); int _start(void) { return own(); }", "-nostdlib", f"-L{name}/own", "-lown",
                       f"-Wl,--dynamic-linker={loader}")
        result = guest("sh", "-c", f"app; echo $?; cat {name}/etc/*.path; echo; ls {name}/own", options=["--add", str(app)])
        check(result.stdout == f"0\n{name}/none\n{name}/own\nlibown.so\n" and not result.stderr, f"{result}")


@test
def scripts_bring_their_interpreters() -> None:
    with tempfile.TemporaryDirectory() as name:
        for script, first in (("a", "#!/usr/bin/env bash"), ("b", "#!/bin/bash -e"), ("c", "#!/bin/sh")):
            Path(name, script).write_text(f"{first}\necho ${{BASH_VERSION:+bash}} $0\n")
        result = guest("sh", "-c", "a; b; c", options=[word for script in "abc" for word in ("--add", f"{name}/{script}")])
        check(result.stdout == "bash /bin/a\nbash /bin/b\n/bin/c\n", f"{result}")
        os.chmod(f"{name}/c", 0o755)
        found = subprocess.run([RUN, "--add", "c", "--", "c"], env=os.environ | {"PATH": f"{name}:{os.environ['PATH']}"}, text=True,
                               capture_output=True, cwd="/")
        check(found.stdout == "/bin/c\n", f"of the PATH: {found}")


@test
def large_trees_need_no_second_room() -> None:
    with tempfile.TemporaryDirectory() as name:
        for i in range(6):
            Path(name, f"file{i}").write_bytes(b"x" * (20 << 20) + b"\nlast %d\n" % i)
        result = guest("sh", "-c", "tail -n 1 /big/file5; wc -c < /big/file0",
                       options=["--mem", "192", "--add", f"{name}:/big"])
        check(result.stdout == f"last 5\n{(20 << 20) + 8}\n", f"{result}")


OWN_COMMANDS = """touch a b; ls; touch -c none; touch -c a none; echo $?; ls
touch none/x a; echo $?; touch ''; echo $?; touch -c a/x; echo $?; touch d; echo $?; touch; echo $?
chmod 640 a; stat -c %a a; chmod 07755 a; stat -c %a a; chmod 0 a; stat -c %a a; chmod 1777 d; stat -c %a d
for m in u+x a-w go=r +x -x u=rwx,g=rx = a=,u=r,g=u +w =rw u+x-r o+w=x a+X g=u,o=g ug+s,o+t u+t =rwX; do chmod $m a; echo $? $m; stat -c %a a; done
umask 077; chmod 0 a; chmod +rwx a; stat -c %a a; chmod =x a; stat -c %a a; chmod a+r a; stat -c %a a; umask 022
for m in '' 8 17777 u u+q u=7 q+x u+x, ,u+x u+rg 7777777777777777777777 '+ x'; do chmod "$m" a; echo $?; done
chmod +x a none b; echo $?; chmod 600 none/x; chmod 600 a/x; chmod; echo $?; chmod u+x; echo $?; chmod -- -x a; stat -c %a a b
chmod 600 a; chmod a+X a d; stat -c %a a d; chmod 4755 a; ls -ld a d | cut -c1-10; chmod 7666 a; ls -l a | cut -c1-10; chmod 755 d
mkdir x x/y; echo text > x/y/f; chmod 751 x/y/f; ln -s f x/y/l; cp -r x z; cp -r x z; cp -R x/ w/; cat z/x/y/l; stat -c '%a %F' z/x/y/*
cp z/y/f z/y/f 2> o; echo $?; cat z/y/f; cp x v 2> o; echo $?; cp -r x x/y 2> o; echo $?; rm -r x/y/x; cp x/y/f a v 2> o; echo $?; cp a 2> o; echo $?
cp x/y/f a d; rm 2> o; echo $?; rm -f; echo $?; rm -R w; rm z 2> o; echo $?; shopt -s globstar; echo **"""


@test
def our_programs_for_files_do_what_coreutils_do() -> None:
    """Beside the host's on Linux, and in the guest; stat(1) looks."""
    own = ["touch", "chmod", "ls", "cp", "rm"]
    if not all(map(here, ["stat", "cut", "ln", "mkdir", "bash", *own])):
        raise Skipped("no coreutils in /usr/bin")
    script = f"exec 2>&1; umask 022; mkdir d; {OWN_COMMANDS}\n"
    with tempfile.TemporaryDirectory() as name:
        said = []
        for path in ("", f"{name}/own:"):
            os.makedirs(f"{name}/own", exist_ok=True)
            os.makedirs(f"{name}/work")
            for program in own:
                shutil.copy(ROOT / "build/user/bin" / program, f"{name}/own")
            said.append(subprocess.run(["bash", "-c", script], cwd=f"{name}/work", text=True, capture_output=True,
                                       env={"PATH": f"{path}/usr/bin:/bin", "LC_ALL": "C"}).stdout)
            shutil.rmtree(f"{name}/work")
        run = guest("sh", "-c", f"mkdir /work; cd /work; bash -c '{script.replace(chr(39), chr(34))}'",
                    options=[word for program in ("stat", "cut", "ln", "bash") for word in ("--add", f"/usr/bin/{program}")])
    wanted, linux, baton = (re.sub(r"(?m)^(Try '|usage: ).*\n", "", text) for text in (*said, run.stdout))
    for ours, where in ((linux, "on Linux"), (baton, "in the guest")):
        wrong = [f"{one!r}, {where} {two!r}" for one, two in zip(wanted.splitlines(), ours.splitlines()) if one != two]
        check(len(wanted) > 1000 and ours == wanted, "\n".join(wrong) or f"{where}:\n{ours}")


@test
def dmesg_shows_what_the_kernel_said() -> None:
    """Ours, the host's own in the guest, and ours on Linux, where only the lines' marks are left out."""
    options = ["--add", "/usr/bin/dmesg:/bin/their"] if here("dmesg") else []
    run = guest("sh", "-c", "dmesg > /tmp/a; cat /proc/kmsg > /tmp/b; cat /tmp/a; echo @@; cat /tmp/b; echo @@; "
                + ("their" if options else "true"), options=options)
    ours, log, theirs = run.stdout.split("@@\n")
    check(ours == log and "initramfs:" in ours, f"{ours}\nnot\n{log}")
    check(not options or [line[15:] for line in theirs.splitlines()] == ours.splitlines(), theirs)
    host = call([str(ROOT / "build/user/bin/dmesg")])
    check(host.returncode == 0 and "<" not in host.stdout[:1] or "dmesg: read kernel buffer failed: " in host.stderr,
          host.stdout[:100] + host.stderr)


@test
def calls_that_are_missing_say_so_and_are_counted() -> None:
    """Each call to which docs/calls.md says no."""
    missing = call([str(ROOT / "tools/calls"), "--missing"]).stdout.splitlines()
    numbers = [line.split()[0] for line in missing]
    with tempfile.TemporaryDirectory() as directory:
        binary = program(directory, "tests/guest/unknown.c")
        result = guest("sh", "-c", f"unknown {' '.join(numbers)}; echo @@; cat /proc/unimplemented",
                       options=["--add", binary])
    wrong, _, counted = result.stdout.partition("@@\n")
    check(len(numbers) > 100 and not wrong, f"they are there, or refused another way:\n{wrong}")
    check({line.split()[0] for line in counted.splitlines()} >= set(numbers), counted)


SUITE = """#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    const char *name = strrchr(argv[argc - 1], '/') + 1;
    int guest = access("/proc/unimplemented", F_OK) == 0;
    printf("this is %s\\n", name);
    fflush(stdout);
    while (guest && strcmp(name, "hang") == 0) pause();
    if (guest && strcmp(name, "off") == 0) return reboot(RB_POWER_OFF);
    if (guest && strcmp(name, "other") == 0) return 32;
    return strcmp(name, "fails") == 0 || (guest && strcmp(name, "wrong") == 0);
}
"""


@test
def the_table_of_calls_may_go_anywhere() -> None:
    for shell, status, said in (("head -c 1 > /dev/null", 141, ""), ("cat > /dev/null", 0, "")):
        result = call(["bash", "-c", f"set -o pipefail; {ROOT}/tools/calls | {shell}"])
        check(result.returncode in (0, status) and result.stderr == said, str(result))
    full = call(["sh", "-c", f"{ROOT}/tools/calls > /dev/full"])
    check(full.returncode == 2 and full.stderr == "tools/calls: standard output: No space left on device\n", str(full))


@test
def our_programs_say_what_was_not_written() -> None:
    """The errors of what they hold back come at the very end. They run on the host as in the guest."""
    for command in ("yes", "ls /", "seq 3", "echo a", "head -1 /proc/stat", "wc /proc/stat", "grep c /proc/stat", "env",
                    "uname", "printf x", "cat /proc/stat"):
        name = command.split()[0]
        for where, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
            result = call(["sh", "-c", f"exec {ROOT}/build/user/bin/{command} {where}"])
            check(result.returncode == 1 and re.fullmatch(f"(.*/)?{name}: .*{why}\n", result.stderr),
                  f"{command} {where}: {result}")
    quiet = call(["sh", "-c", f"{ROOT}/build/user/bin/true >&-; {ROOT}/build/user/bin/seq 1000000 | head -1"])
    check(quiet.stdout == "1\n" and not quiet.stderr, str(quiet))


@test
def suites_are_run_here_and_there() -> None:
    if not here("timeout") or not here("cc"):
        raise Skipped("no compiler, or no timeout(1)")
    tool = str(ROOT / "tools/conformance")
    with tempfile.TemporaryDirectory() as name:
        first = compiled(Path(name, "a/right"), SUITE, "-static")
        os.mkdir(f"{name}/b")
        for test_name in ("a/wrong", "a/fails", "b/hang", "b/off", "b/other", "b/right"):
            shutil.copy(first, f"{name}/{test_name}")
        run = call([tool, name, "--limit", "2", "--report", f"{name}/report"])
        report = Path(name, "report").read_text()
    rows = {line.split()[0]: line.split()[1:] for line in report.splitlines()[:3]}
    check(rows["a"] == ["1", "1", "-", "-", "-", "1"] and rows["b"] == ["1", "-", "1", "1", "1", "-"], report + run.stderr)
    check(run.returncode == 1 and run.stdout == report and report.count("this is wrong") == 2, report + run.stderr)
    for wrong in ([], ["/none"], [f"{name}/b/right"], [name, "--limit", "0"]):
        result = call([tool, *wrong])
        check(result.returncode == 2 and "Traceback" not in result.stderr, f"{wrong}: {result}")


# $1 runs of a program with its libraries, in each of which another call for memory fails; how they ended.
SWEEP = """
for ((n = 1; n <= $1; n++)); do
    (echo $n > /proc/self/fail-nth; exec /bin/host/cat /etc/group) > /tmp/out 2>&1
    echo "$? $(< /tmp/out)"
done 2> /dev/null | sort | uniq -c
"""


@test
def a_program_with_libraries_survives_each_failure() -> None:
    """Memory runs out anywhere on its way: exec, its dynamic linker, its work. It ends, and leaves nothing."""
    runs, sweeps, tools = 130, 3, ["bash", "cat", "sort", "uniq"]
    if not all(map(here, tools)):
        raise Skipped("no bash or coreutils")
    with tempfile.NamedTemporaryFile("w") as script:
        script.write(SWEEP)
        script.flush()
        result = guest("sh", "-c", sweeps * f"bash /script {runs}; grep MemFree /proc/meminfo; ", options=["--icount", "--append", "inject", "--add", f"{script.name}:/script", "--add",
                       "/usr/bin/cat:/bin/host/cat", *(word for tool in tools for word in ("--add", f"/usr/bin/{tool}"))])
    *_, before, after = re.findall(r"MemFree: +(\d+)", result.stdout)
    ends = [(int(count), int(status), text) for count, status, text in re.findall(r"(?m)^ *(\d+) (\d+) (.*)$", result.stdout)]
    wrong = [end for end in ends if end[1] not in (0, 1, 126, 127, 137) or end[1] == 0 and end[2] != "root:x:0:"]
    check(before == after and not wrong and sum(end[0] for end in ends) == sweeps * runs, f"{before} and {after} kB free; {wrong}\n{result.stdout}")
    check(sum(end[0] for end in ends if end[1]) > runs, f"of the runs too few failed, or all\n{result.stdout}")
