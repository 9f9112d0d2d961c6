// The rows of a visual for a choice: what its question in SQL answers, in the same order.
import { firstDay, isoOf, monthOf } from "./days.js";

const MONDAY = 4; // 5 January 1970, as a number of days
const ROUNDED = {
  day: (day) => day,
  week: (day) => day - ((((day - MONDAY) % 7) + 7) % 7),
  month: (day) => firstDay(monthOf(day)),
};

// chosen: { values: { column: [value, ...] }, months: [first, last] or null }
// The answer: its rows, the intervals of their measures, and how many rows of the data matched the choice.
export function answer(data, visual, chosen) {
  return visual.kind === "kpi" ? compared(data, visual, chosen) : grouped(data, visual, chosen);
}

export function before(chosen) {
  const [first, last] = chosen.months;
  const length = last - first + 1;
  return { ...chosen, months: [first - length, first - 1] };
}

function compared(data, visual, chosen) {
  const parts = { current: chosen };
  if (visual.compare && chosen.months && data.period) parts.before = before(chosen);
  const found = Object.entries(parts).map(([period, part]) => ({ period, ...grouped(data, visual, part) }));
  return {
    matched: found[0].matched,
    rows: found.map((one) => ({ period: one.period, ...one.rows[0] })),
    intervals: found.map((one) => one.intervals[0]),
  };
}

function grouped(data, visual, chosen) {
  const rows = kept(data, chosen);
  const by = visual.dimensions.map((column) => keysOf(data, visual, column));
  const { group, keys } = groupsOf(rows, by);
  const sums = sumsOf(data, visual, rows, group, keys.length);
  const counted = countsOf(data, rows, group, keys.length);
  const found = keys.map((key, number) => ({ key, number, row: row(data, visual, by, key, sums, number) }));
  const shown = sorted(visual, found);
  return {
    matched: rows.length,
    rows: shown.map((one) => one.row),
    intervals: shown.map(({ number }) => (counted[number] === 1 ? intervalsOf(data, visual, sums, number) : {})),
  };
}

// Numbers of the rows that pass all tests of a choice.
function kept(data, chosen) {
  const tests = testsOf(data, chosen);
  const rows = new Int32Array(data.rows);
  let count = 0;
  for (let row = 0; row < data.rows; row++) {
    if (tests.every(([codes, allowed]) => allowed[codes[row]])) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function testsOf(data, chosen) {
  const known = ([column, values]) => column in data.labels && column in data.dimensions && values.length;
  const tests = Object.entries(chosen.values).filter(known)
    .map(([column, values]) => test(data.dimensions[column], (value) => values.includes(value)));
  if (chosen.months && data.period) {
    const [first, last] = chosen.months;
    tests.push(test(data.dimensions[data.period], (day) => monthOf(day) >= first && monthOf(day) <= last));
  }
  return tests;
}

// The codes of a dimension, and which of them are allowed; null, the last code, never is.
function test({ codes, values }, allows) {
  return [codes, Uint8Array.from([...values, null], (value) => value !== null && allows(value))];
}

// Codes of a dimension; of time, codes of its dates rounded down. The last code stands for null.
function keysOf(data, visual, column) {
  const { codes, values } = data.dimensions[column];
  if (!(visual.grain && column === visual.x)) return { values, codeOf: (row) => codes[row] };
  const rounded = values.map(ROUNDED[visual.grain]);
  const days = [...new Set(rounded)];
  const map = Int32Array.from([...rounded.map((day) => days.indexOf(day)), days.length]);
  return { values: days.map(isoOf), codeOf: (row) => map[codes[row]] };
}

// The key of a group has its codes as digits. Without dimensions there is one group, even of no rows.
function groupsOf(rows, by) {
  const group = new Int32Array(rows.length);
  if (!by.length) return { group, keys: [0] };
  const numbers = new Map();
  rows.forEach((row, place) => {
    const key = by.reduce((digits, { values, codeOf }) => digits * (values.length + 1) + codeOf(row), 0);
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    group[place] = numbers.get(key);
  });
  return { group, keys: [...numbers.keys()] };
}

function codesOf(by, key) {
  const codes = [];
  let rest = key;
  for (let place = by.length - 1; place >= 0; place--) {
    const size = by[place].values.length + 1;
    codes[place] = rest % size;
    rest = Math.floor(rest / size);
  }
  return codes;
}

function sumsOf(data, visual, rows, group, groups) {
  const columns = new Set(visual.measures.flatMap((name) => columnsOf(data.measures[name])));
  return Object.fromEntries([...columns].map((name) => [name, summed(data.sums[name], rows, group, groups)]));
}

function columnsOf({ sum, ratio, low, high }) {
  return [...(ratio ? [ratio.of, ratio.to] : [sum]), ...(low ? [low, high] : [])];
}

function summed({ values, scale }, rows, group, groups) {
  const totals = new Float64Array(groups);
  const seen = new Uint8Array(groups);
  for (let place = 0; place < rows.length; place++) {
    const value = values[rows[place]];
    if (Number.isNaN(value)) continue;
    totals[group[place]] += value;
    seen[group[place]] = 1;
  }
  return Array.from(totals, (total, number) => (seen[number] ? total / scale : null));
}

function countsOf(data, rows, group, groups) {
  const counted = new Float64Array(groups);
  for (let place = 0; place < rows.length; place++) counted[group[place]] += data.counted[rows[place]];
  return counted;
}

function row(data, visual, by, key, sums, number) {
  const codes = codesOf(by, key);
  const told = {};
  visual.dimensions.forEach((column, place) => { told[column] = by[place].values[codes[place]] ?? null; });
  for (const name of visual.measures) {
    const { sum, ratio } = data.measures[name];
    told[name] = sum ? sums[sum][number] : quotient(sums[ratio.of][number], sums[ratio.to][number]);
  }
  return told;
}

const quotient = (of, to) => (of === null || !to ? null : of / to);

function sorted(visual, found) {
  const [main] = visual.measures;
  const byKey = (one, other) => one.key - other.key;
  if (!visual.cut) return found.sort(byKey);
  return found.sort((one, other) => greatestFirst(one.row[main], other.row[main]) || byKey(one, other)).slice(0, visual.top);
}

function greatestFirst(one, other) {
  if (one === other) return 0;
  if (one === null) return 1;
  return other === null ? -1 : other - one;
}

// Intervals do not add up, so they are told where a row of the visual is one row of the data.
function intervalsOf(data, visual, sums, number) {
  const told = {};
  for (const name of visual.measures) {
    const { low, high } = data.measures[name];
    const ends = low ? [sums[low][number], sums[high][number]] : [null];
    if (!ends.includes(null)) told[name] = ends;
  }
  return told;
}
