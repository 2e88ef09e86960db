'use strict';
// Mouse and touch.

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
  const lane = y < AXIS ? null : SHOWN.find((one) => y >= yOf(one.index) && y < yOf(one.index) + ROW[one.kind]);
  return lane ? lane.index : -1;
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
let moved = 0, measuring = null; // from when on, while a ruler is drawn
let measureMode = false; // the button Measure: a drag measures
const hover = document.getElementById('hover');

function point(event) {
  const box = canvas.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
}

/** A time near the edge of a span is that edge. */
function snapped(x, y) {
  const time = timeOf(Math.max(labels, Math.min(width, x))), lane = LANES[laneAtY(y)], near = 6 * pixelTime;
  const edges = [];
  for (let i = lane ? Math.max(0, spanAfter(lane, time - near)) : 0; lane && i < lane.count &&
      lane.start[i] <= time + near && edges.length < 16; i++) {
    edges.push(lane.start[i], lane.end[i]);
  }
  const best = edges.sort((a, b) => Math.abs(a - time) - Math.abs(b - time))[0];
  return Math.abs(best - time) <= near ? best : time;
}

canvas.addEventListener('pointerdown', (event) => {
  const at = point(event);
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at);
  moved = pointers.size > 1 ? 100 : 0;
  hover.hidden = true;
  const ruler = at.x >= labels && (event.shiftKey || measureMode || at.y < AXIS);
  measuring = pointers.size === 1 && ruler ? snapped(at.x, at.y) : null;
});

canvas.addEventListener('pointermove', (event) => {
  const now = point(event), before = pointers.get(event.pointerId);
  if (!before) {
    showHover(now);
    canvas.style.cursor = now.x >= labels && (now.y < AXIS || measureMode) ? 'col-resize' : '';
    return;
  }
  if (pointers.size === 1) {
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (measuring !== null) {
      drawOut(snapped(now.x, now.y));
    } else {
      pan(now.x - before.x, now.y - before.y);
    }
  } else {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const was = Math.max(20, Math.abs(before.x - other.x)), is = Math.max(20, Math.abs(now.x - other.x));
    zoom(was / is, (now.x + other.x) / 2);
    pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }
  pointers.set(event.pointerId, now);
});

/** The ruler follows the pointer; what is in it is summed up when it is let go. */
function drawOut(time) {
  view.range = time === measuring ? null :
    {from: Math.min(time, measuring), to: Math.max(time, measuring)};
  changed();
}

function release(event) {
  const at = pointers.get(event.pointerId);
  pointers.delete(event.pointerId);
  if (event.type === 'pointerup' && at && moved < 6) {
    tap(at);
  } else if (measuring !== null) {
    showRange();
  }
  measuring = null;
}

function tap(at) {
  const lane = LANES[laneAtY(at.y)];
  if (lane && at.x < labels && lane.children.length) {
    toggle(lane);
  } else if (at.y >= AXIS) {
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
  if (point(event).x < labels) {
    pan(0, -event.deltaY);
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
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
  const s = spanOf(LANES[lane], i), call = s.call && callText(s.call);
  const what = [titleOf(s.state), call, s.detail === s.call ? '' : s.detail].filter(Boolean).join(', ');
  hover.textContent = `${LANES[lane].label}: ${what}, ${duration(s.length)} from ` +
    moment(s.start, Math.max(1, pixelTime));
  hover.style.left = `${Math.max(0, Math.min(at.x + 14, width - 310))}px`;
  hover.style.top = `${at.y + 50 > height ? at.y - 44 : at.y + 18}px`;
}
