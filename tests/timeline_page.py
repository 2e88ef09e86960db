"""The timeline page in headless Chromium: how it looks, what it explains, how fast it pans.

The pictures in tests/golden/ are compared block by block with a tolerance, for fonts differ.
"""
import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from statistics import median, quantiles

import trace_samples
from browser import Browser
from driver import ROOT, check, test
from ktracelib import html

GOLDEN = ROOT / "tests/golden"
BLOCK = 20  # pixels a side
PAINTED_MOST = 10000
FRAME_MOST = 50  # milliseconds
SHOTS = {  # how each is opened
    "page-light": {}, "page-dark": {"dark": True}, "page-phone": {"size": (400, 800)},
    "page-search": {"at": "#find=answer"},
}


def decode_png(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, bytes a pixel and rows of an 8-bit RGB or RGBA picture (PNG 1.2, sections 4 and 6)."""
    at, compressed, width, depth = 8, b"", 0, 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            width, _, bits, colour = struct.unpack_from(">IIBB", data, at + 8)
            depth = {2: 3, 6: 4}[colour]
            check(bits == 8, "8 bits a channel")
        if kind == b"IDAT":
            compressed += data[at + 8:at + 8 + size]
        at += size + 12
    raw, stride = zlib.decompress(compressed), width * depth
    rows, above = [], bytes(stride)
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1:start + 1 + stride])
        kind = raw[start]
        for i in range(stride) if kind else ():
            left = row[i - depth] if i >= depth else 0
            corner = above[i - depth] if i >= depth else 0
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = above[i]
            elif kind == 3:
                guess = (left + above[i]) // 2
            else:
                from_left, from_above = abs(above[i] - corner), abs(left - corner)
                from_corner = abs(left + above[i] - 2 * corner)
                guess = corner
                if from_left <= from_above and from_left <= from_corner:
                    guess = left
                elif from_above <= from_corner:
                    guess = above[i]
            row[i] = row[i] + guess & 0xff
        rows.append(bytes(row))
        above = rows[-1]
    return width, depth, rows


def blocks(path: Path) -> list[tuple[int, ...]]:
    """The mean colour of each block of the picture."""
    width, depth, rows = decode_png(path.read_bytes())
    means = []
    for top in range(0, len(rows), BLOCK):
        for left in range(0, width, BLOCK):
            part = b"".join(row[left * depth:(left + BLOCK) * depth] for row in rows[top:top + BLOCK])
            means.append(tuple(sum(part[c::depth]) * depth // len(part) for c in range(3)))
    return means


def sample_page(directory: str, sample: str = "blocking") -> Path:
    path = Path(directory) / f"{sample}.html"
    path.write_text(html.html(getattr(trace_samples, sample)()))
    return path


def shoot(directory: str, name: str) -> Path:
    picture = Path(directory) / f"{name}.png"
    with Browser(sample_page(directory), **SHOTS[name]) as browser:
        browser.screenshot(picture)
    check(not browser.complaints, "\n".join(browser.complaints))
    return picture


@test
def the_page_looks_as_before() -> None:
    for name in SHOTS:
        with tempfile.TemporaryDirectory() as directory:
            now, before = blocks(shoot(directory, name)), blocks(GOLDEN / f"{name}.png")
            other = sum(max(abs(a - b) for a, b in zip(one, two)) > 40 for one, two in zip(now, before))
            if len(now) != len(before) or other > 0.06 * len(before):
                shutil.copy(f"{directory}/{name}.png", ROOT / f"build/{name}.png")
                check(False, f"{other} of {len(before)} blocks of {name} differ: compare "
                      f"build/{name}.png and tests/golden/{name}.png; if it should, run python3 tests/trace_outputs.py")


@test
def the_page_explains_the_stall() -> None:
    """What is there without a click: the verdict, the list, and a sentence on the first victim."""
    with tempfile.TemporaryDirectory() as directory, Browser(sample_page(directory)) as browser:
        text = browser.evaluate("document.body.innerText")
    check(not browser.complaints, "\n".join(browser.complaints))
    for wanted in ("reader blocked thread 7 in read() for 2 s. ticker a, ticker b and ticker c could run, "
                   "but stood still for up to 1.9 s.",
                   "ticker a could run, but thread 7 was blocked in read() by reader for 1.9 s.",
                   "reader, read(), 2 s: ticker a, ticker b and ticker c stalled"):
        check(wanted in text, f"{wanted!r} is not in {text!r}")


# What a user does, and what must be true after it.
SESSION = """
const said = () => document.getElementById('sentence').textContent, wrong = [];
const must = (condition, what) => condition || wrong.push(what), size = () => view.to - view.from;
const pointer = (type, id, x, y) => canvas.dispatchEvent(new PointerEvent(type,
  {pointerId: id, clientX: x, clientY: y + canvas.getBoundingClientRect().top}));
const key = (name) => document.body.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true}));
canvas.setPointerCapture = () => {};
let before = size(), from;
canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: -100, clientX: 500, clientY: 300}));
must(size() < before, 'the wheel zooms in');
from = view.from;
pointer('pointerdown', 1, 600, 200);
pointer('pointermove', 1, 500, 200);
pointer('pointerup', 1, 500, 200);
must(view.from > from, 'dragging moves');
before = size();
pointer('pointerdown', 1, 500, 200);
pointer('pointerdown', 2, 600, 200);
pointer('pointermove', 2, 800, 200);
pointer('pointerup', 2, 800, 200);
pointer('pointerup', 1, 500, 200);
must(size() < before / 2, 'two fingers zoom');
key('0');
must(size() === DATA.length, 'key 0 shows everything');
const reader = LANES.findIndex((lane) => lane.label === 'reader');
pointer('pointerdown', 1, 600, yOf(reader) + 10);
pointer('pointerup', 1, 600, yOf(reader) + 10);
must(said().startsWith('reader called read(), which blocked thread 7 for 2 s (pipe read). Its siblings '
  + 'could run, but did not: ticker a for 1.9 s'), `a click explains: ${said()}`);
key('ArrowUp');
must(said().startsWith('ticker c could run'), `up: ${said()}`);
key(',');
must(said().startsWith('ticker c was parked') && said().includes('sleep'), `comma: ${said()}`);
key('ArrowUp'); key('ArrowUp'); key('ArrowUp');
must(said().startsWith('Thread 7 waited 2 s in read() for: pipe read. It was woken by thread 8.'), `thread: ${said()}`);
key('Escape');
must(view.span === -1, 'Escape leaves');
document.getElementById('search').value = 'nanosleep';
find(true);
must(said().startsWith('Thread 8 waited'), `find: ${said()}`);
wrong;
"""


@test
def the_page_of_no_event_says_so() -> None:
    """With lanes, and without any; nothing throws, also not when it is used."""
    for sample in (trace_samples.Sample(), trace_samples.Sample(on_host=True, cpus=0)):
        with tempfile.TemporaryDirectory() as directory:
            page = Path(directory) / "t.html"
            page.write_text(html.html(sample.trace()))
            with Browser(page) as browser:
                said = browser.evaluate("document.getElementById('verdict').textContent")
                check(said == "There is no event in this trace: nothing was recorded.", said)
                for key in ("0", "n", "p", "ArrowDown", "w", "m", "?"):
                    browser.evaluate("document.getElementById('timeline').dispatchEvent("
                                     f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))")
                browser.frame()
                check(not browser.complaints, f"{browser.complaints}")


@test
def the_page_obeys_mouse_touch_and_keys() -> None:
    with tempfile.TemporaryDirectory() as directory, Browser(sample_page(directory)) as browser:
        wrong = browser.evaluate(SESSION)
    check(not wrong and not browser.complaints, "\n".join(wrong + browser.complaints))


@test
def the_page_pans_a_hundred_thousand_events() -> str:
    """While it is dragged, at every zoom, no frame takes the page 50 ms. That is the processor time
    of the page's thread, since other tests run, too; one frame in a hundred is let off on a slow
    host. And what a frame paints is bounded by the screen: 860 columns in 19 lanes, however many
    events there are."""
    spent, painted = [], []
    with tempfile.TemporaryDirectory() as directory, \
            Browser(sample_page(directory, "large")) as browser:
        for part in 1.1, 6, 40, 1000:
            browser.evaluate(f"clampView(0, DATA.length / {part})")
            browser.frame()
            before = browser.processor_time()
            for _ in browser.drag(range(1000, 160, -12), 400):
                browser.frame()
                spent.append((browser.processor_time() - before) * 1000)
                painted.append(browser.evaluate("painted"))
                before = browser.processor_time()
            check(browser.evaluate("view.from") > 0, "dragging moves")
    check(not browser.complaints, "\n".join(browser.complaints))
    check(quantiles(spent, n=100)[-1] < FRAME_MOST, f"milliseconds: {sorted(spent)[-20:]}")
    check(1000 < max(painted) < PAINTED_MOST, f"{max(painted)} spans in one frame")
    return f"{max(painted)} spans in a frame at most; median {median(spent):.1f} ms, most {max(spent):.1f} ms"


def renew() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name in SHOTS:
            shutil.copy(shoot(directory, name), GOLDEN / f"{name}.png")
