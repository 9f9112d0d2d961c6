// The days and months of a dashboard's data.
import { dayOfMonth, monthOf } from "./days.js";

const BEGUN = 7;

// The first and last day of a data set, of the values that are chosen of filters of one value; null where there is none.
export function days(dashboard, data, values) {
  if (!data.period) return null;
  const part = data.dimensions[data.period];
  const only = chosenCodes(dashboard, data, values);
  let first = Infinity;
  let last = -Infinity;
  for (let row = 0; row < data.rows; row++) {
    const code = part.codes[row];
    if (code === part.values.length || only.some(({ codes, wanted }) => codes[row] !== wanted)) continue;
    first = Math.min(first, code);
    last = Math.max(last, code);
  }
  return first > last ? null : [part.values[first], part.values[last]];
}

function chosenCodes(dashboard, data, values) {
  const columns = dashboard.single.filter((column) => values[column] && column in data.labels && data.dimensions[column]);
  return columns.map((column) => {
    const part = data.dimensions[column];
    return { codes: part.codes, wanted: part.values.indexOf(values[column][0]) };
  });
}

// All months between the first and the last of the data, and the last that is chosen first: none ahead, which only forecasts have,
// and none that has only begun, beside which all others would look great.
export function monthsOf(dashboard, values) {
  const found = Object.values(dashboard.data).map((data) => ({ data, days: days(dashboard, data, values) })).filter((one) => one.days);
  if (!found.length) return null;
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
  const lastOf = (some) => Math.max(...some.map((one) => one.days[1]));
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
