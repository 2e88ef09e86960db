'use strict';
// The keyboard: everything that the mouse does.

/** The next lane up or down, at the time of the selection or the middle. */
function changeLane(step) {
  const chosen = LANES[view.lane], has = chosen && view.span >= 0;
  const time = Math.min(view.to, Math.max(view.from, has ? (chosen.start[view.span] + chosen.end[view.span]) / 2
    : chosen ? view.focus : (view.from + view.to) / 2));
  const at = chosen ? SHOWN.indexOf(shownAs[view.lane]) + step : step > 0 ? 0 : SHOWN.length - 1;
  const lane = SHOWN[at];
  if (lane) {
    const i = spanAt(lane, time);
    view.focus = time;
    select(lane.index, i >= 0 ? i : Math.min(lane.count - 1, spanAfter(lane, time)));
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

/** Fold or unfold; what was selected in it is then the lane itself. */
function toggle(lane) {
  lane.folded = !lane.folded;
  placeRows();
  const i = spanAt(lane, view.focus);
  select(lane.index, i >= 0 ? i : Math.min(0, lane.count - 1));
}

function toggleSelected() {
  const lane = LANES[view.lane], shown = lane && shownAs[lane.index];
  if (shown && shown.children.length) {
    toggle(shown);
  }
}

function leave() {
  if (view.range) {
    measure(0, 0);
  } else {
    select(-1, -1);
  }
}

const KEYS = {
  ArrowLeft: () => pan((width - labels) / 8), ArrowRight: () => pan((labels - width) / 8),
  a: () => pan((width - labels) / 8), d: () => pan((labels - width) / 8),
  w: () => zoom(0.7), s: () => zoom(1 / 0.7),
  ArrowUp: () => changeLane(-1), ArrowDown: () => changeLane(1),
  '+': () => zoom(0.7), '=': () => zoom(0.7), '-': () => zoom(1 / 0.7),
  '0': () => clampView(0, DATA.length), ',': () => changeSpan(-1), '.': () => changeSpan(1),
  Enter: toggleSelected, m: measureSelection, '[': () => extendRange(false), ']': () => extendRange(true),
  n: () => goToStall(stallAt + 1), p: () => goToStall(stallAt - 1),
  '/': () => element('search').focus(), '?': explainSelection, h: () => element('keys').showModal(),
  Escape: leave,
};

document.addEventListener('keydown', (event) => {
  const typing = event.target.tagName === 'INPUT', pressing = event.target.tagName === 'BUTTON';
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (typing && key === 'Escape') {
    canvas.focus();
  }
  if (typing || event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]') ||
      (pressing && key === 'Enter') || !KEYS[key]) {
    return;
  }
  event.preventDefault();
  KEYS[key]();
});
