'use strict';
// The data as typed arrays, and the questions that the other parts ask of it.

const STATES = DATA.states, STRINGS = DATA.strings;
const LANES = DATA.lanes.map((lane, index) => {
  const count = lane.spans.length / 5, at = (i, k) => lane.spans[5 * i + k];
  const out = {
    index, kind: lane.kind, label: lane.label, tid: lane.tid, number: lane.number, count,
    start: new Float64Array(count), end: new Float64Array(count), state: new Uint8Array(count),
    detail: new Uint32Array(count), call: new Uint32Array(count),
  };
  for (let i = 0; i < count; i++) {
    out.start[i] = at(i, 0);
    out.end[i] = at(i, 0) + at(i, 1);
    out.state[i] = at(i, 2);
    out.detail[i] = at(i, 3);
    out.call[i] = at(i, 4);
  }
  return out;
});

/** The first span that ends after `time`. */
function spanAfter(lane, time) {
  let low = 0, high = lane.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.end[middle] > time) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

function spanAt(lane, time) {
  const i = spanAfter(lane, time);
  return i < lane.count && lane.start[i] <= time ? i : -1;
}

function spanOf(lane, i) {
  return {
    state: STATES[lane.state[i]], detail: STRINGS[lane.detail[i]], call: STRINGS[lane.call[i]],
    start: lane.start[i], end: lane.end[i], length: lane.end[i] - lane.start[i],
  };
}

function firstWakeAfter(time) {
  let low = 0, high = DATA.wakes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (DATA.wakes[middle][0] >= time) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

function callText(call) {
  return /^\w+$/.test(call) ? `${call}()` : call || 'the kernel';
}

/** "a, b and c" */
function listed(words, most = 4) {
  const shown = words.slice(0, most);
  if (words.length > most) {
    shown.push(`${words.length - most} more`);
  }
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
