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

/** The coroutines of the thread that could run meanwhile, with how long. */
function victims(lane, span) {
  const found = [];
  for (const stall of DATA.stalls) {
    if (stall.lane === lane.index && stall.start >= span.start && stall.end <= span.end) {
      for (const [victim, start, end] of stall.victims) {
        found.push(`${LANES[victim].label} for ${duration(end - start)}`);
      }
    }
  }
  return found;
}

function explainThread(lane, s, time) {
  const woken = wokenBy(lane, s.end);
  switch (s.state) {
    case 'run-user': return `${lane.label} ran its program for ${time}.`;
    case 'run-kernel': return `${lane.label} ran in the kernel for ${time}: ${callText(s.detail)}.`;
    case 'irq': return `An interrupt took the CPU from ${lane.label} for ${time} (${s.detail}).`;
    case 'ready': {
      const others = occupants(s.start, s.end);
      return `${lane.label} could run, but had no CPU for ${time}` +
        (others ? `: ${others} ran.` : '.');
    }
    default:
      return `${lane.label} waited ${time} in ${callText(s.call)} for: ${s.detail}.` +
        (woken ? ` It was woken by ${woken}.` : '');
  }
}

function explainCoroutine(lane, s, time) {
  const thread = threadName(lane.tid);
  switch (s.state) {
    case 'run': return `${lane.label} ran for ${time} on ${thread}.`;
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

function explain(lane, i) {
  const s = spanOf(lane, i), time = duration(s.length);
  if (lane.kind === 'cpu') {
    return s.detail ? `${lane.label} ran ${s.detail} for ${time}.` : `${lane.label} had nothing to do for ${time}.`;
  }
  const text = lane.kind === 'thread' ? explainThread(lane, s, time) : explainCoroutine(lane, s, time);
  return text[0].toUpperCase() === text[0] || lane.kind === 'co' ? text : text[0].toUpperCase() + text.slice(1);
}

function verdict() {
  const worst = DATA.stalls[0];
  if (!worst) {
    return LANES.some((lane) => lane.kind === 'co')
      ? 'No coroutine was stalled: none had to wait for a sibling\'s system call.'
      : 'There are no coroutines in this trace.';
  }
  const names = [...new Set(worst.victims.map(([lane]) => LANES[lane].label))];
  const longest = Math.max(...worst.victims.map(([, start, end]) => end - start));
  return `<b>${escapeHtml(LANES[worst.lane].label)}</b> blocked ${escapeHtml(threadName(LANES[worst.lane].tid))} ` +
    `in <b>${escapeHtml(worst.call)}</b> for <b>${duration(worst.end - worst.start)}</b>. ` +
    `<span class="bad">${escapeHtml(listed(names))} could run, but stood still</span> for up to ` +
    `<b>${duration(longest)}</b>.`;
}

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
