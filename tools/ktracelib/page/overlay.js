'use strict';
// What is drawn beside and over the lanes: the axis, who woke whom, marks, what is selected, and
// the ruler of what is measured.

const ARROWS_MOST = 250; // zoomed out, they would only be a curtain
const ARROW_WIDTH = 8;
const FONT = '12px system-ui, sans-serif';

function drawAxis() {
  const axis = axisOf(view.from, view.to, Math.max(2, (width - labels) / 85));
  context.font = FONT;
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  for (let at = Math.ceil(view.from / axis.step) * axis.step; at <= view.to; at += axis.step) {
    const x = Math.round(xOf(at)) + 0.5;
    context.beginPath();
    context.moveTo(x, AXIS - 6);
    context.lineTo(x, height);
    context.stroke();
    context.fillStyle = look.dim;
    context.fillText(axisText(axis, at), x + 3, 15);
  }
  return axis;
}

/** From where the marks of the axis count, if not from the trace's start. */
function drawAxisStart(axis) {
  context.fillStyle = look.panel;
  context.fillRect(0, 0, labels - 4, AXIS);
  if (axis.base) {
    context.font = FONT;
    context.fillStyle = look.text;
    context.fillText(`${moment(axis.base, axis.size)} +`, 8, 15);
  }
}

const MIDDLE = (index) => yOf(index) + ROW[shownAs[index].kind] / 2;

function drawWakes() {
  const first = firstWakeAfter(view.from), last = firstWakeAfter(view.to);
  if (last - first > ARROWS_MOST) {
    return;
  }
  const latest = new Map(); // by the two lanes: where the last arrow is
  for (let i = first; i < last; i++) {
    const [time, from, to] = DATA.wakes[i], x = xOf(time), key = `${from}/${to}`;
    if (to >= 0 && !(from >= 0 && shownAs[from] === shownAs[to]) && !(x - latest.get(key) < ARROW_WIDTH)) {
      latest.set(key, x);
      arrow(context, x, from < 0 ? MIDDLE(to) - ROW.thread * 0.7 : MIDDLE(from), MIDDLE(to));
    }
  }
}

function drawMarks() {
  for (const [time, lane, text] of DATA.marks) {
    const x = xOf(time);
    if (lane >= 0 && x >= labels && x <= width) {
      flag(context, x, yOf(lane) + 1, ROW.thread - 2);
      context.font = '11px system-ui, sans-serif';
      context.fillRect(x, yOf(lane) + 1, context.measureText(text).width + 8, 13);
      context.fillStyle = look.back;
      context.fillText(text, x + 4, yOf(lane) + 11);
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
    ROW[shownAs[view.lane].kind] - 3);
}

function drawRange() {
  if (!view.range) {
    return;
  }
  const x0 = xOf(view.range.from), x1 = xOf(view.range.to);
  context.globalAlpha = 0.14;
  context.fillStyle = look.accent;
  context.fillRect(x0, AXIS, x1 - x0, height);
  context.globalAlpha = 1;
  context.fillRect(x0 - 1, AXIS, 1.5, height);
  context.fillRect(x1, AXIS, 1.5, height);
}

/** On the axis: from where to where, how long, and how many switches were in it. */
function drawRuler() {
  if (!view.range) {
    return;
  }
  const {from, to} = view.range, x0 = Math.max(labels, xOf(from)), x1 = Math.min(width, xOf(to));
  const text = `${duration(to - from)}, ${counted(switchesIn(from, to), 'switch', 'switches')}`;
  context.font = `600 ${FONT}`;
  const room = context.measureText(text).width + 16;
  const x = Math.max(labels, Math.min(width - room, (x0 + x1 - room) / 2));
  context.fillStyle = look.accent;
  if (x1 > x0) {
    context.fillRect(x0, AXIS - 5, x1 - x0, 4);
  }
  context.fillRect(x, 2, room, 18);
  context.fillStyle = look.back;
  context.fillText(text, x + 8, 15);
}
