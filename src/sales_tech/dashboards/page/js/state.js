// What is chosen. Each dashboard has its period and values; language, theme and a filter of one value are common to all.
import { isoOfMonth, monthOfIso } from "./days.js";
import { latest, monthsOf } from "./periods.js";
import { commonest, valuesOf } from "./values.js";
import { speak, spoken } from "./words.js";

export const state = { theme: null, dashboard: null, sheet: null, chosen: {} };
export const dashboards = [];
export const current = () => dashboards.find((one) => one.name === state.dashboard);
export const sheet = () => current().sheets.find((one) => one.name === state.sheet);
export const chosen = () => state.chosen[state.dashboard];
export const isChosen = (column, value) => (chosen().values[column] || []).includes(value);
export const filtered = () => Object.entries(chosen().values).filter(([column]) => !isSingle(current(), column));

const isSingle = (dashboard, column) => dashboard.single.includes(column);

export function begin(header) {
  dashboards.push(...header.dashboards);
  for (const dashboard of dashboards) {
    dashboard.single = dashboard.filters.filter((one) => one.choose === "one").map((one) => one.column);
    chooseFirst(dashboard, firstValues(dashboard));
  }
  show(dashboards[0].name);
}

export function show(name, sheetName) {
  const dashboard = dashboards.find((one) => one.name === name) ?? dashboards[0];
  state.dashboard = dashboard.name;
  state.sheet = (dashboard.sheets.find((one) => one.name === sheetName) ?? dashboard.sheets[0]).name;
}

// Some values, and the months that are chosen first for them.
function chooseFirst(dashboard, values) {
  dashboard.months = monthsOf(dashboard, values);
  state.chosen[dashboard.name] = { values, months: latest(dashboard, dashboard.months) };
}

function firstValues(dashboard) {
  const found = dashboard.single.map((column) => [column, commonest(dashboard, column) ?? valuesOf(dashboard, column)[0]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined).map(([column, value]) => [column, [value]]));
}

// The currency of the chosen sources; null where it is not known, or where they have several.
export function currencyOf(dashboard) {
  const sources = chosen().values.source ?? Object.keys(dashboard.currencies);
  const found = new Set(sources.map((one) => dashboard.currencies[one] ?? null));
  return found.size === 1 ? [...found][0] : null;
}

// A value that is clicked is chosen alone, or with others while Control, Command or Shift is held; a second click takes it back.
export function toggle(column, value, more = false) {
  const now = chosen().values[column] || [];
  const single = isSingle(current(), column);
  if (!now.includes(value)) put(column, more && !single ? [...now, value] : [value]);
  else if (!single) put(column, now.filter((one) => one !== value));
}

export function put(column, values) {
  if (values.length) chosen().values[column] = values;
  else delete chosen().values[column];
  if (isSingle(current(), column)) putEverywhere(column, values);
}

// Another source has other months, and values that the first one lacks.
function putEverywhere(column, values) {
  for (const dashboard of dashboards) {
    if (!isSingle(dashboard, column) || !valuesOf(dashboard, column).includes(values[0])) continue;
    chooseFirst(dashboard, { ...singleValues(dashboard), [column]: [...values] });
  }
}

function singleValues(dashboard) {
  return Object.fromEntries(Object.entries(state.chosen[dashboard.name].values).filter(([column]) => isSingle(dashboard, column)));
}

export function choosePeriod(first, last) {
  chosen().months = first <= last ? [first, last] : [last, first];
}

export function reset() {
  chooseFirst(current(), { ...firstValues(current()), ...singleValues(current()) });
}

// For tests and bookmarks: any of dashboard, sheet, values, months (as 2026-03), language and theme.
export function apply({ dashboard, sheet, values, months, language, theme }) {
  if (dashboard || sheet) show(dashboard ?? state.dashboard, sheet);
  if (language) speak(language);
  if (theme) state.theme = theme;
  if (values) {
    const some = Object.entries(values).filter(([, found]) => found.length);
    chosen().values = Object.fromEntries(some.map(([column, found]) => [column, [...found]]));
    current().months = monthsOf(current(), chosen().values);
  }
  if (months !== undefined) chosen().months = months && months.map(monthOfIso);
}

export function told() {
  const { values, months } = chosen();
  return {
    dashboard: state.dashboard,
    sheet: state.sheet,
    language: spoken(),
    theme: state.theme,
    values: structuredClone(values),
    months: months && months.map(isoOfMonth),
  };
}
