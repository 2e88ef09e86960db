'use strict';
// The parts of the page around the canvas, and how it starts.

const element = (id) => document.getElementById(id);
let stallAt = -1;

function select(lane, span) {
  view.lane = lane;
  view.span = span;
  element('sentence').textContent = span >= 0 ? explain(LANES[lane], span)
    : 'Choose a span: click, tap, or use the arrow keys.';
  if (lane >= 0) {
    const top = rowTops[lane], bottom = top + ROW[LANES[lane].kind];
    view.top = Math.min(Math.max(view.top, bottom - (height - AXIS)), top);
  }
  changed();
}

function goToStall(index) {
  const stall = DATA.stalls[index];
  if (!stall) {
    return;
  }
  stallAt = index;
  const margin = (stall.end - stall.start) * 0.15, [lane, start] = stall.victims[0];
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

function fillStalls() {
  const list = element('stalls');
  for (const [i, stall] of DATA.stalls.slice(0, 200).entries()) {
    const button = document.createElement('button');
    const who = listed([...new Set(stall.victims.map(([lane]) => LANES[lane].label))]);
    button.textContent = `${LANES[stall.lane].label}, ${stall.call}, ${duration(stall.end - stall.start)}: ` +
      `${who} stalled`;
    button.addEventListener('click', () => goToStall(i));
    list.append(document.createElement('li'));
    list.lastChild.append(button);
  }
  if (!DATA.stalls.length) {
    list.innerHTML = '<li class="none">None in this trace.</li>';
  }
}

function fillLegend() {
  const legend = element('legend');
  legend.textContent = '';
  for (const [state, text] of [['run', 'runs'], ['in-syscall', 'in the kernel'], ['ready', 'could run'],
    ['blocked', 'blocked'], ['parked', 'parked: its thread is free'], ['blocking', 'blocks its thread'],
    ['stalled', 'STALLED by a sibling'], ['preempted', 'preempted']]) {
    const sample = document.createElement('canvas'), entry = document.createElement('span');
    const [part, name] = SHAPES[state], h = Math.round(14 * part), c = sample.getContext('2d');
    sample.width = 30;
    sample.height = 14;
    c.fillStyle = look.fills[name];
    c.fillRect(0, (14 - h) / 2, 30, h);
    if (look.edges[name]) {
      c.strokeStyle = look.edges[name];
      c.strokeRect(0.5, (14 - h) / 2 + 0.5, 29, h - 1);
    }
    entry.append(sample, text);
    legend.append(entry);
  }
}

/** Mark the lanes with a hit; `next`: go to the first one behind the selection. */
function find(next) {
  const wanted = element('search').value.trim().toLowerCase();
  const strings = STRINGS.map((text) => wanted && text.toLowerCase().includes(wanted));
  const hits = [];
  let process = '';
  view.hits = new Set();
  for (const lane of wanted ? LANES : []) {
    process = lane.kind === 'process' ? lane.label : process;
    const named = `${lane.label} ${lane.kind === 'thread' ? process : ''}`.toLowerCase().includes(wanted);
    for (let i = 0; i < lane.count && hits.length < 10000; i++) {
      if (strings[lane.detail[i]] || strings[lane.call[i]] || (named && i === 0)) {
        hits.push([lane.index, i]);
        view.hits.add(lane.index);
      }
    }
  }
  element('found').textContent = wanted ? `${hits.length} hit${hits.length === 1 ? '' : 's'}` : '';
  if (next && hits.length) {
    const [lane, i] = hits.find(([l, s]) => l > view.lane || (l === view.lane && s > view.span)) || hits[0];
    select(lane, i);
    bringIntoView(LANES[lane].start[i], LANES[lane].end[i]);
  }
  changed();
}

function start() {
  element('verdict').innerHTML = verdict();
  element('about').textContent = DATA.about;
  document.title = `Timeline: ${DATA.title}`;
  element('side').hidden = !LANES.some((lane) => lane.kind === 'co');
  resize();
  fillStalls();
  fillLegend();
  element('fit').addEventListener('click', () => clampView(0, DATA.length));
  element('in').addEventListener('click', () => zoom(0.6));
  element('out').addEventListener('click', () => zoom(1 / 0.6));
  element('previous').addEventListener('click', () => goToStall(stallAt - 1));
  element('next').addEventListener('click', () => goToStall(stallAt + 1));
  element('search').addEventListener('input', () => find(false));
  element('search').addEventListener('keydown', (event) => event.key === 'Enter' && find(true));
  element('help').addEventListener('click', () => {
    element('keys').hidden = !element('keys').hidden;
    element('help').setAttribute('aria-expanded', !element('keys').hidden);
  });
  new ResizeObserver(resize).observe(element('frame'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    readColours();
    fillLegend();
    changed();
  });
  if (DATA.stalls.length) {
    goToStall(0);
    clampView(0, DATA.length);
  } else {
    select(-1, -1);
    showStall();
  }
}

start();
if (location.hash.startsWith('#stall=')) {
  goToStall(Number(location.hash.slice(7)));
} else if (location.hash.startsWith('#find=')) {
  element('search').value = decodeURIComponent(location.hash.slice(6));
  find(true);
}
