// Times without any row: they keep their place, and no line or area leads across them.
import { firstDay, MILLISECONDS, monthOf } from "./days.js";

const DAYS = { day: 1, week: 7 };
// Days without a row, beyond which nothing is drawn: Sundays on which shops are closed are no gap.
const LONGEST = { day: 7, week: 7, month: 31 };

// The moment some steps of a grain later.
function later(at, grain, steps) {
  const day = at / MILLISECONDS;
  return (grain === "month" ? firstDay(monthOf(day) + steps) : day + steps * DAYS[grain]) * MILLISECONDS;
}

// All moments from the first to the last, or those that were found where these are too many.
export function allMoments(found, grain, most) {
  const known = found.filter((at) => at !== null);
  const last = Math.max(...known);
  const all = [];
  for (let at = Math.min(...known); at <= last; at = later(at, grain, 1)) {
    if (all.push(at) > most) return found;
  }
  return all;
}

// Moments right after and right before each gap of rows, which are of one series and in the order of time.
function edges(rows, grain) {
  const isGap = (row, before) => before && row.at - before.at > LONGEST[grain] * MILLISECONDS;
  return rows.flatMap((row, place) => (
    isGap(row, rows[place - 1]) ? [later(rows[place - 1].at, grain, 1), later(row.at, grain, -1)] : []
  ));
}

function inTime(rows) {
  return rows.filter((row) => row.at !== null).toSorted((one, other) => one.at - other.at);
}

// Rows of lines with one of nothing in each gap of a series; those that a gap parts from both neighbours are alone.
export function broken(rows, grain, seriesOf, field) {
  const parts = [...Map.groupBy(rows, seriesOf).values()].map(inTime);
  const holes = parts.flatMap((part) => edges(part, grain).map((at) => ({ ...part[0], i: undefined, at, [field]: null })));
  const apart = (one, other) => !one || !other || Math.abs(one.at - other.at) > LONGEST[grain] * MILLISECONDS;
  const alone = parts.flatMap((part) => part.filter((row, place) => apart(row, part[place - 1]) && apart(row, part[place + 1])));
  return { rows: [...rows, ...holes], alone };
}

// Rows of areas, which stand at nothing in each gap of all series.
export function grounded(rows, grain, field) {
  const known = inTime(rows);
  return [...rows, ...edges(known, grain).map((at) => ({ ...known[0], i: undefined, at, [field]: 0 }))];
}
