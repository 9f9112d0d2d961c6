// The days and months of a dashboard's data.
import { dayOfMonth, monthOf } from "./days.js";
import { chosenCodes } from "./values.js";

const BEGUN = 7;
const YEAR = 12;

// The first and last day of a data set, of the values that are chosen of filters of one value; null where there is none.
export function days(dashboard, data, values) {
  const found = rowsByDay(dashboard, data, values);
  return found && [found[0].day, found[found.length - 1].day];
}

// The last of those days that no year without any row parts from most rows: with a mistyped year nobody wants to begin.
function lastTogether(dashboard, data, values) {
  const stretches = [];
  let before = -Infinity;
  for (const { day, rows } of rowsByDay(dashboard, data, values)) {
    if (monthOf(day) - before > YEAR) stretches.push({ rows: 0 });
    const now = stretches[stretches.length - 1];
    now.rows += rows;
    now.last = day;
    before = monthOf(day);
  }
  return stretches.reduce((most, one) => (one.rows > most.rows ? one : most)).last;
}

function rowsByDay(dashboard, data, values) {
  if (!data.period) return null;
  const part = data.dimensions[data.period];
  const only = chosenCodes(dashboard, data, values);
  const counts = new Uint32Array(part.values.length + 1);
  for (let row = 0; row < data.rows; row++) {
    if (only.every(({ codes, wanted }) => codes[row] === wanted)) counts[part.codes[row]] += 1;
  }
  const found = Array.from(part.values, (day, code) => ({ day, rows: counts[code] })).filter((one) => one.rows);
  return found.length ? found : null;
}

// All months between the first and the last of the data, and the last that is chosen first: none ahead, which only forecasts have,
// and none that has only begun, beside which all others would look great.
export function monthsOf(dashboard, values) {
  const found = Object.values(dashboard.data).map((data) => ({ data, days: days(dashboard, data, values) })).filter((one) => one.days);
  if (!found.length) return null;
  for (const one of found) one.last = lastTogether(dashboard, one.data, values);
  const first = Math.min(...found.map((one) => monthOf(one.days[0])));
  const last = Math.max(...found.map((one) => monthOf(one.days[1])));
  const past = found.filter((one) => isPast(dashboard, one.data));
  return { first, last, seen: past.length ? lastSeen(past, first) : last };
}

// Whether something else than a forecast is drawn from the data.
export function isPast(dashboard, data) {
  const visuals = dashboard.sheets.flatMap((sheet) => sheet.visuals);
  return visuals.some((visual) => dashboard.data[visual.data] === data && visual.kind !== "fan");
}

function lastSeen(found, first) {
  const lastOf = (some) => Math.max(...some.map((one) => one.last));
  const seen = monthOf(lastOf(found));
  const daily = found.filter((one) => isDaily(one.data));
  const hasBegun = daily.length > 0 && monthOf(lastOf(daily)) === seen && dayOfMonth(lastOf(daily)) <= BEGUN;
  return hasBegun && seen > first ? seen - 1 : seen;
}

// The days of months are their first.
const isDaily = (data) => data.dimensions[data.period].values.some((day) => dayOfMonth(day) > 1);

export function latest(dashboard, months) {
  return dashboard.period && months ? [Math.max(months.first, months.seen - dashboard.period.months + 1), months.seen] : null;
}
