'use strict';
// Times as text: how long, when, and the marks of the axis. Whatever the zoom, a number has few
// digits: deep in a long trace the axis says where it begins, and its marks count from there.

const UNITS = [['ns', 1], ['µs', 1e3], ['ms', 1e6], ['s', 1e9]];

/** Three digits and a unit, as the report says it. */
function duration(ns) {
  for (const [unit, size] of UNITS.slice(1).reverse()) {
    if (ns >= size * 0.9995) {
      return `${ns < size * 999.5 ? Number((ns / size).toPrecision(3)) : Math.round(ns / size)} ${unit}`;
    }
  }
  return `${Math.round(ns)} ns`;
}

/** When: as exact as `grain` nanoseconds, the digits behind the point in threes. */
function moment(ns, grain) {
  const [unit, size] = UNITS.findLast(([, each]) => ns >= each) || UNITS[0];
  const digits = Math.min(Math.log10(size), Math.max(0, Math.ceil(Math.log10(size / grain))));
  const [whole, part = ''] = (ns / size).toFixed(Math.round(digits)).split('.');
  const shown = part.replace(/0+$/, '').replace(/(\d{3})(?=\d)/g, '$1\u202f');
  return `${whole}${shown && '.'}${shown} ${unit}`;
}

/** An axis from `from` to `to` with at most `most` marks: how far apart, in which unit, from where. */
function axisOf(from, to, most) {
  const least = (to - from) / most, power = 10 ** Math.floor(Math.log10(least));
  const step = Math.max(1, power * [1, 2, 5, 10].find((k) => power * k >= least * 0.999));
  const [unit, size] = UNITS.findLast(([, each]) => step >= each / 10) || UNITS[0];
  const base = to < 10000 * size ? 0 : Math.floor(from / (1000 * size)) * 1000 * size;
  return {step, unit, size, base, digits: step < size ? 1 : 0};
}

function axisText(axis, at) {
  const text = ((at - axis.base) / axis.size).toFixed(axis.digits);
  return `${axis.base ? '+' : ''}${Number(text) === 0 ? 0 : text} ${axis.unit}`;
}
