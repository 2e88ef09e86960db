'use strict';
// The lanes on the canvas. A span narrower than a pixel is not drawn alone: the columns of pixels
// that have only such ones show the state that matters most there, so the work is bounded by the width.

const AXIS = 26, LEAST = {cpu: 24, process: 24, thread: 26, co: 26, group: 28}, ROW = {...LEAST};
// `focus`: the time that the keys up and down keep to; `range`: what is measured.
const view = {from: 0, to: DATA.length, top: 0, lane: -1, span: -1, focus: 0, hits: null, range: null};
let width = 0, height = 0, labels = 150, rowTops = [], rowsHeight = 0;

function resize() {
  const ratio = window.devicePixelRatio || 1, box = canvas.parentElement.getBoundingClientRect();
  width = box.width;
  height = box.height;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  labels = width < 560 ? 112 : 168;
  readColours();
  placeRows();
}

/** Where each lane is. Few lanes are drawn higher; one in a folded lane is where that is. */
function placeRows() {
  arrange();
  const least = SHOWN.reduce((sum, lane) => sum + LEAST[lane.kind], 0);
  const factor = Math.max(1, Math.min(1.6, (height - AXIS) / least));
  for (const kind of Object.keys(ROW)) {
    ROW[kind] = Math.floor(LEAST[kind] * factor);
  }
  rowsHeight = 0;
  for (const lane of SHOWN) {
    rowTops[lane.index] = rowsHeight;
    rowsHeight += ROW[lane.kind];
  }
  for (const lane of LANES) {
    rowTops[lane.index] = rowTops[shownAs[lane.index].index];
  }
  view.top = Math.min(view.top, Math.max(0, rowsHeight - (height - AXIS)));
  changed();
}

const xOf = (time) => labels + (time - view.from) / (view.to - view.from) * (width - labels);
const timeOf = (x) => view.from + (x - labels) / (width - labels) * (view.to - view.from);
const yOf = (index) => AXIS + rowTops[index] - view.top;

function wordOf(lane, i) {
  const s = spanOf(lane, i);
  if (lane.folded && lane.leaves) {
    return s.state === 'idle' ? '' : countsAt(lane, (s.start + s.end) / 2)
      .map(([state, count]) => `${count} ${titleOf(state)}`).join(', ');
  }
  if (lane.kind === 'cpu') {
    return s.detail && `${s.detail}: ${s.state === 'run-kernel' && s.call ? s.call : titleOf(s.state)}`;
  }
  switch (s.state) {
    case 'stalled': return `STALLED by ${s.detail}`;
    case 'blocking': return `${callText(s.call)} blocks the thread`;
    case 'run-kernel': case 'in-syscall': return `kernel: ${s.call || s.detail}`;
    case 'run-user': case 'run': return 'user mode';
    default: return s.detail || titleOf(s.state);
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

function drawLabels() {
  context.fillStyle = look.panel;
  context.fillRect(0, AXIS, labels - 4, height);
  for (const lane of SHOWN) {
    const y = yOf(lane.index), indent = 4 + depthOf(lane) * (width < 560 ? 8 : 14);
    if (y + 44 < AXIS || y > height) {
      continue;
    }
    const chosen = view.lane >= 0 && shownAs[view.lane] === lane;
    if (chosen || (view.hits && view.hits.has(lane.index))) {
      context.fillStyle = chosen ? look.line : look.hit;
      context.fillRect(0, y + 1, labels - 4, ROW[lane.kind] - 2);
    }
    const middle = y + ROW[lane.kind] / 2, heading = lane.kind === 'process' && !lane.folded;
    context.font = `${lane.kind === 'process' ? '600 ' : ''}12.5px system-ui, sans-serif`;
    context.fillStyle = look.text;
    context.fillText(shorten(lane.label, (heading ? 800 : labels - 22) - indent), indent + 12, middle + 4.5);
    if (lane.children.length) {
      triangle(indent + 2, middle, lane.folded);
    }
  }
}

function triangle(x, y, folded) {
  const corners = folded ? [[-2, -5], [5, 0], [-2, 5]] : [[-4, -3], [6, -3], [1, 4]];
  context.beginPath();
  corners.forEach(([dx, dy]) => context.lineTo(x + dx, y + dy));
  context.fill();
}

const shortened = new Map();
/** Cut so that it fits; a number at its end, which tells it from others, stays. */
function shorten(text, room) {
  const key = `${room}/${context.font}/${text}`;
  let shown = shortened.get(key);
  if (shown === undefined) {
    const [, head, tail] = /^(.*?)( ?\d{0,6})$/s.exec(text), letters = [...head];
    shown = text;
    while (letters.length > 1 && context.measureText(shown).width > room) {
      letters.pop();
      shown = `${letters.join('')}…${tail}`;
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
  const axis = drawAxis();
  context.save();
  context.beginPath();
  context.rect(0, AXIS, width, height - AXIS);
  context.clip();
  for (const lane of SHOWN) {
    const y = yOf(lane.index);
    if (y > -44 && y < height) {
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
  drawRange();
  drawLabels();
  context.restore();
  drawAxisStart(axis);
  drawRuler();
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
