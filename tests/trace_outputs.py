"""What tools/ktrace makes of a trace. The traces are made by hand (trace_samples.py), so that
nothing here changes with the kernel.

After an intended change: python3 tests/trace_outputs.py renews tests/golden/ and docs/stall.svg.
"""
import json
import re
import shutil
import struct
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Iterator
from xml.etree import ElementTree

import trace_samples
from driver import ROOT, call, check, test
from ktracelib import chrome, format as fmt, perfetto, report, svg
from ktracelib.states import Model

KTRACE = str(ROOT / "tools/ktrace")
GOLDEN = ROOT / "tests/golden"
GOLDENS = {f"{sample.__name__}.{ending}": lambda sample=sample, make=make: make(sample())
           for sample in (trace_samples.blocking, trace_samples.aware, trace_samples.on_host)
           for ending, make in (("svg", svg.svg), ("report", report.report))}


def stall_picture() -> str:
    """The README's picture: the command that it names."""
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/t.ktr"
        subprocess.run([str(ROOT / "tools/run"), "--icount", "--log", f"{directory}/log", "--trace",
                        path, "--", "stall", "--mode=all"], check=True, capture_output=True)
        return svg.svg(fmt.load(path))


@test
def pictures_and_reports_are_as_before() -> None:
    for name, make in GOLDENS.items():
        check((GOLDEN / name).read_text() == make(),
              f"tests/golden/{name} differs; if it should, run python3 tests/trace_outputs.py")


@test
def readme_shows_the_picture_of_stall() -> None:
    """The same words in the same lanes; a nanosecond here or there is no reason to renew it."""
    def words(text: str) -> list[str]:
        return [word for word in re.findall(r"<text[^>]*>([^<]*)<", text) if "events" not in word]

    check("docs/stall.svg" in (ROOT / "README.md").read_text(), "README.md does not show it")
    shown, now = words((ROOT / "docs/stall.svg").read_text()), words(stall_picture())
    check(shown == now, f"docs/stall.svg is not what the command gives; run python3 tests/trace_outputs.py\n"
          f"{set(shown) ^ set(now)}")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: numbers, and what is length-delimited as bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            check(key & 7 == 2, f"wire type {key & 7}")
            size = varint()
            check(at + size <= len(data), "a field goes over the end")
            yield key >> 3, data[at:at + size]
            at += size


@test
def perfetto_file_is_well_formed() -> None:
    tracks: dict[int, tuple[str, int]] = {}
    depth: Counter = Counter()
    slices, last = 0, 0
    data = perfetto.perfetto(trace_samples.blocking())
    for field, packet in fields(data):
        check(field == 1, f"field {field} of the trace")
        content = dict(fields(packet))
        check(content[10] == 1, "each packet has the sequence")
        if 60 in content:
            track = dict(fields(content[60]))
            check(track.get(5, 0) in {0, *tracks}, "a parent comes before its children")
            tracks[track[1]] = (track[2].decode(), track.get(5, 0))
        if 11 in content:
            event = dict(fields(content[11]))
            check(content[8] >= last and event[11] in tracks, "time goes on; the track is known")
            last = content[8]
            depth[event[11]] += 1 if event[9] == 1 else -1
            check(depth[event[11]] in (0, 1), f"{tracks[event[11]]}: slices overlap")
            slices += event[9] == 1
    names = {name: parent for name, parent in tracks.values()}
    check({"CPU 0", "thread 7", "ticker a", "reader"} <= set(names), str(names))
    check(tracks[names["reader"]][0] == "thread 7", "a coroutine is under its thread")
    check(slices > 40 and not any(depth.values()), f"{slices} slices, all ended")


@test
def chrome_json_is_well_formed() -> None:
    events = json.loads(chrome.chrome(trace_samples.blocking()))["traceEvents"]
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    spans: dict[tuple[int, int], list[dict]] = {}
    for event in events:
        if event["ph"] == "X":
            spans.setdefault((event["pid"], event["tid"]), []).append(event)
    check(set(spans) <= set(names), "every track has a name")
    check({"CPU 0", "thread 7", "ticker a", "reader"} <= set(names.values()), str(names))
    for track, found in spans.items():
        for one, after in zip(found, found[1:]):
            check(one["dur"] > 0 and one["ts"] + one["dur"] <= after["ts"] + 1e-6,
                  f"{names[track]}: {one} and {after} overlap")


@test
def states_cover_a_lane_without_overlap() -> None:
    for sample in (trace_samples.blocking, trace_samples.aware, trace_samples.large):
        model = Model(sample())
        for lane in [*model.tasks.values(), *model.coroutines.values()]:
            for one, after in zip(lane.spans, lane.spans[1:]):
                check(one.start < one.end <= after.start, f"{lane.label()}: {one}, {after}")
        running: Counter = Counter()
        for task in model.tasks.values():
            running[task.tid and "tasks"] += sum(s.end - s.start for s in task.spans
                                                 if s.state in ("run-user", "run-kernel", "irq"))
        busy = sum(end - start for cpu in model.cpus for start, end, tid in cpu.spans if tid)
        check(running["tasks"] == busy, f"tasks ran {running['tasks']}, CPUs {busy}")


@test
def a_stall_is_told_with_culprit_and_victims() -> None:
    model = Model(trace_samples.blocking())
    stall = model.stalls[0]
    check(len(model.stalls) == 1 and stall.culprit.name == "reader", str(model.stalls))
    victim, start, end = stall.victims[0]
    check(stall.sentence(victim, start, end) == "ticker a could run, but thread 7 was blocked in "
          "read() by reader for 1.9 s", stall.sentence(victim, start, end))
    check(not Model(trace_samples.aware()).stalls, "none in aware")


@test
def a_loop_that_stands_is_named_with_its_call() -> None:
    """Of who otherwise polls: not who always reads, or as often as it polls, and not our coroutines."""
    model = Model(trace_samples.event_loop())
    said = [stall.sentence() for stall in model.loop_stalls]
    check(said == ["event loop of server 7 stalled by read() for 2 s (pipe read)"], f"{said}")
    text = report.report(trace_samples.event_loop())
    check("  event loop of server 7 stalled by read() for 2 s (pipe read), after 323 ms\n" in text, text)
    check(">event loop of server 7 stalled by read() for 2 s" in svg.svg(trace_samples.event_loop()), "the picture")
    check(not Model(trace_samples.blocking()).loop_stalls, "coroutines have better words")
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/t.ktr"
        fmt.save(trace_samples.event_loop(), path)
        result = call([KTRACE, "check", path, 'max(loop_stall(name="server", call="read")) > 1.9s',
                       "count(loop_stall()) == 1"])
        check(result.returncode == 0, result.stdout + result.stderr)


@test
def check_says_what_holds_and_what_is_wrong() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/t.ktr"
        fmt.save(trace_samples.blocking(), path)

        def run(*expressions: str) -> tuple[int, str]:
            result = call([KTRACE, "check", path, *expressions])
            return result.returncode, result.stdout + result.stderr

        status, text = run('max(stall(co="ticker a")) < 5ms', "count(switch(prev=7, next=8)) >= 1",
                           'total(blocked(name="answer")) / 2 > 500ms and not count(exit()) == 3')
        check(status == 1 and text == 'KTAP version 1\n1..3\n'
              'not ok 1 - max(stall(co="ticker a")) < 5ms\n'
              "# max(stall(co='ticker a')) is 1.9 s\n"
              "ok 2 - count(switch(prev=7, next=8)) >= 1\n"
              'ok 3 - total(blocked(name="answer")) / 2 > 500ms and not count(exit()) == 3\n', text)
        check(run("count(switch()) > 0")[0] == 0, "0 when all hold")
        for wrong, said in (("count(swich()) > 0", "no event or state `swich`"),
                            ("count(switch(to=1)) > 0", "switch has no `to`"),
                            ("count(switch())", "compare it"), ("1 +", "invalid syntax"),
                            ("__import__('os') == 1", "an event or a state"), ("avg(stall()) > 1", "no aggregate"),
                            ("count(stall) < 'a'", "not supported")):
            status, text = run(wrong)
            check(status == 2 and said in text and "Traceback" not in text, f"{wrong}: {text}")


@test
def damaged_files_are_refused_in_one_line() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "t.ktr"
        fmt.save(trace_samples.blocking(), str(path))
        whole = path.read_bytes()
        header = struct.unpack_from("<I", whole, 8)[0] + 12
        for content in (b"", b"hello", whole[:20], whole[:header + 10], whole[:-9],
                        b"KTRACE01" + bytes(30), b"KTRACE01" + b"\xff" * 200,
                        whole[:12] + b"x" + whole[13:]):
            path.write_bytes(content)
            for command in (["report"], ["text"], ["check"], ["svg"], ["html"], ["perfetto"], ["chrome"]):
                expression = ["count(switch()) > 0"] * (command == ["check"])
                result = call([KTRACE, *command, str(path), *expression])
                check(result.returncode == 2 and result.stderr.startswith("tools/ktrace: ") and not result.stdout
                      and result.stderr.count("\n") == 1, f"{command} {content[:20]!r}: {result.stderr}")
        result = call([KTRACE, "text", f"{directory}/none"])
        check(result.returncode == 2 and "No such file" in result.stderr, result.stderr)


@test
def traces_without_events_say_so() -> None:
    """Pages and pictures are made all the same; there is nothing to check or to report."""
    for sample in (trace_samples.Sample(), trace_samples.Sample(on_host=True, cpus=0)):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/t.ktr"
            fmt.save(sample.trace(), path)
            for command in (["report", path], ["text", path], ["check", path, "count(switch()) == 0"]):
                result = call([KTRACE, *command])
                check(result.returncode == 2 and not result.stdout and result.stderr
                      == f"tools/ktrace: {path}: there is no event in it\n", f"{command}: {result}")
            made = {name: call([KTRACE, name, "-o", "-", path]) for name in ("svg", "html", "perfetto", "chrome")}
            check(not any(result.returncode or result.stderr for result in made.values()), f"{made}")
            check("There is no event in this trace" in ElementTree.fromstring(made["svg"].stdout).find(
                "{*}text[last()]").text, made["svg"].stdout)
            check(json.loads(made["chrome"].stdout)["displayTimeUnit"] == "ns", made["chrome"].stdout)


@test
def every_output_is_made_by_its_subcommand() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/t.ktr"
        fmt.save(trace_samples.on_host(), path)
        for name, ending in (("svg", "svg"), ("html", "html"), ("perfetto", "pftrace"), ("chrome", "json")):
            result = call([KTRACE, name, path])
            check(result.stdout == f"{directory}/t.{ending}\n" and Path(directory, f"t.{ending}").stat().st_size
                  > 300, result.stdout + result.stderr)
        page = Path(directory, "t.html").read_text()
        check(not re.search(r"""(src|href)=["'](?!data:)|https?://(?!www\.w3\.org)|@import|fetch\(""", page),
              "the page loads something")


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, make in GOLDENS.items():
        (GOLDEN / name).write_text(make())
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/stall.svg").write_text(stall_picture())
    if shutil.which("chromium"):
        import timeline_page
        timeline_page.renew()


if __name__ == "__main__":
    main()
