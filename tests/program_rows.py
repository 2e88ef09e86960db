"""The rows of the table of programs (program_table.py): what is run of each, and how it is started."""
from dataclasses import dataclass

from programs import CORE_COMMANDS, COREUTILS, DASH_TEXT, OTHERS, SHELL_TEXT, quoted

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
NODE = ("let f = require('fs'); f.writeFileSync('/tmp/n', 'x'); f.copyFileSync('/tmp/n', '/tmp/o'); console.log(f.readdirSync('/tmp')); "
        "const { Worker } = require('worker_threads'); let late = () => setTimeout(() => console.log('late'), 20); "
        "let work = () => new Worker('require(\"worker_threads\").parentPort.postMessage(7)', { eval: true })"
        ".on('message', console.log).on('exit', late); "
        "require('child_process').exec('echo child', (e, o) => { console.log(o.trim()); work(); })")
PERL = ("use strict; use threads; use Thread::Queue; my $q = Thread::Queue->new; my @t = map { my $i = $_; threads->create(sub "
        "{ $q->enqueue($i * $i); $i }) } 1..4; print join(\",\", map { $_->join } @t), \" \", join(\",\", sort map { $q->dequeue } 1..4), \"\\n\"; "
        "use POSIX qw(floor :sys_wait_h); print floor(3.7), \"\\n\"; open my $p, \"-|\", \"echo x; exit 3\"; print <$p>; close $p; print $? >> 8, \"\\n\"")
# A program at a terminal of tmux: `shows TEXT` waits until it is on the screen, `gone` until tmux has ended.
SCREEN = ("export LANG=C.UTF-8 SHELL=/bin/bash TMUX_TMPDIR=/tmp; T='tmux -f /dev/null -L t'; shows() { until $T capture-pane -p | grep -q -e \"$1\"; do sleep .1; done; }; "
          "gone() { while $T ls 2> /dev/null; do sleep .1; done > /dev/null; $T ls; }; $T new-session -d ")
TMUX = (SCREEN + "-x 60 -y 8 \"PS1='$ ' bash --norc\"; "
        "shows '[$]'; $T send-keys 'echo a$((1 + 1))b; tty | tr -d 0-9; stty size' Enter; shows '8 60'; $T capture-pane -p; $T split-window -h 'stty size; sleep 99'; "
        "shows '8 29'; $T list-panes -F '#{pane_width} #{pane_height} #{pane_current_command}'; $T kill-server; gone")
GNU_SCREEN = ("export SCREENDIR=/tmp/s; mkdir -m 700 /tmp/s; " + SCREEN + "-x 60 -y 8 \"PS1='$ ' screen -c /dev/null -S name bash --norc\"; "
              "shows '[$]'; $T send-keys 'echo a$((1 + 1))b; tty | tr -d 0-9; stty size' Enter; shows '8 60'; $T send-keys C-a c; "
              "$T send-keys 'echo second' Enter; shows '^second'; $T send-keys C-a C-a; shows '8 60'; $T capture-pane -p; $T send-keys C-a d; gone; "
              "screen -ls | grep -c 'name.*Detached'; $T new-session -d screen -r name; shows '8 60'; $T send-keys C-a :quit Enter; gone; screen -ls | head -n 1")
VIM = (SCREEN + "-x 40 -y 6 vim -u NONE v; shows New; $T send-keys ihello Escape yypA2 Escape; "
       "shows hello2; $T capture-pane -p; $T send-keys :wq Enter; gone; cat v")
LESS = ("seq 99 > n; " + SCREEN + "-x 40 -y 6 less n; shows '^n'; $T send-keys G; shows END; "
        "$T capture-pane -p; $T send-keys g/7 Enter; shows '^7'; $T capture-pane -p; $T send-keys q; gone")
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
SCHEME = ("(use-modules (ice-9 threads) (ice-9 popen) (ice-9 rdelim)) (define k #f) (define n 0) (display (call/cc (lambda (c) (set! k c) 0))) (newline) (set! n (+ n 1)) "
 "(if (< n 3) (k n)) (display (par-map (lambda (x) (* x x)) '(1 2 3))) (newline) (display (read-line (open-input-pipe \"echo x\"))) (newline) (exit 3)")


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
    "tmux": Row(TMUX, "tty stty grep", start="tmux -V"), "screen": Row(GNU_SCREEN, "tmux tty stty grep", start="screen --version"),
    "vim": Row(VIM, "tmux grep", start="vim --version"), "less": Row(LESS, "tmux grep", start="less --version"),
    "ps": Row("ps -o comm= -p $$; p=$BASHPID; sleep 5 & ps -o ppid=,comm= -p $! | sed \"s/.*$p/me/\"; ps -p 99999; echo $?", "sed", start="ps -p 1"),
    "df": Row("df /tmp > o; echo $?; wc -l < o; df nothing; echo $?", start="df /"), "lscpu": Row("lscpu > o; echo $?; grep -c '^Architecture: *x86_64' o", "grep",
                                                                                 start="lscpu --version"),
    "jq": Row("echo '{\"a\": [1, {\"b\": null}], \"c\": 1.5}' | jq -c '.a[1], (.c * 2), keys'; echo '{' | jq .; echo $?", start="jq -n 0"),
    "ssh-keygen": Row("ssh-keygen -q -t ed25519 -N '' -C me -f k; ssh-keygen -l -f k.pub | sed 's/SHA256:[^ ]*/X/'; stat -c %a k; ssh-keygen -y -f k | "
                      "cmp - k.pub; echo x > f; ssh-keygen -q -Y sign -n file -f k f; head -n 1 f.sig", "sed stat cmp", start="ssh-keygen -y -f /none"),
    "curl": Row("echo text > f; curl -s file://$PWD/f; curl -s file:///none; echo $?; curl -s http://127.0.0.1:9/; echo $?", start="curl --version"),
    "rsync": Row("mkdir -p a/d; seq 99 > a/f; ln -s f a/l; touch -d @1000 a/d/old; rsync -a a/ b; ls -R b; stat -c '%Y %a' b/d/old; echo new >> a/f; "
                 "rm a/l; touch -d @2000 a a/f; rsync -a --delete --itemize-changes a/ b", "ls stat", start="rsync --version"),
    "openssl": Row("echo x | openssl dgst -sha256; openssl genrsa 2>/dev/null | head -n 1; echo x | openssl enc -aes-256-cbc -pbkdf2 -k p -a | "
                   "openssl enc -d -aes-256-cbc -pbkdf2 -k p -a", start="openssl version"),
    "busybox": Row("busybox sh -c 'x=$(busybox seq 9 | busybox sort -r | busybox head -n 2); echo $x; trap \"echo bye\" EXIT; busybox false || echo $?'; "
   "busybox awk 'BEGIN {while ((\"busybox seq 3\" | getline x) > 0) s += x; print s}'; busybox tar cf x.tar f d; busybox tar tf x.tar; busybox find . -type l; "
   "busybox sed -n '$p' n; busybox stat -c '%s %F' f; busybox md5sum f; echo '1 2 + p' | busybox dc; busybox vi -H 2>&1 | busybox head -n 1; busybox mkfifo p; "
   "busybox timeout 1 busybox cat p; echo $?; busybox flock f busybox echo locked; busybox nothing; echo $?", start="busybox true"),
    "mksh": Row("mksh -c 'x=(a b c); print ${#x[@]} ${x[2]}; print -r - $((2 ** 10 >> 3)); (exit 5); print $?; read y <<< here; print $y; coproc=; cat |& print -p hi; read -p z; print $z; trap \"print got\" USR1; kill -USR1 $$'", "cat", start="mksh -c :"),
    "ksh93": Row("ksh93 -c 'typeset -A m; m[a]=1; print ${m[a]} $((sin(0) + 1.5)); function f { typeset x=$1; print $x; }; f hi; sleep .01 & wait $!; print $?; print {1..4}; [[ ab == a* ]] && print yes; kill -l 15; (exit 258); print $?'", "sleep", start="ksh93 -c :"),
    "tcsh": Row("tcsh -fc 'set x = (a b c); echo $x[2] $#x; foreach i (1 2); echo $i; end; @ y = 3 * 4; echo $y; (sleep 0.01; exit 4); echo $status; echo `echo sub`; glob f*; nothing'", "sleep echo", start="tcsh -fc :"),
    "ed": Row("printf 'a\\nhello\\nworld\\n.\\n1s/l/L/g\\n,p\\nw x\\n!echo sub\\nr none\\nq\\n' | ed; cat x; echo $?", "sh", start="ed --version"),
    "m4": Row("printf 'define(f, `ifelse($1, 0, 1, `eval($1 * f(decr($1)))'\"'\"')'\"'\"')f(6)\\nesyscmd(echo x)sysval\\n%s' 'm4exit(3)' | m4; echo $?", "sh", start="m4 --version"),
    "bison": Row("printf '%%token N\\n%%%%\\ns: N | s N;\\n' > a.y; bison -o a.c a.y; grep -c yyparse a.c; printf '%%%%\\ns: x;\\n' > b.y; bison b.y; echo $?", "grep m4", start="bison --version"),
    "flex": Row("printf '%%%%\\n[0-9]+ puts(\"n\");\\n%%%%\\n' > a.l; flex -o a.c a.l; grep -c yylex a.c; echo '[' > b.l; flex b.l; echo $?", "grep m4 sh", start="flex --version"),
    "tclsh": Row(quoted("tclsh <<<", "puts [expr {2 ** 70}]; after 10 {puts late; set done 1}; vwait done; set f [open {|echo x}]; puts [gets $f]; close $f; puts [clock format 0 -gmt 1 -format %Y]; "
   "coroutine c apply {{} {yield 1; yield 2}}; puts [c]; puts [exec sort -r << a\\nb]; if {[catch {exec false} e]} {puts $e}; puts [lsort [glob *]]; exit 3")+"; echo $?", "sort false", start="tclsh /none"),
    "expect": Row(quoted("expect -c", "log_user 0; spawn sh; send \"stty -echo; PS1=; echo a\\$((1 + 1))b\\r\"; expect -re {a2b}; puts got; send \"tty | tr -d 0-9\\r\"; expect -re {/dev/pts/}; puts tty; "
   "send \"read x; echo 'is '\\$x\\r\"; send \"word\\r\"; expect {is word}; puts answered; send \"exit 4\\r\"; expect eof; puts [lindex [wait] 3]; set timeout 1; spawn cat; expect nothing timeout {puts late}; exec kill -9 [exp_pid]; expect eof; puts [lrange [wait] 4 6]"), "sh stty tty tr kill cat", start="expect -v"),
    "guile": Row("export GUILE_AUTO_COMPILE=0; " + quoted("guile -c", SCHEME), "sh", start="guile -c 0"),
    "ocaml": Row(quoted("echo", "let rec f = function 0 -> 1 | n -> n * f (n - 1);; print_int (f 10); print_newline ();; Printf.printf \"%s\\n\" (String.concat \",\" (List.map string_of_int [1; 2]));; exit 3")+" > a.ml; ocaml a.ml; echo $?; echo 'let x : int = \"a\"' > b.ml; ocaml b.ml; echo $?", start="ocaml -version"),
    "sbcl": Row(quoted("sbcl --noinform --no-userinit --eval", "(progn (print (expt 2 100)) (print (handler-case (car 1) (error () :error))) (print (sb-thread:join-thread (sb-thread:make-thread (lambda () (gc :full t) 42)))) "
   "(print (with-output-to-string (s) (run-program \"/bin/echo\" '(\"x\") :output s))) (terpri) (exit :code 3))"), "echo", start="sbcl --version"),
    "clisp": Row(quoted("clisp -norc -q -x", "(progn (print (expt 2 100)) (print (mapcar #'1+ '(1 2))) (exit 3))")+"; echo $?", start="clisp --version"),
    "gforth": Row("gforth -e ': f dup 0> if dup 1- recurse * else drop 1 then ; 10 f . cr s\" echo x\" system 1 0 / bye'; echo $?", "sh", start="gforth --version"),
    "swipl": Row(quoted("swipl -q -g", "X is 2 ** 100, print(X), nl, findall(A-B, append(A, B, [1, 2]), L), print(L), nl, thread_create(true, T), thread_join(T, S), print(S), nl, catch(X2 is 1 / 0, error(E, _), (print(E), nl)), shell('echo x'), halt(3)"), "sh", start="swipl --version"),
    "luajit": Row("luajit -e 'local ffi = require \"ffi\"; ffi.cdef \"int getppid(void);\"; print(ffi.C.getppid() > 0); local s = 0; for i = 1, 1e6 do s = s + i % 7 end; print(s, jit.status()); print(pcall(error, {})  ); os.exit(3)' | sed 's/0x.*//'", "sed", start="luajit -e 0"),
    "erl": Row(quoted("erl -noshell -noinput -eval", "S = self(), [spawn(fun() -> S ! I * I end) || I <- [1, 2, 3]], io:format(\"~p~n\", [lists:sort([receive X -> X end || _ <- [1, 2, 3]])]), io:format(\"~s\", [os:cmd(\"echo x\")]), receive after 10 -> io:format(\"late~n\") end, halt(3)."), "sh sed dirname basename", start="erl -noshell -eval 'halt()'"),
    "emacs": Row("emacs -Q --batch --eval '(progn (princ (expt 2 100)) (terpri) (with-temp-file \"x\" (insert \"hello\")) (princ (shell-command-to-string \"tr a-z A-Z < x\")) (terpri) (let ((p (start-process \"c\" nil \"cat\"))) (set-process-filter p (lambda (p s) (princ s))) (process-send-string p \"back\\n\") (accept-process-output p)) (error \"end\"))'", "sh tr cat", start="emacs --version"),
    "redis-server": Row("redis-server --port 0 --unixsocket /tmp/r --daemonize no --save '' --appendonly yes --dir /tmp > log & until redis-cli -s /tmp/r ping; do sleep 0.1; done 2> /dev/null | tail -n 1; R='redis-cli -s /tmp/r'; $R set a 5; $R incr a; $R eval 'return redis.call(\"get\", \"a\") + 1' 0; seq 50 | sed 's/^/rpush l /' | $R | tail -n 1; $R bgrewriteaof; "
   "$R blpop l 1; $R shutdown; wait $!; echo $?; grep -c 'ready to exit' log", "redis-cli sed grep", start="redis-server --version"),
    "memcached": Row("memcached -u root -s /tmp/m -t 2 & until test -S /tmp/m; do sleep 0.1; done; printf 'set a 0 0 1\\r\\nx\\r\\nget a\\r\\nincr a 1\\r\\nquit\\r\\n' | socat - UNIX:/tmp/m; kill $!; wait $!; echo $?", "socat", start="memcached -V"),
    "socat": Row("socat UNIX-LISTEN:/tmp/s,fork EXEC:'tr a-z A-Z' & until test -S /tmp/s; do sleep 0.1; done; echo hello | socat - UNIX:/tmp/s; echo again | socat -t 9 - UNIX:/tmp/s; kill $!; wait $!; echo $?; "
   "socat -u EXEC:'tty',pty,stderr - 2> /dev/null | tr -d '0-9\\r'; echo x | socat - EXEC:cat,pty,raw,echo=0; echo x | socat -u - UNIX:/tmp/none 2>&1 | sed 's/.* E //'; socat -u OPEN:n SYSTEM:'wc -l'", "tr tty cat sed sh wc", start="socat -V"),
    "nginx": Row("mkdir -p /tmp/g; echo page > /tmp/g/a; printf 'daemon off; master_process off; user root; error_log /tmp/e; pid /tmp/p; events {}\\nhttp { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/b; uwsgi_temp_path /tmp/b; scgi_temp_path /tmp/b; server { listen unix:/tmp/w; root /tmp/g; } }\\n' > c; nginx -c $PWD/c -e /tmp/e & "
   "until test -S /tmp/w; do sleep 0.1; done; curl -s --unix-socket /tmp/w http://x/a; curl -s -o /dev/null -w '%{http_code}\\n' --unix-socket /tmp/w http://x/none; kill -QUIT $!; wait $!; echo $?; grep -c emerg /tmp/e", "curl grep", start="nginx -v", note="without workers (`master_process off`), which want signals from sockets (FIOASYNC)"),
    "dbus-daemon": Row("printf '<busconfig><type>session</type><listen>unix:path=/tmp/b</listen><policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>' > c; dbus-daemon --config-file=$PWD/c --nofork 2> /tmp/l & until test -S /tmp/b; do sleep 0.1; done; export DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/b; "
   "dbus-send --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetConnectionUnixUser string:org.freedesktop.DBus; dbus-send --print-reply --dest=no.body / a.b; echo $?; kill $!; wait $!; echo $?", "dbus-send", start="dbus-daemon --version"),
    "inotifywait": Row("inotifywait -m -r d > o 2> e & until grep -q established e; do sleep 0.1; done; echo x > d/a; mv d/a d/e/b; cat d/e/b; rm -r d/e; until grep -q 'DELETE,ISDIR e' o; do sleep 0.1; done; kill $!; wait $!; echo $?; cat o; "
   "inotifywait -q -t 1 d; echo $?; inotifywait -q none; echo $?", "grep mv", start="inotifywait --help"),
    "entr": Row("while ! test -e r; do echo z >> f; sleep 0.2; done & echo f | entr -n -p -z sh -c 'echo runs > r; cat r; head -n 1 f'; echo $?; echo none | entr -n true; echo $?", "sh true", start="entr -h"),
    "nnn": Row(SCREEN + "-x 40 -y 12 nnn; shows '^ t *$'; touch other; shows other; rm other; until ! $T capture-pane -p | grep -q other; do sleep .1; done; echo gone; $T send-keys q; gone", "tmux grep", start="nnn -V"),
    "nano": Row(SCREEN + "-x 40 -y 8 nano -I x; shows GNU; $T send-keys hello Enter C-o; shows Write; $T send-keys Enter; shows Wrote; $T send-keys C-x; gone; cat x", "tmux grep", start="nano --version"),
    "htop": Row(SCREEN + "-x 60 -y 12 htop; shows PID; $T send-keys F10; gone", "tmux grep", start="htop --version"),
    "top": Row("top -b -n 1 -p $$ > o; echo $?; grep -c bash o; grep -c '^Tasks:' o", "grep", start="top -v"),
    "mc": Row(SCREEN + "-x 60 -y 12 mc -u -b . /tmp; shows Help; $T send-keys F10; gone", "tmux grep", start="mc --version"),
    "bzip2": Row("bzip2 -k n; bzip2 -dc n.bz2 | cmp - n; bzip2 -t n.bz2; echo $?; echo x > b.bz2; bzip2 -t b.bz2; echo $?", "cmp", start="bzip2 --version"),
    "zstd": Row("seq 99999 > b; zstd -q -T2 b; zstd -l b.zst | wc -l; zstd -dc b.zst | cmp - b; zstd -q -t f; echo $?; cat b | zstd -3 | zstd -d | tail -n 1", "cmp", start="zstd --version"),
    "xz": Row("seq 99999 > b; xz -T2 --block-size=100KiB -k b; xz --robot -l b.xz | head -n 1 | cut -f 1; xz -dc -T2 b.xz | cmp - b; xz -t f; echo $?", "cmp cut", start="xz --version"),
    "zip": Row("zip -qry x.zip f d l; unzip -Z1 x.zip; rm l f; unzip -q x.zip; ls -l l | cut -c1; cat f; unzip -p x.zip none; echo $?", "unzip ls cut", start="zip -v"),
    "file": Row("file f n d l /bin/bash | sed 's/, Build.*//; s/ELF.*/ELF/'; file none; echo $?", "sed", start="file --version"),
    "patch": Row("cp f g; printf -- '--- f\\n+++ f\\n@@ -1,2 +1,2 @@\\n-b 2\\n+b 3\\n a 1\\n' > p; patch < p; cat f; patch < p; echo $?; ls", "ls", start="patch --version"),
    "gpg": Row("export GNUPGHOME=/tmp/g; mkdir -m 700 /tmp/g; gpg --version | head -n 1; echo x | gpg --print-md sha256; echo x | gpg --enarmor 2> /dev/null | head -n 1; gpg -q --list-keys; echo $?", start="gpg --version"),
    "lsof": Row("exec 7< f; lsof -p $$ -a -d 7 -Fn 2> /dev/null | tail -n 1 | sed 's,.*/,,'; lsof none; echo $?", "sed", start="lsof -v"),
    "parallel": Row("seq 4 | parallel -k -j 2 echo got {}; parallel -k 'exit {}' ::: 0 1 2; echo $?", "perl sh", start="parallel --version"),
    "gnuplot": Row("gnuplot -e 'set term dumb 40 12; plot x ** 2; set print \"-\"; print 1.0 / 3; system \"echo x\"'", "sh", start="gnuplot --version"),
    "nasm": Row("printf 'section .text\\nglobal _start\\n_start: mov eax, 60\\nmov edi, 7\\nsyscall\\n' > a.asm; nasm -f elf64 a.asm; ld a.o; ./a.out; echo $?; echo bad > b.asm; nasm b.asm; echo $?", "ld", start="nasm -v"),
    "fish": Row("fish --no-config -c 'set x a b c; echo $x[2] (count $x); for i in (seq 2); echo $i; end; function f; echo f $argv; return 3; end; f hi; echo $status; "
                "echo hi | string upper; sleep 0.01 & wait; echo waited; math 2 ^ 10; begin; echo x; false; end | cat; echo $pipestatus; string match -r \"b.\" abc'; fish --no-config -c nothing; echo $?", "seq sleep cat", start="fish --no-config -c true"),
    "yash": Row("yash --norcfile -c 'x=(a b c); echo ${x[2]} ${#x}; echo $((2 ** 3)); (exit 4); echo $?; trap \"echo got\" USR1; kill -USR1 $$; cat <<< here; sleep 0.01 & wait $!; echo $?; nothing'; echo $?", "cat sleep", start="yash -c :"),
    "dialog": Row("export DIALOGRC=/dev/null; " + SCREEN + "-x 40 -y 10 'dialog --menu Pick 9 30 2 a first b second 2> x'; shows second; $T capture-pane -p; $T send-keys Down Enter; gone; cat x", "tmux grep sh", start="dialog --version"),
    "ne": Row(SCREEN + "-x 50 -y 8 ne x; shows L:; $T send-keys hello Enter world; shows world; $T send-keys C-s; $T send-keys C-q; gone; cat x", "tmux grep", start="ne --help"),
    "joe": Row(SCREEN + "-x 60 -y 8 joe -nobackups x; shows File; $T send-keys hello Enter world; shows world; $T send-keys C-k x; gone; cat x", "tmux grep", start="joe --help"),
    "watch": Row(SCREEN + "-x 50 -y 6 'watch -t -n 0.2 \"echo x >> n; wc -l < n\"'; shows '^1[0-9]'; $T send-keys q C-c; gone", "tmux grep sh wc", start="watch -v"),
    "pigz": Row("seq 99999 > b; pigz -k -p 4 b; pigz -dc -p 2 b.gz | cmp - b; pigz -t f; echo $?; pigz -l b.gz | wc -l; cat b | pigz -p 3 -b 32 | pigz -d | tail -n 1", "cmp", start="pigz --version"),
    "cpio": Row("echo f | cpio -o --quiet -H newc > x; cpio -t --quiet < x; rm f; cpio -i --quiet < x; cat f; mkdir e; find d l | cpio -pd --quiet e; ls -R e; echo junk | cpio -i; echo $?", "find ls", start="cpio --version"),
    "bsdtar": Row("bsdtar cf x.tar f d l; bsdtar tf x.tar; bsdtar -c --format zip -f x.zip f; bsdtar tf x.zip; mkdir e; bsdtar xf x.tar -C e; ls -R e; bsdtar tf f; echo $?", "ls", start="bsdtar --version"),
    "diff3": Row("printf '1\\n2\\n3\\n' > o; printf '1\\n2a\\n3\\n' > x; printf '1\\n2\\n3b\\n' > y; diff3 -m x o y; echo $?; printf '1\\n2c\\n3\\n' > y; diff3 -m x o y; echo $?", "diff", start="diff3 --version"),
    "datamash": Row("seq 9 | datamash sum 1 mean 1; printf 'a 1\\nb 2\\na 3\\n' | datamash -W -s -g 1 sum 2; datamash -W sum 1 <<< x; echo $?", start="datamash --version"),
    "ninja": Row("printf 'rule c\\n command = sleep 0.0$in && echo $in > $out\\n description = make $out\\nbuild x1: c 3\\nbuild x2: c 1\\nbuild all: phony x1 x2\\nrule bad\\n command = exit 3\\nbuild bad: bad\\n' > build.ninja; touch 1 3; ninja -j 3 all > /dev/null; echo $?; cat x1 x2; ninja all; ninja bad; echo $?", "sh sleep", start="ninja --version"),
    "lighttpd": Row("mkdir /tmp/g; echo page > /tmp/g/a; printf 'server.document-root = \"/tmp/g\"\\nserver.bind = \"/tmp/w\"\\nserver.port = 0\\nserver.errorlog = \"/tmp/e\"\\n' > c; lighttpd -D -f c & until test -S /tmp/w; do sleep 0.1; done; "
                    "curl -s --unix-socket /tmp/w http://x/a; curl -s -o /dev/null -w '%{http_code}\\n' --unix-socket /tmp/w http://x/none; kill -INT $!; wait $!; echo $?", "curl", start="lighttpd -v"),
    "haproxy": Row("printf 'global\\n insecure-setuid-wanted\\n nbthread 2\\ndefaults\\n mode http\\n timeout client 9s\\n timeout connect 9s\\n timeout server 9s\\nfrontend f\\n bind unix@/tmp/w\\n http-request return status 200 content-type text/plain string hello if { path /a }\\n default_backend b\\nbackend b\\n server s unix@/tmp/none\\n' > c; haproxy -f c 2> /dev/null & "
                   "until test -S /tmp/w; do sleep 0.1; done; curl -s --unix-socket /tmp/w http://x/a; echo; curl -s -o /dev/null -w '%{http_code}\\n' --unix-socket /tmp/w http://x/b; kill -USR1 $!; wait $!; echo $?", "curl", start="haproxy -v"),
    "s6-svscan": Row("mkdir -p v/a; printf '#!/bin/sh\\necho started\\nexec sleep 99\\n' > v/a/run; chmod +x v/a/run; s6-svscan v & until s6-svok v/a; do sleep 0.1; done; s6-svwait -u v/a; s6-svstat -o up,wantedup v/a; s6-svc -k v/a; s6-svc -wD -d v/a; s6-svstat -o up v/a; s6-svscanctl -t v; wait $!; echo $?", "s6-svok s6-svwait s6-svstat s6-svc s6-svscanctl s6-supervise sh sleep chmod", start="s6-svscan -h"),
    "perl sockets": Row(quoted("perl -e", "use strict; use IO::Socket::UNIX; use IO::Select; my $s = IO::Socket::UNIX->new(Local => \"/tmp/k\", Listen => 5) or die $!; my @p; for my $i (1 .. 4) { my $p = fork; if (!$p) { my $c = IO::Socket::UNIX->new(Peer => \"/tmp/k\") or die $!; "
        "print $c \"line $i\\n\"; my $l = <$c>; exit(length $l) } push @p, $p } my @got; my $sel = IO::Select->new($s); my $n = 0; while ($n < 4) { for my $f ($sel->can_read) { if ($f == $s) { $sel->add($s->accept) } else { my $l = <$f>; push @got, $l; print $f uc $l; $sel->remove($f); close $f; $n++ } } } "
        "print sort @got; for (@p) { waitpid $_, 0; print $? >> 8, \"\\n\" } $SIG{ALRM} = sub { die \"late\\n\" }; alarm 1; eval { select undef, undef, undef, 9 }; print $@")),
    "ruby ractors": Row(quoted("ruby -W0 -e", "r = 3.times.map { |i| Ractor.new(i) { |x| (1..1000).sum * x } }; p r.map(&:take); p Ractor.new { Ractor.receive.upcase }.send('hi').take; q = Thread::SizedQueue.new 2; t = Thread.new { 9.times { |i| q << i }; q << nil }; s = 0; while (x = q.pop); s += x; end; p s; p Process.clock_gettime(Process::CLOCK_MONOTONIC).class; trap(:USR1) { puts 'got' }; Process.kill :USR1, $$; sleep 0.05; require 'timeout'; begin; Timeout.timeout(0.05) { sleep }; rescue Timeout::Error; puts 'late'; end; p `exit 3`, $?.exitstatus"), "sh"),
    "rustc threads": Row("other", "sh cat", build="rustc -O -o {out} {in}/threads.rs", start="other"),
    "cmake": Row("printf 'cmake_minimum_required(VERSION 3.10)\\nproject(p C)\\nadd_executable(p p.c)\\n' > CMakeLists.txt; echo 'int main(void) { return 5; }' > p.c; cmake -S . -B b > /dev/null; echo $?; cmake --build b -j 2 | tail -n 1; b/p; echo $?", "gcc make", start="cmake --version"),
}
