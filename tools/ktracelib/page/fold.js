'use strict';
// Which lanes are shown, and in what order. A lane that has others under it can be folded. Many
// siblings of one name are under a lane of their own, a group, which is folded at first.

const GROUP_FROM = 10;
const SHOWN = []; // the lanes on the screen, from top to bottom
const shownAs = []; // by lane: itself, or the folded one that it is in

for (const lane of LANES) {
  Object.assign(lane, {parent: null, children: [], folded: false});
}

/** Names that differ in their numbers only are one. */
function stemOf(lane) {
  return lane.label.replace(/^(process|thread) \d+:? ?/, '').replace(/[\s#_.-]*\d+/g, '') || lane.kind;
}

function groupOf(stem, members) {
  const kind = members[0].kind === 'process' ? 'process ' : '';
  const group = {
    index: LANES.length, kind: 'group', of: members[0].kind, label: `${members.length} × ${kind}${stem}`,
    tid: 0, number: 0, parent: members[0].parent, children: members, folded: true,
  };
  members.forEach((member) => {
    member.parent = group;
  });
  LANES.push(group);
  return group;
}

/** Siblings, with those of one name put into groups, each where its first member was. */
function grouped(siblings) {
  const byStem = new Map();
  for (const lane of siblings) {
    const stem = `${lane.kind}/${stemOf(lane)}`;
    byStem.set(stem, [...byStem.get(stem) || [], lane]);
  }
  const groups = new Map();
  for (const members of byStem.values()) {
    if (members.length >= GROUP_FROM && members[0].kind !== 'cpu') {
      const group = groupOf(stemOf(members[0]), members);
      members.forEach((member) => groups.set(member, group));
    }
  }
  return [...new Set(siblings.map((lane) => groups.get(lane) || lane))];
}

function buildTree() {
  const parents = {process: null, thread: null}, top = [];
  for (const lane of LANES) {
    lane.parent = {cpu: null, process: null, thread: parents.process, co: parents.thread}[lane.kind];
    (lane.parent ? lane.parent.children : top).push(lane);
    parents[lane.kind] = lane;
  }
  for (const lane of [...LANES]) {
    lane.children = grouped(lane.children);
  }
  return grouped(top);
}
const ROOTS = buildTree();

/** The lanes under one that have spans of the same kind: what a folded one sums up. */
function leavesOf(lane) {
  const wanted = lane.of === 'co' ? 'co' : 'thread';
  return lane.children.flatMap((child) => (child.kind === wanted ? [child] : leavesOf(child)));
}

/** The spans of a folded lane: at each time the state that matters most in any of its leaves. */
function sumUp(lane) {
  const leaves = lane.leaves = leavesOf(lane), steps = [];
  for (const leaf of leaves) {
    for (let i = 0; i < leaf.count; i++) {
      steps.push([leaf.start[i], leaf.state[i], 1], [leaf.end[i], leaf.state[i], -1]);
    }
  }
  steps.sort((a, b) => a[0] - b[0]);
  const now = new Int32Array(STATES.length), ranked = STATES.map((_, s) => s).sort((a, b) => RANK_OF[b] - RANK_OF[a]);
  const start = [], end = [], state = [];
  for (let i = 0; i < steps.length;) {
    const time = steps[i][0];
    for (; i < steps.length && steps[i][0] === time; i++) {
      now[steps[i][1]] += steps[i][2];
    }
    const most = ranked.find((s) => now[s] > 0), last = state.length - 1;
    if (last >= 0 && end[last] < 0 && state[last] !== most) {
      end[last] = time;
    }
    if (most !== undefined && !(last >= 0 && end[last] < 0)) {
      start.push(time);
      end.push(-1);
      state.push(most);
    }
  }
  const none = new Uint32Array(start.length);
  return {start: Float64Array.from(start), end: Float64Array.from(end), state: Uint8Array.from(state),
    detail: none, call: none};
}

/** How many of a folded lane's leaves are in which state: [state, how many], what matters most first. */
function countsAt(lane, time) {
  const counts = new Map();
  for (const leaf of lane.leaves) {
    const i = spanAt(leaf, time);
    if (i >= 0) {
      counts.set(STATES[leaf.state[i]], (counts.get(STATES[leaf.state[i]]) || 0) + 1);
    }
  }
  return [...counts].sort((a, b) => DATA.rank.indexOf(b[0]) - DATA.rank.indexOf(a[0]));
}

function arrange() {
  SHOWN.length = 0;
  const place = (lane, as) => {
    shownAs[lane.index] = as || lane;
    if (!as) {
      SHOWN.push(lane);
    }
    if (lane.kind === 'process' || lane.kind === 'group') { // they have no spans of their own
      if (lane.folded && !lane.leaves) {
        Object.assign(lane, sumUp(lane));
      }
      lane.count = lane.folded ? lane.start.length : 0;
    }
    lane.children.forEach((child) => place(child, as || (lane.folded ? lane : null)));
  };
  ROOTS.forEach((lane) => place(lane, null));
}

const depthOf = (lane) => (lane.parent ? 1 + depthOf(lane.parent) : 0);

function unfoldTo(lane) {
  for (let up = lane.parent; up; up = up.parent) {
    up.folded = false;
  }
}
