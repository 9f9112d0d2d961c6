// What is chosen. Each dashboard has its period and values; language, theme and a filter of one value are common to all.
import { dayOfMonth, firstDay, month, monthOf } from "./formats.js";
import { speak, spoken } from "./words.js";

const BEGUN = 7;
export const state = { theme: null, dashboard: null, sheet: null, chosen: {} };
export const dashboards = [];
export const current = () => dashboards.find((one) => one.name === state.dashboard);
export const sheet = () => current().sheets.find((one) => one.name === state.sheet);
export const chosen = () => state.chosen[state.dashboard];

export function begin(header) {
  dashboards.push(...header.dashboards);
  for (const dashboard of dashboards) {
    dashboard.single = dashboard.filters.filter((one) => one.choose === "one").map((one) => one.column);
    state.chosen[dashboard.name] = initial(dashboard);
  }
  [state.dashboard, state.sheet] = [dashboards[0].name, dashboards[0].sheets[0].name];
}

// The first and last day of a data set, of the value that is chosen of a filter of one value; null where there is none.
export function days(dashboard, data, values) {
  if (!data.period) return null;
  const part = data.dimensions[data.period], only = dashboard.single.filter((column) => values[column] && column in data.labels && data.dimensions[column])
    .map((column) => [data.dimensions[column].codes, data.dimensions[column].values.indexOf(values[column][0])]);
  let first = Infinity, last = -Infinity;
  for (let row = 0; row < data.rows; row++) {
    const code = part.codes[row];
    if (code === part.values.length || only.some(([codes, wanted]) => codes[row] !== wanted)) continue;
    first = Math.min(first, code);
    last = Math.max(last, code);
  }
  return first > last ? null : [part.values[first], part.values[last]];
}

// All months between the first and the last of the data. Those ahead, which only forecasts have, are not among the first chosen ones,
// nor is one that has only begun, beside which all others would look great.
function monthsOf(dashboard, values) {
  const visuals = dashboard.sheets.flatMap((one) => one.visuals);
  let first = Infinity, last = -Infinity, seen = -Infinity, daily = null;
  for (const [name, data] of Object.entries(dashboard.data)) {
    const found = days(dashboard, data, values);
    if (!found) continue;
    first = Math.min(first, monthOf(found[0]));
    last = Math.max(last, monthOf(found[1]));
    if (!visuals.some((one) => one.data === name && one.kind !== "fan")) continue;
    seen = Math.max(seen, monthOf(found[1]));
    if (data.dimensions[data.period].values.some((day) => dayOfMonth(day) > 1)) daily = Math.max(daily ?? -Infinity, found[1]);
  }
  if (daily !== null && monthOf(daily) === seen && dayOfMonth(daily) <= BEGUN && seen > first) seen--;
  return first > last ? null : { first, last, seen: seen < first ? last : seen };
}

function initial(dashboard) {
  const values = {};
  for (const column of dashboard.single) {
    const found = valuesOf(dashboard, column);
    if (found.length) values[column] = [common(dashboard, column) ?? found[0]];
  }
  return { values, months: latest(dashboard, values) };
}

function latest(dashboard, values) {
  const months = dashboard.months = monthsOf(dashboard, values);
  return dashboard.period && months ? [Math.max(months.first, months.seen - dashboard.period.months + 1), months.seen] : null;
}

// The value with the most rows.
function common(dashboard, column) {
  const counts = new Map();
  for (const data of Object.values(dashboard.data)) {
    const part = data.dimensions[column];
    if (part && column in data.labels) for (const code of part.codes) if (code < part.values.length) counts.set(part.values[code], (counts.get(part.values[code]) || 0) + 1);
  }
  return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0];
}

// All values of a dimension, in their order.
export function valuesOf(dashboard, column) {
  const found = new Set();
  for (const data of Object.values(dashboard.data)) if (column in data.labels && data.dimensions[column]) data.dimensions[column].values.forEach((value) => found.add(value));
  return inOrder(dashboard, column, [...found].sort((one, other) => (typeof one === "string" ? one.localeCompare(other) : one - other)));
}

// Values that the specification has words for stand in the order of those, before the others.
export function inOrder(dashboard, column, values) {
  const known = Object.keys(dashboard.words[column] ?? {}), rank = (value) => { const at = known.indexOf(String(value)); return at < 0 ? known.length : at; };
  return values.map((value, place) => [value, place]).sort((one, other) => rank(one[0]) - rank(other[0]) || one[1] - other[1]).map(([value]) => value);
}

export function labelOf(dashboard, column) {
  const filter = dashboard.filters.find((one) => one.column === column);
  return filter ? filter.label : Object.values(dashboard.data).find((data) => column in data.labels).labels[column];
}

export const currencyOf = (dashboard) => {
  const sources = chosen().values.source ?? Object.keys(dashboard.currencies), found = new Set(sources.map((one) => dashboard.currencies[one]).filter(Boolean));
  return found.size === 1 ? [...found][0] : "BRL";
};

// A value that is clicked is chosen alone, or with others while Control, Command or Shift is held; a second click takes it back.
export function toggle(column, value, more = false) {
  const { values } = chosen(), now = values[column] || [], single = current().single.includes(column);
  if (now.includes(value)) { if (!single) put(column, now.filter((one) => one !== value)); } else put(column, more && !single ? [...now, value] : [value]);
}

export function put(column, values) {
  if (values.length) chosen().values[column] = values; else delete chosen().values[column];
  if (!current().single.includes(column)) return;
  // Another source has other months, and values that the first one lacks.
  for (const other of dashboards) {
    if (!other.single.includes(column) || !valuesOf(other, column).includes(values[0])) continue;
    const kept = Object.fromEntries(other.single.map((one) => [one, state.chosen[other.name].values[one]]).filter(([, found]) => found));
    const next = { ...kept, [column]: [...values] };
    state.chosen[other.name] = { values: next, months: latest(other, next) };
  }
}

export function period(first, last) {
  chosen().months = first <= last ? [first, last] : [last, first];
}

export function reset() {
  const values = Object.fromEntries(Object.entries(initial(current()).values).map(([column, first]) => [column, chosen().values[column] ?? first]));
  state.chosen[state.dashboard] = { values, months: latest(current(), values) };
}

export const filtered = () => Object.entries(chosen().values).filter(([column]) => !current().single.includes(column));

export function show(name, sheetName) {
  const dashboard = dashboards.find((one) => one.name === name) ?? dashboards[0];
  state.dashboard = dashboard.name;
  state.sheet = (dashboard.sheets.find((one) => one.name === sheetName) ?? dashboard.sheets[0]).name;
}

// For tests and bookmarks: any of dashboard, sheet, values, months (as 2026-03), language and theme.
export function apply(wanted) {
  if (wanted.dashboard || wanted.sheet) show(wanted.dashboard ?? state.dashboard, wanted.sheet);
  if (wanted.language) speak(wanted.language);
  if (wanted.theme) state.theme = wanted.theme;
  if (wanted.values) {
    chosen().values = Object.fromEntries(Object.entries(wanted.values).filter(([, values]) => values.length).map(([column, values]) => [column, [...values]]));
    current().months = monthsOf(current(), chosen().values);
  }
  if (wanted.months !== undefined) chosen().months = wanted.months && wanted.months.map((iso) => Number(iso.slice(0, 4)) * 12 + Number(iso.slice(5, 7)) - 1);
}

export const told = () => ({
  dashboard: state.dashboard, sheet: state.sheet, language: spoken(), theme: state.theme, values: structuredClone(chosen().values),
  months: chosen().months && chosen().months.map((one) => new Date(firstDay(one) * 86400000).toISOString().slice(0, 7)),
});
export const span = ([first, last]) => (first === last ? month(first) : `${month(first)} – ${month(last)}`);
