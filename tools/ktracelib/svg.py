"""A picture of the trace that does not move: for documents, and for tests, since the same trace
gives the same bytes. It has light and dark colours; patterns and words tell the states apart."""
from xml.sax.saxutils import escape

from . import format as fmt
from .lanes import RANK, Lane, lanes
from .report import loop_lines, stall_lines
from .spans import Span, duration
from .states import Model

WIDTH, LABELS, ROW, TOP = 960, 130, 24, 44
MICRO, LABEL_MOST = "µs", 17
HEIGHTS = {"ready": 12, "blocked": 8, "parked": 4, "idle": 2, "preempted": 12, "irq": 20}
WORDS = {"stalled": "STALLED by {detail}", "blocking": "{call}() blocks the thread",
         "busy": "{detail}", "blocked": "{detail}", "parked": "{detail}", "ready": "ready",
         "run-kernel": "{call}", "in-syscall": "{call}", "preempted": "preempted"}
LEGEND = [("run-user", "user mode"), ("run-kernel", "kernel mode"), ("irq", "interrupt"),
          ("ready", "ready"), ("blocked", "blocked"), ("parked", "parked"), ("preempted", "preempted"),
          ("blocking", "blocks its thread"), ("stalled", "STALLED by a sibling")]
STYLE = """
svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#1b1f24}.dim{fill:#59636e}
.grid{stroke:#d1d9e0}.run,.busy,.run-user{fill:#3fa45b}.run-kernel,.in-syscall{fill:url(#kernel)}
.irq{fill:#8250df}.ready{fill:#fff;stroke:#b07a00}.blocked,.idle{fill:#aab4bf}
.blocked{stroke:#59636e}.parked{fill:url(#parked)}
.blocking{fill:url(#blocking);stroke:#7a3e00}.stalled{fill:url(#stalled);stroke:#b3001b;stroke-width:2}
.preempted{fill:#f0d48a;stroke:#b07a00}.word{font-size:11px;paint-order:stroke;stroke:#fff;
stroke-width:3px}.bold{font-weight:600}
@media(prefers-color-scheme:dark){svg{background:#15181c}text{fill:#e6e9ec}.dim{fill:#9aa4af}
.grid{stroke:#333a42}.word{stroke:#15181c}.ready{fill:#15181c}.blocked,.idle{fill:#67717c}
.blocked{stroke:#9aa4af}#parked rect{fill:#5fa8b5}}
"""
PATTERNS = """<defs>
<pattern id="kernel" width="4" height="4" patternUnits="userSpaceOnUse"><rect width="4" height="4" fill="#4a86d8"/><path d="M0 1h4" stroke="#1d4f91"/></pattern>
<pattern id="parked" width="6" height="4" patternUnits="userSpaceOnUse"><rect width="3" height="4" fill="#2f7f8f"/></pattern>
<pattern id="blocking" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#e8a55c"/><path d="M0 0l6 6M6 0l-6 6" stroke="#7a3e00"/></pattern>
<pattern id="stalled" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="#ffc9cd"/><rect width="4" height="8" fill="#d1242f"/></pattern>
</defs>"""


def _word(lane: Lane, span: Span) -> str:
    call = span.call or "the kernel"
    if lane.kind == "cpu":
        return f"{span.detail} in {call}" if span.state == "run-kernel" else span.detail
    return WORDS.get(span.state, "").format(detail=span.detail, call=call)


class Picture:
    def __init__(self, model: Model) -> None:
        self.start, self.length = model.start, max(1, model.end - model.start)
        self.out: list[str] = []

    def x(self, time: int) -> float:
        share = min(1.0, max(0.0, (time - self.start) / self.length))
        return round(LABELS + share * (WIDTH - LABELS - 10), 2)

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        kind = f' class="{kind}"' if kind else ""
        self.out.append(f'<text x="{x:g}" y="{y:g}"{kind}>'
                        f"{escape(text)}</text>")

    def grid(self, bottom: float) -> None:
        step = 10 ** len(str(self.length // 10 or 1)) // 10
        step = next(step * k for k in (1, 2, 5, 10, 20) if self.length / (step * k) <= 10)
        for at in range(0, self.length + 1, step):
            x = self.x(self.start + at)
            self.out.append(f'<path class="grid" d="M{x:g} {TOP - 6}V{bottom:g}"/>')
            self.text(x + 2, TOP - 10, duration(at, MICRO) if at else "0", "dim")

    def span(self, span: Span, y: float, word: str) -> None:
        left, right = self.x(span.start), self.x(span.end)
        height = HEIGHTS.get(span.state, 16)
        width = max(0.5, round(right - left, 2))
        title = escape(f"{span.state} {span.call} {span.detail}".strip()
                       + f", {duration(span.end - span.start, MICRO)}")
        title = f"><title>{title}</title></rect>" if width > 4 else "/>"
        self.out.append(f'<rect class="{span.state}" x="{left:g}" y="{y + (ROW - height) / 2:g}" '
                        f'width="{width:g}" height="{height}"{title}')
        if word and width > 6 * len(word) + 4:
            self.text(left + 4, y + ROW / 2 + 4, word, "word bold" if span.state == "stalled" else "word")

    def lane(self, lane: Lane, y: float) -> None:
        indent = {"cpu": 4, "process": 4, "thread": 14, "co": 26}[lane.kind]
        most = WIDTH // 8 if lane.kind == "process" else LABEL_MOST  # a process has the row for itself
        label = lane.label if len(lane.label) <= most else lane.label[:most - 1] + "…"
        self.text(indent, y + ROW / 2 + 4, label, "bold" if lane.kind == "process" else "")
        narrow: dict[int, Span] = {}  # by pixel: what matters most in it
        for span in lane.spans:
            pixel = int(self.x(span.start))
            if self.x(span.end) - self.x(span.start) > 0.8:
                self.span(span, y, _word(lane, span))
            elif pixel not in narrow or RANK.index(span.state) > RANK.index(narrow[pixel].state):
                narrow[pixel] = span
        for state in RANK:
            pixels = [pixel for pixel, span in narrow.items() if span.state == state]
            height = HEIGHTS.get(state, 16)
            if pixels:
                path = "".join(f"M{x} {y + (ROW - height) // 2}h1v{height}h-1z" for x in pixels)
                self.out.append(f'<path class="{state}" d="{path}"/>')


def _legend(picture: Picture, y: float) -> None:
    x = 10.0
    for state, words in LEGEND:
        height = min(14, HEIGHTS.get(state, 12))
        picture.out.append(f'<rect class="{state}" x="{x:g}" y="{y + 6 - height / 2:g}" width="18" '
                           f'height="{height}"/>')
        picture.text(x + 24, y + 10, words, "dim")
        x += 40 + 6.2 * len(words)


def svg(trace: fmt.Trace) -> str:
    model = Model(trace)
    picture, rows = Picture(model), lanes(model)
    bottom = TOP + len(rows) * ROW
    verdict = (stall_lines(model, 3) + loop_lines(model, 3))[:3]
    if not model.records:
        verdict = ["There is no event in this trace: nothing was recorded."]
    picture.grid(bottom)
    picture.text(10, 16, f"{duration(picture.length, MICRO)} of {len(model.records)} events", "dim")
    for number, lane in enumerate(rows):
        picture.lane(lane, TOP + number * ROW)
    _legend(picture, bottom + 12)
    for number, line in enumerate(verdict):
        picture.text(10, bottom + 46 + 18 * number, line.strip(), "bold")
    height = bottom + 40 + 18 * len(verdict)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}">\n<style>{STYLE}</style>{PATTERNS}\n'
            + "\n".join(picture.out) + "\n</svg>\n")
