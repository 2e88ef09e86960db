'use strict';
// How the states look. No two differ by their colour alone: they have different heights, and
// patterns that are told apart in grey, too.

const canvas = document.getElementById('timeline');
const context = canvas.getContext('2d', {alpha: false});
const look = {}; // colours and patterns of the present colour scheme

// Of each state: its part of the row's height, and how it is filled.
const SHAPES = {
  'busy': [0.7, 'run'], 'idle': [0.06, 'idle'], 'run-user': [0.7, 'run'], 'run': [0.7, 'run'],
  'run-kernel': [0.7, 'kernel'], 'in-syscall': [0.7, 'kernel'], 'irq': [0.9, 'irq'],
  'ready': [0.5, 'hollow'], 'blocked': [0.32, 'blocked'], 'parked': [0.18, 'parked'],
  'blocking': [0.7, 'blocking'], 'stalled': [0.78, 'stalled'], 'preempted': [0.5, 'preempted'],
};
const SHAPE_OF = STATES.map((state) => SHAPES[state] || SHAPES.blocked);
const RANK_OF = STATES.map((state) => DATA.rank.indexOf(state));

/** A square of `size` that is repeated: `back`, and on it lines of `width`. */
function tile(size, back, line, width, strokes) {
  const square = document.createElement('canvas'), c = square.getContext('2d');
  square.width = square.height = size;
  c.fillStyle = back;
  c.fillRect(0, 0, size, size);
  c.strokeStyle = line;
  c.lineWidth = width;
  for (const [x0, y0, x1, y1] of strokes) {
    c.beginPath();
    c.moveTo(x0, y0);
    c.lineTo(x1, y1);
    c.stroke();
  }
  return context.createPattern(square, 'repeat');
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['back', 'panel', 'text', 'dim', 'line', 'run', 'kernel', 'kernel-line', 'irq', 'irq-line',
    'ready', 'waiting', 'waiting-line', 'parked', 'blocking', 'blocking-line', 'stalled', 'stalled-back',
    'preempted', 'wake', 'accent', 'hit']) {
    look[name] = style.getPropertyValue(`--${name}`).trim();
  }
  look.fills = {
    run: look.run, idle: look.waiting, blocked: look.waiting, hollow: look.back,
    parked: tile(6, look.back, look.parked, 4, [[2, 0, 2, 6]]),
    irq: tile(4, look.irq, look['irq-line'], 1, [[1.5, 0, 1.5, 4]]),
    kernel: tile(4, look.kernel, look['kernel-line'], 1, [[0, 1.5, 4, 1.5]]),
    blocking: tile(8, look.blocking, look['blocking-line'], 1, [[0, 0, 8, 8], [8, 0, 0, 8]]),
    stalled: tile(12, look['stalled-back'], look.stalled, 4,
      [[-3, 3, 3, -3], [-3, 15, 15, -3], [9, 15, 15, 9]]),
    preempted: tile(5, look.preempted, look.ready, 1.5, [[1, 2, 2.5, 2]]),
  };
  look.edges = {hollow: look.ready, stalled: look.stalled, blocking: look['blocking-line'],
    blocked: look['waiting-line']};
}

let painted = 0; // spans in this drawing; the tests bound it
function fill(name, x, y, w, h, c = context) {
  painted++;
  c.fillStyle = look.fills[name];
  c.fillRect(x, y, w, h);
  if (look.edges[name] && w > 2) {
    c.strokeStyle = look.edges[name];
    c.lineWidth = name === 'stalled' ? 2 : 1;
    c.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
  }
}

/** From (x, y) to `end` above or below it: somebody wakes somebody. */
function arrow(c, x, y, end) {
  const down = end > y ? 1 : -1;
  c.strokeStyle = c.fillStyle = look.wake;
  c.lineWidth = 1.5;
  c.beginPath();
  c.moveTo(x, y);
  c.lineTo(x, end - 5 * down);
  c.stroke();
  c.beginPath();
  c.moveTo(x, end);
  c.lineTo(x - 4, end - 7 * down);
  c.lineTo(x + 4, end - 7 * down);
  c.fill();
}

/** A flag: what the program itself has marked. */
function flag(c, x, y, h) {
  c.fillStyle = look.accent;
  c.fillRect(x, y, 2, h);
  c.fillRect(x, y, 7, 6);
}

/** A small picture of a state, of an arrow or of a flag, for the legend. */
function sample(state) {
  const picture = document.createElement('canvas'), c = picture.getContext('2d');
  picture.width = 30;
  picture.height = 18;
  c.fillStyle = look.back;
  c.fillRect(0, 0, 30, 18);
  if (state === 'wake') {
    arrow(c, 15, 1, 17);
  } else if (state === 'mark') {
    flag(c, 12, 2, 15);
  } else {
    const [part, name] = SHAPES[state], h = Math.max(2, Math.round(18 * part));
    fill(name, 0, Math.round((18 - h) / 2), 30, h, c);
  }
  return picture;
}
