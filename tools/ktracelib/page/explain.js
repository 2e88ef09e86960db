'use strict';
// A sentence for each span: what it was, why, and by whom.

function threadName(tid) {
  const lane = LANES.find((l) => l.kind === 'thread' && l.tid === tid);
  return lane ? lane.label : `thread ${tid}`;
}

/** Who ended the waiting of `lane` at `time`. */
function wokenBy(lane, time) {
  for (let i = firstWakeAfter(time); i < DATA.wakes.length && DATA.wakes[i][0] <= time; i++) {
    const [, from, to] = DATA.wakes[i];
    if (to === lane.index) {
      return from < 0 ? 'an interrupt (a timer or a device)' : LANES[from].label;
    }
  }
  return '';
}

/** What ran on the CPUs while a thread could not have one. */
function occupants(start, end) {
  const names = new Set();
  for (const cpu of LANES.filter((lane) => lane.kind === 'cpu')) {
    for (let i = spanAfter(cpu, start); i < cpu.count && cpu.start[i] < end && names.size < 6; i++) {
      if (cpu.detail[i]) {
        names.add(STRINGS[cpu.detail[i]]);
      }
    }
  }
  return listed([...names], 3);
}

/** Who stood still in these stalls: [label, the longest time, how many of this name], by label. */
function stoodStill(stalls) {
  const found = new Map();
  for (const [lane, start, end] of stalls.flatMap((stall) => stall.victims)) {
    const label = LANES[lane].label, [, longest, lanes] = found.get(label) || [label, 0, new Set()];
    found.set(label, [label, Math.max(longest, end - start), lanes.add(lane)]);
  }
  return [...found.values()].map(([label, longest, lanes]) =>
    [lanes.size > 1 ? `${lanes.size} × ${label}` : label, longest]);
}

/** The coroutines of the thread that could run meanwhile, with how long. */
function victims(lane, span) {
  const mine = DATA.stalls.filter((stall) => stall.lane === lane.index && stall.start >= span.start &&
    stall.end <= span.end);
  return stoodStill(mine).map(([name, longest]) => `${name} for ${duration(longest)}`);
}

const standsIn = (lane, s) => DATA.stalls.some((stall) => stall.lane === lane.index && !stall.victims.length &&
  s.start >= stall.start && s.end <= stall.end);

function explainThread(lane, s, time) {
  const woken = wokenBy(lane, s.end);
  switch (s.state) {
    case 'run-user': return `${lane.label} ran its program, in user mode, for ${time}.`;
    case 'run-kernel': return `${lane.label} ran in kernel mode for ${time}: ${callText(s.detail)}.`;
    case 'irq': return `An interrupt took the CPU from ${lane.label} for ${time} (${s.detail}).`;
    case 'ready': {
      const others = occupants(s.start, s.end);
      return `${lane.label} could run, but had no CPU for ${time}` +
        (others ? `: ${others} ran.` : '.');
    }
    default:
      return `${lane.label} waited ${time} in ${callText(s.call)} for: ${s.detail}.` +
        (woken ? ` It was woken by ${woken}.` : '') +
        (standsIn(lane, s) ? ' It is an event loop, which polls otherwise: meanwhile it served nobody.' : '');
  }
}

function explainCoroutine(lane, s, time) {
  const thread = threadName(lane.tid);
  switch (s.state) {
    case 'run': return `${lane.label} ran in user mode for ${time} on ${thread}.`;
    case 'in-syscall': return `${lane.label} was in ${callText(s.call)} for ${time}; ${thread} did not block.`;
    case 'blocking': {
      const who = victims(lane, s);
      return `${lane.label} called ${callText(s.call)}, which blocked ${thread} for ${time} (${s.detail}).` +
        (who.length ? ` Its siblings could run, but did not: ${listed(who)}.` : ' No sibling wanted to run.');
    }
    case 'stalled':
      return `${lane.label} could run, but ${thread} was blocked in ${callText(s.call)} by ${s.detail} for ${time}.`;
    case 'ready': return `${lane.label} was ready for ${time} (${s.detail}); its siblings ran first.`;
    case 'preempted': return `${lane.label} was running, but ${thread} had no CPU for ${time}.`;
    default: return `${lane.label} was parked for ${time}: ${s.detail}. Its thread was free for others.`;
  }
}

/** Of a folded lane: how many of those in it were in which state. */
function explainSum(lane, s) {
  const counts = countsAt(lane, (s.start + s.end) / 2).map(([state, n]) => `${n} ${titleOf(state)}`);
  return `${lane.label}, folded, for ${duration(s.length)}: of ${lane.leaves.length} lanes, ${listed(counts, 6)} ` +
    'in the middle of it. Enter, or a tap on the name, unfolds them.';
}

function explainCpu(lane, s, time) {
  if (!s.detail) {
    return `${lane.label} had nothing to do for ${time}.`;
  }
  const mode = s.state === 'run-kernel' ? `in kernel mode${s.call ? `, in ${callText(s.call)}` : ''}` :
    s.state === 'irq' ? 'and served an interrupt on its time' : s.state === 'run-user' ? 'in user mode' : '';
  return `${lane.label} ran ${s.detail} ${mode} for ${time}.`.replace(/ +/g, ' ');
}

function explainLane(lane) {
  if (!lane.children.length) {
    return `${lane.label}: nothing at this time.`;
  }
  return `${lane.label}, ${counted(lane.children.length, 'lane', 'lanes')} under it. ` +
    `Enter, or a tap on the name, ${lane.folded ? 'unfolds' : 'folds'} it.`;
}

function explain(lane, i) {
  const s = spanOf(lane, i), time = duration(s.length);
  if (lane.folded && lane.leaves) {
    return explainSum(lane, s);
  }
  if (lane.kind === 'cpu') {
    return explainCpu(lane, s, time);
  }
  const text = lane.kind === 'thread' ? explainThread(lane, s, time) : explainCoroutine(lane, s, time);
  return text[0].toUpperCase() === text[0] || lane.kind === 'co' ? text : text[0].toUpperCase() + text.slice(1);
}

/** The trace in one sentence, as pieces: [class, text]. */
function verdict() {
  const worst = DATA.stalls[0];
  if (!DATA.events) {
    return [['', 'There is no event in this trace: nothing was recorded.']];
  }
  if (!worst) {
    return [['', LANES.some((lane) => lane.kind === 'co')
      ? 'No coroutine was stalled: none had to wait for a sibling\'s system call.'
      : 'There are no coroutines in this trace.']];
  }
  if (!worst.victims.length) {
    return [['', 'The event loop of '], ['name', threadName(LANES[worst.lane].tid)],
      ['', ' was '], ['bad', 'stalled'], ['', ' by '], ['name', worst.call], ['', ' for '],
      ['name', duration(worst.end - worst.start)], ['', ': it polls otherwise, and served nobody meanwhile.']];
  }
  const still = stoodStill([worst]), names = still.map(([name]) => name);
  const longest = Math.max(...still.map(([, time]) => time));
  return [['name', LANES[worst.lane].label], ['', ` blocked ${threadName(LANES[worst.lane].tid)} in `],
    ['name', worst.call], ['', ' for '], ['name', duration(worst.end - worst.start)], ['', '. '],
    ['bad', `${listed(names)} could run, but stood still`], ['', ' for up to '], ['name', duration(longest)], ['', '.']];
}
