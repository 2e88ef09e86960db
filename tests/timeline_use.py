"""The timeline page as people use it: on a phone, by keyboard, in grey, to measure, with many lanes.

timeline_page.py tests how it looks, what it explains, and how fast it is.
"""
import json
import re
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import trace_samples
from browser import Browser
from driver import ROOT, RUN, call, check, test
from ktracelib import format as fmt, html
from ktracelib.lanes import lanes
from ktracelib.states import Model

KTRACE = str(ROOT / "tools/ktrace")
MS = trace_samples.MS


@contextmanager
def page(trace: fmt.Trace, **how: object) -> Iterator[Browser]:
    """It is open in a browser, and at the end nothing is in the browser's log of errors."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "t.html"
        path.write_text(html.html(trace))
        with Browser(path, **how) as browser:
            yield browser
    check(not browser.complaints, "\n".join(browser.complaints))


@test
def lanes_of_cpus_say_the_mode() -> None:
    """User mode, kernel mode or interrupt, for as long as the tasks on them were in it."""
    for sample in trace_samples.blocking, trace_samples.aware, trace_samples.large:
        model, on_cpus, of_tasks = Model(sample()), Counter(), Counter()
        for lane in lanes(model):
            for span in lane.spans:
                if lane.kind == "cpu" and span.state != "idle":
                    on_cpus[span.state] += span.end - span.start
                if lane.kind == "thread" and span.state in ("run-user", "run-kernel", "irq"):
                    of_tasks[span.state] += span.end - span.start
        check(on_cpus == of_tasks and on_cpus, f"{sample.__name__}: {on_cpus}, tasks {of_tasks}")
    with page(trace_samples.large(1000)) as browser:
        said = browser.evaluate("[...LANES[0].start.keys()].map((i) => explain(LANES[0], i))")
        drawn = browser.evaluate("[...LANES[0].start.keys()].map((i) => wordOf(LANES[0], i))")
    check({"worker 12 12: write", "worker 12 12: user mode"} <= set(drawn), f"{set(drawn)}")
    for wanted in "CPU 0 ran worker 12 12 in user mode for", "CPU 0 ran worker 12 12 in kernel mode, in write() for":
        check(any(wanted in text for text in said), f"{wanted!r}: {said[:6]}")


@test
def each_state_has_an_explanation() -> None:
    """The legend has all that is drawn. Each entry opens two or three sentences and a chapter that is there."""
    with page(trace_samples.blocking()) as browser:
        states = browser.evaluate("[...document.querySelectorAll('#legend button')].map((b) => b.dataset.state)")
        check({"irq", "wake", "mark", "blocked", "parked", "idle"} <= set(states), f"the legend: {states}")
        check(browser.evaluate("STATES.every((state) => WHAT[state])"), "a state without an explanation")
        for state in states:
            title, text, chapter, is_open = browser.evaluate(
                f"document.querySelector('#legend [data-state={state}]').click(); "
                "[...['title', 'text', 'chapter'].map((part) => element(`what-${part}`).textContent), "
                "element('what').open]")
            check(is_open and title.strip() and len(re.findall(r"[.](?: |$)", text)) == 2, f"{state}: {text}")
            check((ROOT / chapter).exists(), f"{state}: {chapter}")
            browser.press("Escape")
        browser.evaluate("select(LANES.findIndex((lane) => lane.label === 'reader'), 0); canvas.focus()")
        browser.press(".", ".", "?")
        check("put its whole thread" in browser.evaluate("element('what-text').textContent").replace("that put", "put"),
              "? explains the state that is selected")


# The luminance of each state's picture, and where there is anything in it at all.
PICTURES = """Object.fromEntries(LEGEND.filter((state) => SHAPES[state]).map((state) => {
  const c = sample(state).getContext('2d'), p = c.getImageData(0, 0, 30, 18).data, grey = [];
  for (let i = 0; i < p.length; i += 4) {
    grey.push(Math.round(0.3 * p[i] + 0.59 * p[i + 1] + 0.11 * p[i + 2]));
  }
  return [state, grey];
}))"""


@test
def states_are_told_apart_without_colour() -> None:
    """In grey, in both colour schemes. Blocked and parked: also if there is only black and white."""
    for dark in False, True:
        with page(trace_samples.blocking(), dark=dark) as browser:
            pictures = browser.evaluate(PICTURES)
        for one, a in pictures.items():
            for other, b in pictures.items():
                differ = sum(abs(x - y) > 20 for x, y in zip(a, b))
                check(one == other or differ > len(a) // 12, f"{one} and {other}: {differ} of {len(a)} pixels")
        back = pictures["idle"][0]
        filled = {state: [abs(x - back) > 25 for x in grey] for state, grey in pictures.items()}
        rows = {state: sum(any(filled[state][at:at + 30]) for at in range(0, 540, 30)) for state in filled}
        gaps = sum(a != b for a, b in zip(filled["parked"][9 * 30:], filled["parked"][9 * 30 + 1:10 * 30]))
        check(rows["blocked"] >= rows["parked"] + 2 and gaps >= 6, f"rows {rows}, {gaps} edges in parked")


@test
def on_paper_it_is_light() -> None:
    with page(trace_samples.blocking(), dark=True) as browser:
        corner = "(() => { const c = new OffscreenCanvas(1, 1).getContext('2d'); c.drawImage(canvas, canvas.width - 2, " \
            "canvas.height - 2, 1, 1, 0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3); })()"
        dark = browser.evaluate(corner)
        paper = browser.evaluate(f"dispatchEvent(new Event('beforeprint')); {corner}")
        after = browser.evaluate(f"dispatchEvent(new Event('afterprint')); {corner}")
    check(max(dark) < 60 and paper == [255, 255, 255] and after == dark, f"{dark}, {paper}, {after}")


@test
def a_phone_is_enough() -> None:
    """Held high or wide the lanes have most of the screen, nothing is cut off, and fingers do it all."""
    for size, least in {(390, 844): 0.5, (844, 390): 0.65, (360, 640): 0.5, (667, 375): 0.6, (320, 568): 0.45}.items():
        with page(trace_samples.blocking(), size=size) as browser:
            share, over, low = browser.evaluate(
                "[height / innerHeight, document.documentElement.scrollWidth - innerWidth, "
                "document.querySelector('footer').getBoundingClientRect().bottom - innerHeight]")
            check(share >= least and over <= 0 and low <= 1, f"{size}: {share:.2f} of it, {over} too wide, {low} too high")
            browser.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
            top = browser.evaluate("canvas.getBoundingClientRect().top")
            y, before = int(top + 80), browser.evaluate("view.to - view.from")
            browser.touch([(200, y), (260, y)], [(180, y), (300, y)], [(140, y), (340, y)])
            after, start = browser.evaluate("[view.to - view.from, view.from]")
            check(after < before / 2, f"{size}: two fingers zoom from {before} to {after}")
            browser.touch([(300, y)], [(260, y)], [(220, y)])
            check(browser.evaluate("view.from") > start, f"{size}: one finger moves")
            browser.evaluate("element('fit').click(); element('measure').click()")
            browser.touch([(200, y)], [(250, y)], [(300, y)])
            check(browser.evaluate("view.range !== null && !element('range').hidden"), f"{size}: it measures")
            share = browser.evaluate("height / innerHeight")
            check(share >= 0.25, f"{size}: {share:.2f} for the lanes while sums are shown")


@test
def many_lanes_of_one_name_fold() -> None:
    with page(trace_samples.many()) as browser:
        shown = browser.evaluate("SHOWN.map((lane) => lane.label)")
        check(shown == ["CPU 0", "process 7: parallel", "thread 7", "164 × piece", "36 × worker"], f"{shown}")
        said = browser.evaluate("select(SHOWN[3].index, SHOWN[3].count - 2); element('sentence').textContent")
        check("164 × piece, folded, for 100 ms: of 164 lanes, 82 STALLED and 82 parked" in said, said)
        browser.evaluate("canvas.focus()")
        browser.press("Enter")
        check(browser.evaluate("SHOWN.length") == 5 + 164, "Enter unfolds")
        rows = browser.evaluate("new Set(SHOWN.map((lane) => rowTops[lane.index])).size")
        check(rows == 5 + 164, f"{rows} rows")
        browser.press("Enter")
        box = browser.evaluate("[canvas.getBoundingClientRect().top + yOf(SHOWN[4].index) + 10, SHOWN.length]")
        check(box[1] == 5, "Enter folds")
        for kind in "mousePressed", "mouseReleased":
            browser.call("Input.dispatchMouseEvent", type=kind, x=40, y=box[0], button="left", clickCount=1)
        check(browser.evaluate("SHOWN.length") == 5 + 36, "a click on the name unfolds")
        found = browser.evaluate("element('search').value = 'piece'; find(true); SHOWN.length")
        check(found == 5 + 36 + 164, "what is found is unfolded")
        short = browser.evaluate("draw(), [...shortened].filter(([key]) => / 36$/.test(key)).map(([, shown]) => shown)")
        check(all(text.endswith(" 36") for text in short), f"{short}")
        cut = browser.evaluate("context.font = '12px sans-serif', shorten('a long name of worker 36', 60)")
        check("…" in cut and cut.endswith("36") and len(cut) < 14, cut)
    with page(trace_samples.blocking()) as browser:
        check(browser.evaluate("SHOWN.every((lane) => !lane.folded)"), "few lanes are not folded")


@test
def the_sums_of_a_range_are_right() -> None:
    """Drawn with the mouse on the axis; each figure reckoned again from the spans."""
    model = Model(trace_samples.blocking())
    with page(trace_samples.blocking()) as browser:
        top = browser.evaluate("canvas.getBoundingClientRect().top")
        for _ in browser.drag(range(300, 700, 40), int(top) + 8):
            pass
        start, end, m, text = browser.evaluate(
            "[view.range.from, view.range.to, (() => { const m = measured(view.range.from, view.range.to); return "
            "[m.switches, m.cpus[0].holders, m.lanes.map((row) => [row.lane.label, row.times, row.turns])]; })(), "
            "element('side').innerText]")
        check(end > start > 0, f"{start} to {end}")
        for lane in lanes(model):
            times: Counter = Counter()
            for span in lane.spans:
                times[span.state] += max(0, min(span.end, end + model.start) - max(span.start, start + model.start))
            row = next((row for row in m[2] if row[0] == lane.label), None)
            if lane.kind in ("thread", "co") and +times:
                check(row and all(abs(times[state] - time) < 1 for state, time in row[1]) and
                      len(row[1]) == len(+times), f"{lane.label}: {row}, {times}")
        switches = sum(r.event == "SWITCH" and start <= r.time - model.start < end for r in model.records)
        check(m[0] == switches and abs(sum(time for _, time in m[1]) - (end - start)) < 1, f"{m[0]}, {switches}")
        for wanted in "Who held the CPU", "Time in each state", "STALLED", f"{switches} switch":
            check(wanted in text, f"{wanted} is not in {text}")
        before = browser.evaluate("view.from")
        browser.press("Escape")
        check(browser.evaluate("view.range === null && element('range').hidden"), "Escape ends it")
        for _ in browser.drag(range(700, 500, -40), int(top) + 100):
            pass
        check(browser.evaluate("view.range === null") and before == 0, "a drag on the lanes still moves")
        browser.evaluate("select(LANES.findIndex((lane) => lane.label === 'ticker a'), 3); canvas.focus()")
        check(browser.evaluate("measure(DATA.length + 1, DATA.length + 9); view.range") is None, "behind the end")
        browser.press("m")
        check(browser.evaluate("view.range.to - view.range.from === spanOf(LANES[view.lane], 3).length"), "m: the span")


@test
def everything_goes_by_keyboard() -> None:
    with page(trace_samples.blocking()) as browser:
        reached = []
        for _ in range(40):
            browser.press("Tab")
            reached.append(browser.evaluate("document.activeElement.id || document.activeElement.dataset.state || "
                                            "document.activeElement.tagName"))
        buttons = browser.evaluate("[...document.querySelectorAll('button, input, canvas')].filter((part) => "
                                   "!part.disabled && part.checkVisibility()).map((part) => part.id || part.dataset.state "
                                   "|| part.tagName).filter((id) => id !== 'CANVAS')")
        check(set(buttons) <= set(reached), f"Tab does not reach {set(buttons) - set(reached)}")
        browser.evaluate("canvas.focus(); clampView(5e8, 15e8)")
        size = "view.to - view.from"
        for key, became in (("w", f"{size} < 9e8"), ("s", f"{size} > 9.9e8"), ("d", "view.from > 5.5e8"),
                            ("a", "view.from < 5.5e8"), ("W", f"{size} < 9e8"), ("h", "element('keys').open")):
            browser.press(key)
            check(browser.evaluate(became), f"{key}: {became}")
        browser.press("Escape", "w")
        check(not browser.evaluate("element('keys').open"), "Escape closes the help")
        check(all(browser.names("button", "searchbox", "application", "dialog")), "a part without a name")
        check("Zoom in" in browser.names("button"), "names of buttons")
        browser.evaluate("element('search').focus()")
        before = browser.evaluate("view.from")
        browser.press("d", "w")
        check(browser.evaluate("view.from") == before, "letters that are typed do not move")


AXIS = """(() => { const axis = axisOf(%d, %d, %d), found = [];
  for (let at = Math.ceil(%d / axis.step) * axis.step; at <= %d; at += axis.step) {
    found.push([at, axisText(axis, at)]);
  }
  return [axis.base, axis.size, found, moment(axis.base, axis.size)]; })()"""


@test
def the_axis_is_readable_at_any_zoom() -> None:
    """In traces of a microsecond to a week: few digits, no two marks alike, and they say when."""
    units = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}
    with page(trace_samples.one_event()) as browser:
        check(browser.evaluate("document.body.innerText").count("1 event in 0 ns"), "one event is shown")
        for start in 0, 1, 999_999, 2_100_003_456, 86_400_123_456_789, 604_800_000_000_001:
            for size in (100, 777, 12_345, 1_000_000, 33_333_333, 1_000_000_000, 4_000_000_000_000):
                for most in (2, 8):
                    base, _, marks, said = browser.evaluate(AXIS % (start, start + size, most, start, start + size))
                    texts = [text for _, text in marks]
                    where = f"{start} + {size}: {said} {texts}"
                    check(texts and len(set(texts)) == len(texts) and max(map(len, texts)) <= 9, where)
                    check(len(texts) <= most + 1 and len(said) < 24, where)
                    for at, text in marks:
                        number, unit = text.split(" ")
                        told = float(number) * units[unit] + base
                        check(abs(told - at) < 1e-6 * size + 0.01, f"{where}: {text} at {at}")
                    if base:
                        number, unit = said.replace("\u202f", "").split(" ")
                        check(abs(float(number) * units[unit] - base) < 1, f"{where}: {said} for {base}")


@test
def the_page_shows_what_made_it() -> None:
    """From tools/run through the .ktr file, as it would be typed; files without it are read as before."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "t.ktr"
        call([RUN, "--icount", "--append", "trace_records=4096", "--trace", str(path), "--log", f"{directory}/log",
              "--", "sh", "-c", "echo '</script><b id=x>'"])
        trace = fmt.load(str(path))
        wanted = "tools/run --icount --append trace_records=4096 -- sh -c 'echo '\"'\"'</script><b id=x>'\"'\"''"
        check(trace.command == wanted, trace.command)
        with page(trace) as browser:
            shown, hurt = browser.evaluate("[element('command').textContent, document.getElementById('x')]")
            check(shown == wanted and hurt is None, shown)
        data = path.read_bytes()
        size = int.from_bytes(data[8:12], "little")
        for value, said in ((7, "the command"), ("x" * 5000, "the command")):
            header = json.dumps(json.loads(data[12:12 + size]) | {"command": value}).encode()
            path.write_bytes(data[:8] + len(header).to_bytes(4, "little") + header + data[12 + size:])
            result = call([KTRACE, "report", str(path)])
            check(result.returncode == 2 and said in result.stderr and result.stderr.count("\n") == 1, result.stderr)
    check(fmt.load(str(ROOT / "labs/0/tour.ktr")).command == "", "an older file")
    with page(trace_samples.blocking()) as browser:
        check(browser.evaluate("element('command')") is None, "nothing is shown that is not known")


@test
def a_loop_that_stands_is_on_the_page() -> None:
    with page(trace_samples.event_loop()) as browser:
        text = browser.evaluate("document.body.innerText")
    for wanted in ("The event loop of thread 7 was stalled by read() for 2 s", "thread 7, read(), 2 s: the event loop "
                   "stalled", "Thread 7 waited 2 s in read() for: pipe read. It was woken by an interrupt"):
        check(wanted in text, f"{wanted!r} is not in {text!r}")


@test
def arrows_are_no_curtain() -> None:
    """Two threads wake each other 200 times in 200 of the trace's million microseconds."""
    s = trace_samples.Sample(cpus=2)
    s.task(7, "ping")
    s.task(8, "pong")
    for round_ in range(100):
        s.now += 1000
        s.event(7, "WAKE", 8, 1)
        s.now += 1000
        s.event(8, "WAKE", 7, 1, cpu=1)
    s.now = 1000 * MS
    s.event(7, "EXIT", 7)
    with page(s.trace()) as browser:
        browser.evaluate("var arrows = 0, real = arrow; arrow = (...a) => { arrows++; real(...a); }")
        counts = []
        for view in "0, DATA.length", "0, 2e5":
            counts.append(browser.evaluate(f"arrows = 0; clampView({view}); draw(); arrows"))
    check(counts[0] <= 4 and counts[1] > 100, f"{counts} arrows")


@test
def what_was_overwritten_has_no_lane() -> None:
    """A thread that ended before the window, and one of which only its birth is left."""
    sample = trace_samples.Sample(cpus=2)
    sample.event(0, "START", 2)
    sample.event(3, "CLONE", 4, 0, cpu=1)
    sample.event(3, "SYSCALL", 231, cpu=1)
    sample.event(3, "EXIT", 3, cpu=1)
    sample.event(3, "SWITCH", 0, 4, 3, cpu=1)
    sample.now = 10 * MS
    sample.event(0, "SWITCH", 5)
    sample.now = 20 * MS
    sample.event(5, "SWITCH", 0)
    trace = sample.trace()
    kept = trace.rings[0].records
    first = fmt.Records.of([(*r[:6], 100 + i, r[7]) for i, r in enumerate(kept)][1:])
    trace = fmt.Trace(trace.header, [trace.rings[0]._replace(lost=99, records=first), trace.rings[1]])
    shown = [lane.label for lane in lanes(Model(trace))]
    check(shown == ["CPU 0", "CPU 1", "process 5: ?", "thread 5"], f"{shown}")


@test
def two_hundred_thousand_events_open() -> str:
    """In processor time of the page's thread, since other tests run, too."""
    with page(trace_samples.large(200_000)) as browser:
        opened = browser.processor_time()
        browser.evaluate("measure(0, DATA.length)")
        browser.frame()
        summed = browser.processor_time() - opened
    check(opened < 5 and summed < 2, f"{opened:.1f} s to open it, {summed:.1f} s to sum it all up")
    return f"{opened:.2f} s of processor time to open it, {summed:.2f} s to sum it all up"
