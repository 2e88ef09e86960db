'use strict';
// Sums over a stretch of time that was measured: who held each CPU, how long each lane was in
// which state, and how often it changed hands.

const RUNNING = STATES.map((state) => ['busy', 'run-user', 'run-kernel', 'irq', 'run', 'in-syscall', 'blocking']
  .includes(state));
const ROWS_MOST = 60; // of a table

const counted = (n, one, many) => `${n} ${n === 1 ? one : many}`;
/** In per cent; a little is not nothing. */
function share(part, whole) {
  const percent = 100 * part / Math.max(1, whole);
  return percent > 0 && percent < 0.5 ? '<\u00a01\u00a0%' : `${Math.round(percent)}\u00a0%`;
}


/** Calls back for each span in the stretch, with how much of it is in there. */
function eachIn(lane, from, to, tell) {
  for (let i = spanAfter(lane, from); i < lane.count && lane.start[i] < to; i++) {
    tell(i, Math.min(to, lane.end[i]) - Math.max(from, lane.start[i]));
  }
}

function add(sums, key, time) {
  sums.set(key, (sums.get(key) || 0) + time);
}

const byTime = (sums) => [...sums].sort((a, b) => b[1] - a[1]);

/** [state, time] of a lane, or of all that a folded one stands for, the longest first. */
function timesIn(lane, from, to) {
  const sums = new Map();
  for (const one of lane.folded && lane.leaves ? lane.leaves : [lane]) {
    eachIn(one, from, to, (i, time) => add(sums, STATES[one.state[i]], time));
  }
  return byTime(sums);
}

/** [task, time] of a CPU. */
function holdersOf(cpu, from, to) {
  const sums = new Map();
  eachIn(cpu, from, to, (i, time) => add(sums, STRINGS[cpu.detail[i]] || 'idle', time));
  return byTime(sums);
}

/** How often a CPU of the kernel went from one task to another; on a host, a thread between coroutines. */
function switchesIn(from, to) {
  const cpus = LANES.filter((lane) => lane.kind === 'cpu');
  let count = 0;
  for (const lane of cpus) {
    eachIn(lane, from, to, (i) => {
      count += i > 0 && lane.start[i] >= from && lane.detail[i] !== lane.detail[i - 1];
    });
  }
  return cpus.length ? count : LANES.reduce((sum, lane) => sum + (lane.kind === 'co' ? turnsIn(lane, from, to) : 0), 0);
}

/** How often a lane began to run. */
function turnsIn(lane, from, to) {
  let turns = 0;
  for (const one of lane.folded && lane.leaves ? lane.leaves : [lane]) {
    eachIn(one, from, to, (i) => {
      turns += one.start[i] >= from && RUNNING[one.state[i]] &&
        !(i > 0 && RUNNING[one.state[i - 1]] && one.end[i - 1] === one.start[i]);
    });
  }
  return turns;
}

function measured(from, to) {
  const lanes = SHOWN.filter((lane) => lane.kind !== 'cpu' && lane.count);
  return {
    switches: switchesIn(from, to), wakes: firstWakeAfter(to) - firstWakeAfter(from),
    cpus: LANES.filter((lane) => lane.kind === 'cpu').map((cpu) => ({cpu, holders: holdersOf(cpu, from, to)})),
    lanes: lanes.map((lane) => ({lane, times: timesIn(lane, from, to), turns: turnsIn(lane, from, to)}))
      .filter((row) => row.times.length),
  };
}
