// The rows of a visual for a choice: what its question in SQL answers, in the same order.
import { firstDay, isoOf, monthOf } from "./formats.js";

const MONDAY = 4; // 5 January 1970, as a number of days
const ROUNDED = {
  day: (day) => day,
  week: (day) => day - ((((day - MONDAY) % 7) + 7) % 7),
  month: (day) => firstDay(monthOf(day)),
};

// chosen: { values: { column: [value, ...] }, months: [first, last] or null }
// The answer: its rows, the intervals of their measures, and how many rows of the data matched the choice.
export function answer(data, visual, chosen) {
  if (visual.kind !== "kpi") return grouped(data, visual, chosen);
  const parts = { current: chosen };
  if (visual.compare && chosen.months && data.period) parts.before = before(chosen);
  const found = Object.entries(parts).map(([period, part]) => ({ period, ...grouped(data, visual, part) }));
  return { matched: found[0].matched, rows: found.map((one) => ({ period: one.period, ...one.rows[0] })), intervals: found.map((one) => one.intervals[0]) };
}

export function before(chosen) {
  const [first, last] = chosen.months, length = last - first + 1;
  return { ...chosen, months: [first - length, first - 1] };
}

function kept(data, chosen) {
  const tests = [];
  for (const [column, values] of Object.entries(chosen.values)) {
    if (column in data.labels && column in data.dimensions && values.length) {
      const part = data.dimensions[column];
      tests.push([part.codes, Uint8Array.from([...part.values, null], (value) => value !== null && values.includes(value))]);
    }
  }
  if (chosen.months && data.period) {
    const part = data.dimensions[data.period], [first, last] = chosen.months;
    tests.push([part.codes, Uint8Array.from([...part.values, null], (value) => value !== null && monthOf(value) >= first && monthOf(value) <= last)]);
  }
  const rows = new Int32Array(data.rows);
  let count = 0;
  for (let row = 0; row < data.rows; row++) {
    let stays = 1;
    for (const [codes, allowed] of tests) if (!allowed[codes[row]]) { stays = 0; break; }
    if (stays) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

// Codes of a dimension; of time, codes of its dates rounded down. The last code stands for null.
function keys(data, visual, column) {
  const part = data.dimensions[column];
  if (!(visual.grain && column === visual.x)) return { codes: part.codes, values: part.values, map: null };
  const rounded = part.values.map(ROUNDED[visual.grain]), values = [...new Set(rounded)];
  return { codes: part.codes, values: values.map(isoOf), map: Int32Array.from([...rounded.map((day) => values.indexOf(day)), values.length]) };
}

function grouped(data, visual, chosen) {
  const rows = kept(data, chosen), by = visual.dimensions.map((column) => keys(data, visual, column));
  const groups = new Map(), group = new Int32Array(rows.length), first = [];
  if (!by.length) first.push(0);
  for (let place = 0; place < rows.length && by.length; place++) {
    let key = 0;
    for (const { codes, values, map } of by) { const code = codes[rows[place]]; key = key * (values.length + 1) + (map ? map[code] : code); }
    let number = groups.get(key);
    if (number === undefined) { groups.set(key, (number = first.length)); first.push(key); }
    group[place] = number;
  }
  const sums = {};
  for (const name of new Set(visual.measures.flatMap((measure) => columns(data.measures[measure])))) sums[name] = summed(data.sums[name], rows, group, first.length);
  const counted = new Float64Array(first.length);
  for (let place = 0; place < rows.length; place++) counted[group[place]] += data.counted[rows[place]];
  let order = first.map((key, number) => ({ key, number, row: row(data, visual, by, key, sums, number) }));
  const main = visual.measures[0];
  order.sort((one, other) => (visual.cut && greater(one.row[main], other.row[main])) || one.key - other.key);
  if (visual.cut) order = order.slice(0, visual.top);
  return { matched: rows.length, rows: order.map((one) => one.row), intervals: order.map((one) => ends(data, visual, sums, one.number, counted[one.number])) };
}

const greater = (one, other) => (one === other ? 0 : one === null ? 1 : other === null ? -1 : other - one);
const columns = (measure) => [...(measure.ratio ? [measure.ratio.of, measure.ratio.to] : [measure.sum]), ...(measure.low ? [measure.low, measure.high] : [])];

function summed({ values, scale }, rows, group, groups) {
  const totals = new Float64Array(groups), seen = new Uint8Array(groups);
  for (let place = 0; place < rows.length; place++) {
    const value = values[rows[place]];
    if (value === value) { totals[group[place]] += value; seen[group[place]] = 1; }
  }
  return Array.from(totals, (total, number) => (seen[number] ? total / scale : null));
}

function row(data, visual, by, key, sums, number) {
  const codes = [];
  for (let place = by.length - 1, rest = key; place >= 0; place--) {
    const size = by[place].values.length + 1;
    codes[place] = rest % size;
    rest = Math.floor(rest / size);
  }
  const told = {};
  visual.dimensions.forEach((column, place) => { told[column] = by[place].values[codes[place]] ?? null; });
  for (const name of visual.measures) {
    const { sum, ratio } = data.measures[name];
    if (sum) told[name] = sums[sum][number];
    else { const of = sums[ratio.of][number], to = sums[ratio.to][number]; told[name] = of === null || !to ? null : of / to; }
  }
  return told;
}

// Intervals do not add up, so they are told where a row of the visual is one row of the data.
function ends(data, visual, sums, number, counted) {
  const told = {};
  for (const name of visual.measures) {
    const { low, high } = data.measures[name];
    if (low && counted === 1 && sums[low][number] !== null && sums[high][number] !== null) told[name] = [sums[low][number], sums[high][number]];
  }
  return told;
}
