'use strict';
// The parts of the page around the canvas: stalls, sums, the legend, and what a state is.

const element = (id) => document.getElementById(id);
let stallAt = -1;

function made(tag, text = '', attributes = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  return node;
}

function fillStalls() {
  const list = element('stalls');
  for (const [i, stall] of DATA.stalls.slice(0, 200).entries()) {
    const who = listed(stoodStill([stall]).map(([name]) => name)) || 'the event loop';
    const button = made('button', `${LANES[stall.lane].label}, ${stall.call}, ` +
      `${duration(stall.end - stall.start)}: ${who} stalled`);
    button.addEventListener('click', () => goToStall(i));
    list.append(made('li'));
    list.lastChild.append(button);
  }
  if (!DATA.stalls.length) {
    list.append(made('li', 'None in this trace.', {class: 'none'}));
  }
}

function goToStall(index) {
  const stall = DATA.stalls[index];
  if (!stall) {
    return;
  }
  stallAt = index;
  const margin = (stall.end - stall.start) * 0.15, [lane, start] = stall.victims[0] || [stall.lane, stall.start];
  clampView(stall.start - margin, stall.end + margin);
  select(lane, spanAt(LANES[lane], start));
  showStall();
}

function showStall() {
  [...element('stalls').querySelectorAll('button')].forEach((button, i) => {
    button.setAttribute('aria-current', i === stallAt);
    if (i === stallAt) {
      button.scrollIntoView({block: 'nearest'});
    }
  });
  element('previous').disabled = stallAt <= 0;
  element('next').disabled = stallAt + 1 >= DATA.stalls.length;
}

/** Each entry is a button: what is this? */
function fillLegend() {
  const coroutines = LANES.some((lane) => lane.kind === 'co');
  const shown = LEGEND.filter((state) => (coroutines || !OF_COROUTINES.includes(state)) &&
    (state !== 'mark' || DATA.marks.length));
  element('legend').replaceChildren(...shown.map((state) => {
    const button = made('button', titleOf(state), {'title': 'What is this?', 'data-state': state});
    button.prepend(sample(state));
    button.addEventListener('click', () => explainState(state));
    return button;
  }));
}

/** What is this? In two sentences, and where to read on. */
function explainState(state) {
  const [title, text, chapter] = WHAT[state];
  element('what-title').replaceChildren(sample(state), ` ${title}`);
  element('what-text').textContent = text;
  element('what-chapter').textContent = chapter;
  element('what').showModal();
}

/** Of what is selected; of nothing, how to use the page. */
function explainSelection() {
  const lane = LANES[view.lane];
  if (lane && view.span >= 0) {
    explainState(STATES[lane.state[view.span]]);
  } else {
    element('keys').showModal();
  }
}

/** Rows of a name, lines of text, and more text. */
function table(rows) {
  const body = made('table');
  for (const [name, lines, more = ''] of rows) {
    const cell = made('td');
    cell.append(...lines.map((line) => made('div', line)));
    body.append(made('tr'));
    body.lastChild.append(made('th', name, {scope: 'row'}), cell, made('td', more));
  }
  return body;
}

/** "user mode 3 ms (30 %)", ... */
function sums(pairs, whole, most, name = (key) => key) {
  const lines = pairs.slice(0, most).map(([key, time]) => `${name(key)} ${duration(time)} (${share(time, whole)})`);
  return pairs.length > most ? [...lines, `and ${pairs.length - most} more`] : lines;
}

function showRange() {
  const range = view.range, rest = ['close-range', 'zoom-range'];
  element('range').hidden = !range;
  document.body.classList.toggle('measuring', Boolean(range));
  rest.forEach((id) => {
    element(id).disabled = !range;
  });
  showSide();
  changed();
  if (!range) {
    return;
  }
  const {from, to} = range, length = to - from, m = measured(from, to), grain = Math.max(1, length / 1000);
  const rows = m.lanes.slice(0, ROWS_MOST).map(({lane, times, turns}) => [lane.label,
    sums(times, length * (lane.folded && lane.leaves ? lane.leaves.length : 1), 8, titleOf), counted(turns, 'turn', 'turns')]);
  element('range-title').textContent = `${duration(length)} measured`;
  element('range-text').textContent = `From ${moment(from, grain)} to ${moment(to, grain)}: ` +
    `${counted(m.switches, 'switch', 'switches')}, ${counted(m.wakes, 'wake-up', 'wake-ups')}.`;
  element('holders').replaceChildren(table(m.cpus.map(({cpu, holders}) => [cpu.label, sums(holders, length, 6)])));
  element('holders').hidden = element('holders-title').hidden = !m.cpus.length;
  element('times').replaceChildren(table(rows));
  if (m.lanes.length > ROWS_MOST) {
    element('times').append(made('p', `And ${m.lanes.length - ROWS_MOST} more lanes: fold them to sum them up.`));
  }
}

/** The side has what is measured, and the stalls if there can be any. */
function showSide() {
  element('stalls-part').hidden = !DATA.stalls.length && !LANES.some((lane) => lane.kind === 'co');
  element('side').hidden = element('stalls-part').hidden && element('range').hidden;
}

function measure(from, to) {
  const start = Math.max(0, from), end = Math.min(DATA.length, to);
  view.range = end > start ? {from: start, to: end} : null;
  showRange();
}

/** What is selected, or else what is on the screen. */
function measureSelection() {
  const lane = LANES[view.lane];
  if (view.range) {
    measure(0, 0);
  } else if (lane && view.span >= 0) {
    measure(lane.start[view.span], lane.end[view.span]);
  } else {
    measure(view.from, view.to);
  }
}

/** From the selected span's start on, or up to its end. */
function extendRange(toEnd) {
  const lane = LANES[view.lane], range = view.range;
  if (lane && view.span >= 0) {
    const start = lane.start[view.span], end = lane.end[view.span];
    if (toEnd) {
      measure(range && range.from < end ? range.from : start, end);
    } else {
      measure(start, range && range.to > start ? range.to : end);
    }
  }
}
