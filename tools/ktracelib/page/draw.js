'use strict';
// The canvas. A span narrower than a pixel is not drawn alone: the columns of pixels that have
// only such ones show the state that matters most there, so the work is bounded by the width.

const canvas = document.getElementById('timeline');
const context = canvas.getContext('2d', {alpha: false});
const AXIS = 26, LEAST = {cpu: 24, process: 26, thread: 26, co: 26}, ROW = {...LEAST};
const view = {from: 0, to: DATA.length, top: 0, lane: -1, span: -1, hits: null};
const look = {}; // colours and patterns of the present colour scheme
let width = 0, height = 0, labels = 150, rowTops = [], rowsHeight = 0;

// How a state looks: its part of the row's height, and how it is filled.
const SHAPES = {
  'busy': [0.7, 'run'], 'idle': [0.08, 'waiting'], 'run-user': [0.7, 'run'], 'run': [0.7, 'run'],
  'run-kernel': [0.7, 'kernel'], 'in-syscall': [0.7, 'kernel'], 'irq': [0.7, 'irq'],
  'ready': [0.5, 'hollow'], 'blocked': [0.3, 'waiting'], 'parked': [0.14, 'waiting'],
  'blocking': [0.7, 'blocking'], 'stalled': [0.78, 'stalled'], 'preempted': [0.5, 'preempted'],
};
const SHAPE_OF = STATES.map((state) => SHAPES[state] || [0.3, 'waiting']);
const RANK_OF = STATES.map((state) => DATA.rank.indexOf(state));

function pattern(size, paint) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  paint(tile.getContext('2d'), size);
  return context.createPattern(tile, 'repeat');
}

function tile(size, back, line, lineWidth, strokes) {
  return pattern(size, (c) => {
    c.fillStyle = back;
    c.fillRect(0, 0, size, size);
    c.strokeStyle = line;
    c.lineWidth = lineWidth;
    for (const [x0, y0, x1, y1] of strokes) {
      c.beginPath();
      c.moveTo(x0, y0);
      c.lineTo(x1, y1);
      c.stroke();
    }
  });
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['back', 'panel', 'text', 'dim', 'line', 'run', 'kernel', 'kernel-line', 'irq',
    'ready', 'waiting', 'blocking', 'blocking-line', 'stalled', 'stalled-back', 'preempted', 'wake',
    'accent', 'hit']) {
    look[name] = style.getPropertyValue(`--${name}`).trim();
  }
  look.fills = {
    run: look.run, waiting: look.waiting, irq: look.irq, hollow: look.back,
    kernel: tile(4, look.kernel, look['kernel-line'], 1, [[0, 1.5, 4, 1.5]]),
    blocking: tile(8, look.blocking, look['blocking-line'], 1, [[0, 0, 8, 8], [8, 0, 0, 8]]),
    stalled: tile(12, look['stalled-back'], look.stalled, 4,
      [[-3, 3, 3, -3], [-3, 15, 15, -3], [9, 15, 15, 9]]),
    preempted: tile(5, look.preempted, look.ready, 1.5, [[1, 2, 2.5, 2]]),
  };
  look.edges = {hollow: look.ready, stalled: look.stalled, blocking: look['blocking-line']};
}

function resize() {
  const ratio = window.devicePixelRatio || 1, box = canvas.parentElement.getBoundingClientRect();
  width = box.width;
  height = box.height;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  labels = width < 560 ? 96 : 150;
  fitRows();
  rowsHeight = 0;
  rowTops = LANES.map((lane) => (rowsHeight += ROW[lane.kind]) - ROW[lane.kind]);
  readColours();
  changed();
}

/** Few lanes are drawn higher. */
function fitRows() {
  const least = LANES.reduce((sum, lane) => sum + LEAST[lane.kind], 0);
  const factor = Math.max(1, Math.min(1.6, (height - AXIS) / least));
  for (const kind of Object.keys(ROW)) {
    ROW[kind] = Math.floor(LEAST[kind] * factor);
  }
}

const xOf = (time) => labels + (time - view.from) / (view.to - view.from) * (width - labels);
const timeOf = (x) => view.from + (x - labels) / (width - labels) * (view.to - view.from);
const yOf = (index) => AXIS + rowTops[index] - view.top;

let painted = 0; // spans in this drawing; the tests bound it
function fill(name, x, y, w, h) {
  painted++;
  context.fillStyle = look.fills[name];
  context.fillRect(x, y, w, h);
  if (look.edges[name] && w > 2) {
    context.strokeStyle = look.edges[name];
    context.lineWidth = name === 'stalled' ? 2 : 1;
    context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
  }
}

function wordOf(lane, i) {
  const s = spanOf(lane, i);
  switch (s.state) {
    case 'stalled': return `STALLED by ${s.detail}`;
    case 'blocking': return `${callText(s.call)} blocks the thread`;
    case 'run-kernel': case 'in-syscall': return s.call || s.detail;
    case 'run-user': case 'run': return 'runs';
    case 'idle': return '';
    default: return s.detail || s.state;
  }
}

function word(text, x, y, room, bold) {
  const most = Math.floor((room - 8) / 6.4);
  if (most < Math.min(4, text.length)) {
    return;
  }
  const shown = text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
  context.font = `${bold ? '600 ' : ''}12px system-ui, sans-serif`;
  context.lineWidth = 3.5;
  context.strokeStyle = look.back;
  context.strokeText(shown, x + 4, y);
  context.fillStyle = look.text;
  context.fillText(shown, x + 4, y);
}

/** The columns of pixels from x on in which no span is wider than one: [state, end, next span]. */
function narrow(lane, i) {
  let state = -1, x = Math.floor(xOf(lane.start[i])), from = x;
  while (i < lane.count && lane.end[i] - lane.start[i] < pixelTime && lane.start[i] < view.to) {
    const column = Math.max(x, Math.floor(xOf(lane.start[i])));
    const next = Math.max(i + 1, spanAfter(lane, timeOf(column + 1)));
    let best = lane.state[i];
    for (let k = i; k < next && k < i + 12; k++) {
      best = RANK_OF[lane.state[k]] > RANK_OF[best] ? lane.state[k] : best;
    }
    if (state >= 0 && (best !== state || column > x)) {
      break;
    }
    state = best;
    from = Math.min(from, column);
    x = column + 1;
    i = next;
  }
  return [state, from, x, i];
}

let pixelTime = 1;

function drawLane(lane, y) {
  const rowHeight = ROW[lane.kind], right = width;
  let i = spanAfter(lane, view.from);
  while (i < lane.count && lane.start[i] < view.to) {
    let x0, x1, state, next = i + 1;
    if (lane.end[i] - lane.start[i] < pixelTime) {
      [state, x0, x1, next] = narrow(lane, i);
    } else {
      state = lane.state[i];
      x0 = Math.max(labels - 2, xOf(lane.start[i]));
      x1 = Math.min(right + 2, xOf(lane.end[i]));
    }
    const [part, name] = SHAPE_OF[state], h = Math.round(rowHeight * part);
    fill(name, x0, y + Math.round((rowHeight - h) / 2), Math.max(1, x1 - x0), h);
    if (next === i + 1 && x1 - x0 > 24) {
      word(wordOf(lane, i), Math.max(labels, x0), y + rowHeight / 2 + 4, x1 - Math.max(labels, x0),
        name === 'stalled');
    }
    i = next;
  }
}

function drawAxis() {
  const time = view.to - view.from, wanted = Math.max(2, (width - labels) / 110);
  let step = 10 ** Math.floor(Math.log10(time / wanted));
  step *= [1, 2, 5, 10].find((k) => time / (step * k) <= wanted);
  context.font = '12px system-ui, sans-serif';
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    const x = Math.round(xOf(at)) + 0.5;
    context.beginPath();
    context.moveTo(x, AXIS - 6);
    context.lineTo(x, height);
    context.stroke();
    context.fillStyle = look.dim;
    context.fillText(at === 0 ? '0' : axisText(at, step), x + 3, 15);
  }
}

/** Enough digits to tell two marks of the axis apart. */
function axisText(at, step) {
  const [unit, size] = step >= 1e8 ? ['s', 1e9] : step >= 1e5 ? ['ms', 1e6] : step >= 1e2 ? ['us', 1e3] : ['ns', 1];
  return `${(at / size).toFixed(Math.max(0, Math.ceil(Math.log10(size / step))))} ${unit}`;
}

const MIDDLE = (index) => yOf(index) + ROW[LANES[index].kind] / 2;

function drawWakes() {
  const first = firstWakeAfter(view.from), last = firstWakeAfter(view.to);
  if (last - first > 250) {
    return; // zoomed out, arrows would only be a curtain
  }
  context.strokeStyle = context.fillStyle = look.wake;
  context.lineWidth = 1.5;
  for (let i = first; i < last; i++) {
    const [time, from, to] = DATA.wakes[i], x = xOf(time);
    if (to < 0) {
      continue;
    }
    const end = MIDDLE(to), start = from < 0 ? end - ROW.thread * 0.7 : MIDDLE(from);
    const down = end > start ? 1 : -1;
    context.beginPath();
    context.moveTo(x, start);
    context.lineTo(x, end - 5 * down);
    context.stroke();
    context.beginPath();
    context.moveTo(x, end);
    context.lineTo(x - 4, end - 7 * down);
    context.lineTo(x + 4, end - 7 * down);
    context.fill();
  }
}

/** What the program itself has marked: a flag in the lane of its thread. */
function drawMarks() {
  context.font = '12px system-ui, sans-serif';
  for (const [time, lane, text] of DATA.marks) {
    const x = xOf(time);
    if (lane >= 0 && x >= labels && x <= width) {
      context.fillStyle = look.accent;
      context.fillRect(x, yOf(lane) + 1, 2, ROW.thread - 2);
      context.fillRect(x, yOf(lane) + 1, 7, 6);
      word(text, x + 6, yOf(lane) + 11, 8 * text.length + 16, false);
    }
  }
}

function drawSelection() {
  const lane = LANES[view.lane];
  if (!lane || view.span < 0) {
    return;
  }
  const x0 = Math.max(labels, xOf(lane.start[view.span])), x1 = xOf(lane.end[view.span]);
  context.strokeStyle = look.accent;
  context.lineWidth = 3;
  context.strokeRect(x0 - 1, yOf(view.lane) + 1.5, Math.max(4, Math.min(width, x1) - x0 + 2),
    ROW[lane.kind] - 3);
}

function drawLabels() {
  context.fillStyle = look.panel;
  context.fillRect(0, AXIS, labels - 4, height);
  for (const lane of LANES) {
    const y = yOf(lane.index), indent = {cpu: 8, process: 8, thread: 16, co: 28}[lane.kind];
    if (y + 30 < AXIS || y > height) {
      continue;
    }
    if (lane.index === view.lane || (view.hits && view.hits.has(lane.index))) {
      context.fillStyle = lane.index === view.lane ? look.line : look.hit;
      context.fillRect(0, y + 1, labels - 4, ROW[lane.kind] - 2);
    }
    context.font = `${lane.kind === 'process' ? '600 ' : ''}12.5px system-ui, sans-serif`;
    context.fillStyle = look.text;
    context.fillText(shorten(lane.label, (lane.kind === 'process' ? 800 : labels - 8) - indent),
      indent, y + ROW[lane.kind] / 2 + 4.5);
  }
}

const shortened = new Map();
function shorten(text, room) {
  const key = `${room}/${context.font}/${text}`;
  let shown = shortened.get(key);
  if (shown === undefined) {
    shown = text;
    while (shown.length > 2 && context.measureText(shown).width > room) {
      shown = `${shown.replace(/…$/, '').slice(0, -1)}…`;
    }
    shortened.set(key, shown);
  }
  return shown;
}

function draw() {
  pixelTime = (view.to - view.from) / Math.max(1, width - labels);
  painted = 0;
  context.fillStyle = look.back;
  context.fillRect(0, 0, width, height);
  drawAxis();
  context.save();
  context.beginPath();
  context.rect(0, AXIS, width, height - AXIS);
  context.clip();
  for (const lane of LANES) {
    const y = yOf(lane.index);
    if (y > -30 && y < height) {
      if (lane.kind === 'process') {
        context.fillStyle = look.line;
        context.fillRect(0, y + 1, width, 1);
      }
      drawLane(lane, y);
    }
  }
  drawWakes();
  drawMarks();
  drawSelection();
  drawLabels();
  context.restore();
}

// At most one drawing a frame of the screen.
let waiting = false;
function changed() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }
}
