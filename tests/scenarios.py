"""Whole runs through tools/run: statuses, failures, memory sizes, scheduling, determinism."""
import re
import shlex
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from driver import ROOT, RUN, Machine, Skipped, call, check, deterministic, guest, guest_with, last, program, test


@test
def command_status_and_output() -> None:
    result = guest("echo", "hello", "world")
    check(result.stdout == "hello world\n", repr(result.stdout))
    guest("sh", "-c", "exit 7", status=7)
    guest("sh", "-c", "kill -9 $$", status=137)
    guest("nothing-like-this", status=127)


@test
def stdin_is_passed_through() -> None:
    text = "".join(f"line {i}\n" for i in range(3000))
    result = guest("wc", "-lc", stdin=text)
    check(result.stdout == f"3000 {len(text)}\n", repr(result.stdout))


@test
def panic_is_125_with_a_backtrace() -> None:
    result = guest("true", options=["--append", "crash=panic"], status=125)
    check(re.search(r"#\d 0x\w+ crash_panic\+0x\w+ +kernel/debug/crash.c:\d+", result.stderr),
          result.stderr)
    result = guest("true", options=["--append", "crash=overflow"], status=125)
    check("kernel stack overflow" in result.stderr, result.stderr)
    result = guest("sh", "-c", "echo c >/proc/sysrq-trigger", status=125)
    check("text_write" in result.stderr, result.stderr)


@test
def user_memory_followed_in_the_kernel_is_a_panic() -> None:
    """Not an endless loop of faults on a page that is there."""
    result = guest("sh", "-c", "echo u >/proc/sysrq-trigger", options=["--icount", "--timeout", "5"],
                   status=125)
    check("PANIC: page fault" in result.stderr and "write_sysrq" in result.stderr, result.stderr)


@test
def panic_is_heard_though_the_line_is_busy() -> None:
    """Another CPU is stopped while it writes to the line that the panic is told on, and holds its lock.
    In a session: a command has no access to that line."""
    log = ROOT / "build/busy-line.log"
    for end, limit, status, told in (("echo c >/proc/sysrq-trigger", "60", 125, "PANIC: sysrq-trigger"),
                                     ("wait", "1", 124, "timeout: the guest's time is over")):
        result = call([RUN, "--kernel", "--smp", "2", "--timeout", limit, "--log", str(log)],
                      f"yes >/dev/ttyS1 & sleep 0.05; {end}\n")
        check(result.returncode == status and told in result.stderr,
              f"{result.returncode}: {result.stderr[-2000:]}")
    log.unlink()
    shutil.rmtree(ROOT / "build/failed/busy-line")


@test
def end_of_init_is_128_and_says_how() -> None:
    """Also with other threads, which have to end first, and without memory."""
    for end, told in (("exit-3", "exited with status 3"), ("thread-exit-3", "exited with status 3"),
                      ("crash", "killed by signal 11"), ("thread-crash", "killed by signal 11"),
                      ("memory", "killed by signal")):
        result = guest("true", options=["--add", f"{ROOT}/build/user/test/ends:/init", "--append",
                                        f"end={end}", "--mem", "64"], status=128)
        check(f"init ended: {told}" in result.stderr and "PANIC" not in result.stderr, result.stderr)
    result = guest("true", options=["--add", f"{ROOT}/README.md:/init"], status=128)
    check("init ended: it cannot be run: /init: Exec format error" in result.stderr, result.stderr)


@test
def init_cannot_be_cut_while_it_runs() -> None:
    result = guest("sh", "-c", "(: >/init) 2>&1; (echo x >>/init) 2>&1; wc -c </init; cp /init /tmp/a; "
                   "mv /tmp/a /init; echo x >>/init; echo there")
    lines = result.stdout.splitlines()
    check("busy" in lines[0] and "busy" in lines[1] and int(lines[2]) > 10000 and lines[3] == "there",
          result.stdout)


@test
def options_that_are_not_taken_as_they_are_are_told() -> None:
    for option, told in (("tiemout=5", 'no option is called "tiemout=5"'), ("timeout=soon", "is no number"),
                         ("timeout=0", "it is 1 now"), ("timeout=99999999999999999999", "it is 4611686018 now"),
                         ("trace=on trace_records=262144", "it is 131072 now"), ("sched=fifo", 'no policy "fifo"; there are: fair rr explore\n')):
        result = guest("true", options=["--append", option])
        check(told in result.stderr, f"{option}: {result.stderr}")
    result = guest("true", options=["--append", "trace=off timeout=60"])
    check(not result.stderr, result.stderr)


@test
def mounts_are_refused_where_they_would_be_lost() -> None:
    with tempfile.TemporaryDirectory() as directory:
        binary = program(directory, "tests/guest/mounts.c")
        result = guest("mounts", options=["--icount", "--add", binary])
    check(result.stdout == "", result.stdout)


@test
def triple_fault_is_126() -> None:
    guest("true", options=["--append", "crash=triple"], status=126)


@test
def endless_loop_is_124() -> None:
    guest("sh", "-c", "while true; do true; done", options=["--icount", "--timeout", "1"], status=124)


@test
def small_and_large_memory() -> None:
    for size in ("64", "8192"):
        result = guest("sh", "-c", "head -1 /proc/meminfo", options=["--mem", size])
        total = int(result.stdout.split()[1]) // 1024
        check(int(size) * 0.8 < total <= int(size), result.stdout)


@test
def memory_is_promised_up_to_a_bound() -> None:
    """16 times what there is, and each promise is given back."""
    for size in (64, 256):
        # Process 2 brings standard input, and is over soon.
        result = guest("sh", "-c", "while test -d /proc/2; do sleep 0.01; done; "
                       "/bin/test/mapping promise; grep Commit /proc/meminfo; for test in "
                       "mapping clone pthread; do /bin/test/$test >/dev/null; done; "
                       "grep Committed /proc/meminfo", options=["--mem", str(size)])
        promised, limit, before, after = result.stdout.splitlines()
        bound = int(limit.split()[1]) // 1024
        check(size * 15 <= bound <= size * 16, result.stdout)
        given = int(promised.split()[0])
        check(bound - 17 <= given <= bound and "fork: Cannot allocate memory" in promised, result.stdout)
        check(before == after, result.stdout)


@test
def round_robin_scheduler_works() -> None:
    result = guest("sh", "-c", "for i in 1 2 3; do sh -c 'echo x' & done; wait; ls / | wc -l",
                   options=["--append", "sched=rr"])
    check(result.stdout.count("x") == 3, result.stdout)


@test
@deterministic
def cpu_hogs_do_not_stop_the_shell() -> None:
    """Six endless loops, and a shell that sleeps ten times 10 ms: under icount 0.11 s in all,
    boot included (0.2 s would be one loop's slice of delay for each sleep)."""
    script = ("i=0; while [ $i -lt 6 ]; do spin & i=$((i + 1)); done; "
              "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.01; done; cat /proc/uptime; exit 0")
    lines = guest_with("spin", script, ["--icount"])
    check(float(lines[0].split()[0]) < 0.2, f"uptime {lines}")


@test
@deterministic
def nice_tasks_get_less() -> None:
    """Nice 0 beside nice 5: weights 1024 and 335, so three times the CPU (within 10 %)."""
    script = "spin & a=$!; nice -n 5 spin & b=$!; sleep 6; cat /proc/$a/stat /proc/$b/stat"
    lines = guest_with("spin", script, ["--icount"])
    first, second = (sum(int(x) for x in line.rsplit(")", 1)[1].split()[11:13]) for line in lines)
    check(2.7 < first / second < 3.4, f"{first} and {second} ticks")


@test
@deterministic
def ps_and_top_show_threads() -> None:
    """Ten endless loops, nine of them threads of one process, and a shell that waits."""
    script = "fair --time=4000 >/dev/null & sleep 1; ps; ps -L; top -H -n 1"
    lines = guest("sh", "-c", script, options=["--icount"]).stdout.splitlines()
    first, second = (i for i, line in enumerate(lines) if line.startswith("  PID   TID "))
    processes, threads, top = lines[:first], lines[first + 1:second - 1], lines[second + 1:]
    check(len(processes) < len(threads) and all(len(line) <= 80 for line in lines[first:]), str(lines))
    loops = [line.split() for line in threads if line.endswith(" fair") and " R " in line]
    crowd = [row for row in loops if [other[0] for other in loops].count(row[0]) == 9]
    check(len(loops) == 10 and len(crowd) == 9 and len({row[1] for row in crowd}) == 9, str(threads))
    # 0.1 s each; user and system time are told in whole ticks, so one tick may be missing
    check(all(int(row[5]) > 10 and row[6] in ("0.09", "0.10") for row in loops), str(threads))
    check(any(re.fullmatch(r" +\d+ +\d+ S wait4 .* sh", line) for line in threads), str(threads))
    # A tenth of a second each: the difference of two numbers of whole ticks may be one more or less.
    shares = [int(line.split()[3].rstrip("%")) for line in top[:10]]
    check(all(8 <= share <= 11 for share in shares) and max(shares) - min(shares) <= 2
          and 90 <= sum(shares) <= 102, str(top))


@test
def readme_commands_work() -> None:
    for line in re.findall(r"^    ((?:tools|tests)/run .*)$", (ROOT / "README.md").read_text(), re.M):
        words = shlex.split(line, comments=True)
        wanted = {125} if "crash=panic" in words else {0}
        log = ["--log", str(ROOT / "build/readme.log")] if words[0] == "tools/run" else []
        result = call([str(ROOT / words[0]), *log, *words[1:]])
        check(result.returncode in wanted, f"{line}: {result.returncode}\n{result.stderr}")


@test
def runs_are_deterministic() -> None:
    if Machine.free:
        raise Skipped("only under icount")
    outputs = {guest("sh", "-c", "isolate >/dev/null; cat /proc/uptime /proc/stat",
                     options=["--icount"]).stdout for _ in range(2)}
    check(len(outputs) == 1, repr(outputs))


@test
def runs_side_by_side_sleep_alike() -> None:
    """Eight machines, four at a time, sleep 20,000 times each, for the same time to the ns."""
    if Machine.free:
        raise Skipped("only under icount")
    asked = last.asked

    def sleep(_: int) -> str:
        last.asked = asked  # each thread has a `last` of its own
        return guest("/bin/test/naps", "20000", options=["--icount"]).stdout

    with ThreadPoolExecutor(4) as pool:
        sums = list(pool.map(sleep, range(8)))
    check(len(set(sums)) == 1, f"ends of the sleeps, added up: {sums}")
