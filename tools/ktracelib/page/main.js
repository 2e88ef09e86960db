'use strict';
// Selecting and finding, and how the page starts.

function select(lane, span) {
  view.lane = lane;
  view.span = lane < 0 ? -1 : span;
  if (lane < 0) { // where there is no room for the verdict above, it is here
    element('sentence').replaceChildren(made('span', `${verdict().map(([, text]) => text).join('')} `, {class: 'low'}),
      'Choose a span: click, tap, or use the arrow keys.');
  } else {
    element('sentence').textContent = span >= 0 ? explain(LANES[lane], span) : explainLane(LANES[lane]);
    const top = rowTops[lane], bottom = top + ROW[shownAs[lane].kind];
    view.top = Math.min(Math.max(view.top, bottom - (height - AXIS)), top);
    view.focus = span >= 0 ? (LANES[lane].start[span] + LANES[lane].end[span]) / 2 : view.focus;
  }
  changed();
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
    for (let i = 0; i < lane.count && hits.length < 10000 && lane.kind !== 'group'; i++) {
      if (strings[lane.detail[i]] || strings[lane.call[i]] || (named && i === 0)) {
        hits.push([lane.index, i]);
        view.hits.add(shownAs[lane.index].index);
      }
    }
  }
  element('found').textContent = wanted ? counted(hits.length, 'hit', 'hits') : '';
  if (next && hits.length) {
    const [lane, i] = hits.find(([l, s]) => l > view.lane || (l === view.lane && s > view.span)) || hits[0];
    unfoldTo(LANES[lane]);
    placeRows();
    select(lane, i);
    bringIntoView(LANES[lane].start[i], LANES[lane].end[i]);
  }
  changed();
}

/** On paper it is light, whatever the screen is. The canvas is a picture, so it is drawn anew. */
function onPaper(paper) {
  document.documentElement.classList.toggle('paper', paper);
  readColours();
  fillLegend();
  draw();
}

function showLegend(shown) {
  element('legend').hidden = !shown;
  element('signs').setAttribute('aria-expanded', shown);
}

const ON_CLICK = {
  fit: () => clampView(0, DATA.length), in: () => zoom(0.6), out: () => zoom(1 / 0.6),
  previous: () => goToStall(stallAt - 1), next: () => goToStall(stallAt + 1), ask: explainSelection,
  help: () => element('keys').showModal(), signs: () => showLegend(element('legend').hidden),
  measure: () => {
    measureMode = !measureMode;
    element('measure').setAttribute('aria-pressed', measureMode);
  },
  'close-range': () => measure(0, 0), 'zoom-range': () => clampView(view.range.from, view.range.to),
};

function start() {
  element('verdict').replaceChildren(...verdict().map(([kind, text]) => made('span', text, {class: kind})));
  element('about').textContent = DATA.about;
  element('about').append(...(DATA.command ? [', by ', made('code', DATA.command, {id: 'command'})] : []));
  element('made').textContent = `This trace: ${element('about').textContent}.`;
  document.title = `Timeline: ${DATA.title}`;
  for (const [id, action] of Object.entries(ON_CLICK)) {
    element(id).addEventListener('click', action);
  }
  element('search').addEventListener('input', () => find(false));
  element('search').addEventListener('keydown', (event) => event.key === 'Enter' && find(true));
  showLegend(matchMedia('(min-width: 701px) and (min-height: 561px)').matches);
  showRange();
  resize();
  fillStalls();
  fillLegend();
  new ResizeObserver(resize).observe(element('frame'));
  addEventListener('beforeprint', () => onPaper(true));
  addEventListener('afterprint', () => onPaper(false));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => onPaper(false));
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
} else if (location.hash.startsWith('#show=')) {
  const [from, to] = location.hash.slice(6).split(',').map(Number);
  if (to > from) {
    clampView(from, to);
  }
}
