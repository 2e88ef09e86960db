'use strict';
// Mouse, touch and keyboard.

function clampView(from, to) {
  const least = Math.min(DATA.length, 100), size = Math.min(DATA.length, Math.max(least, to - from));
  const start = Math.min(Math.max(0, from), DATA.length - size);
  view.from = start;
  view.to = start + size;
  view.top = Math.min(Math.max(0, view.top), Math.max(0, rowsHeight - (height - AXIS)));
  changed();
}

function zoom(factor, x = (labels + width) / 2) {
  const middle = timeOf(x), size = (view.to - view.from) * factor, share = (x - labels) / (width - labels);
  clampView(middle - size * share, middle + size * (1 - share));
}

function pan(dx, dy = 0) {
  const time = dx / (width - labels) * (view.to - view.from);
  view.top -= dy;
  clampView(view.from - time, view.to - time);
}

function laneAtY(y) {
  return LANES.findIndex((lane) => y >= Math.max(AXIS, yOf(lane.index)) && y < yOf(lane.index) + ROW[lane.kind]);
}

/** The span under the pointer; a narrow one is found a few pixels beside it, too. */
function spanAtPoint(x, y) {
  const lane = LANES[laneAtY(y)];
  if (!lane || x < labels) {
    return [lane ? lane.index : -1, -1];
  }
  for (const beside of [0, 1, -1, 2, -2, 3, -3]) {
    const i = spanAt(lane, timeOf(x + beside));
    if (i >= 0) {
      return [lane.index, i];
    }
  }
  return [lane.index, -1];
}

const pointers = new Map();
let moved = 0;
const hover = document.getElementById('hover');

function point(event) {
  const box = canvas.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
}

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, point(event));
  moved = pointers.size > 1 ? 100 : 0;
  hover.hidden = true;
});

canvas.addEventListener('pointermove', (event) => {
  const now = point(event), before = pointers.get(event.pointerId);
  if (!before) {
    showHover(now);
    return;
  }
  if (pointers.size === 1) {
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    pan(now.x - before.x, now.y - before.y);
  } else {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const was = Math.max(20, Math.abs(before.x - other.x)), is = Math.max(20, Math.abs(now.x - other.x));
    zoom(was / is, (now.x + other.x) / 2);
    pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }
  pointers.set(event.pointerId, now);
});

function release(event) {
  const at = pointers.get(event.pointerId);
  pointers.delete(event.pointerId);
  if (event.type === 'pointerup' && at && moved < 6) {
    select(...spanAtPoint(at.x, at.y));
  }
}
canvas.addEventListener('pointerup', release);
canvas.addEventListener('pointercancel', release);
canvas.addEventListener('pointerleave', () => {
  hover.hidden = true;
});

canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    pan(-(event.deltaX || event.deltaY));
  } else {
    zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) * 0.003), point(event).x);
  }
}, {passive: false});

function showHover(at) {
  const [lane, i] = spanAtPoint(at.x, at.y);
  hover.hidden = i < 0;
  if (i < 0) {
    return;
  }
  const s = spanOf(LANES[lane], i), more = [callText(s.call), s.detail].filter((t, k) => (k ? t : s.call));
  hover.textContent = `${LANES[lane].label}: ${s.state}${more.length ? `, ${more.join(', ')}` : ''}, ` +
    `${duration(s.length)} from ${duration(s.start)}`;
  hover.style.left = `${Math.max(0, Math.min(at.x + 14, width - 310))}px`;
  hover.style.top = `${at.y + 50 > height ? at.y - 44 : at.y + 18}px`;
}

/** The next lane up or down that has spans, at the time of the selection or the middle. */
function changeLane(step) {
  const time = view.span >= 0 ? (LANES[view.lane].start[view.span] + LANES[view.lane].end[view.span]) / 2
    : (view.from + view.to) / 2;
  for (let at = view.lane < 0 ? (step > 0 ? 0 : LANES.length - 1) : view.lane + step; LANES[at]; at += step) {
    if (LANES[at].count) {
      const i = spanAt(LANES[at], Math.min(view.to, Math.max(view.from, time)));
      select(at, i >= 0 ? i : Math.min(LANES[at].count - 1, spanAfter(LANES[at], time)));
      return;
    }
  }
}

function changeSpan(step) {
  const lane = LANES[view.lane], i = view.span + step;
  if (lane && i >= 0 && i < lane.count) {
    select(view.lane, i);
    bringIntoView(lane.start[i], lane.end[i]);
  }
}

/** Move, and zoom out if it must be, until [start, end] is on the screen. */
function bringIntoView(start, end) {
  const size = Math.max(view.to - view.from, (end - start) * 1.2);
  if (start < view.from || end > view.to) {
    clampView((start + end - size) / 2, (start + end + size) / 2);
  }
}

const KEYS = {
  ArrowLeft: () => pan((width - labels) / 8), ArrowRight: () => pan((labels - width) / 8),
  ArrowUp: () => changeLane(-1), ArrowDown: () => changeLane(1),
  '+': () => zoom(0.7), '=': () => zoom(0.7), '-': () => zoom(1 / 0.7),
  '0': () => clampView(0, DATA.length), ',': () => changeSpan(-1), '.': () => changeSpan(1),
  n: () => goToStall(stallAt + 1), p: () => goToStall(stallAt - 1),
  '/': () => document.getElementById('search').focus(), '?': () => document.getElementById('help').click(),
  Escape: () => select(-1, -1),
};

document.addEventListener('keydown', (event) => {
  const typing = event.target.tagName === 'INPUT';
  if (typing && event.key === 'Escape') {
    canvas.focus();
  }
  if (!typing && KEYS[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
