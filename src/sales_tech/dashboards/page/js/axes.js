// What the charts have in common: axes, colours, and what the pointer is told.
import { dayOf, exact, label, named, period } from "./formats.js";
import { text, words } from "./words.js";

const HUES = 16;
export const DAY = 86400000;
export const BAR = 18;
export const THICK = 44;
export const hue = (place) => `var(--hue-${place % HUES})`;

export const CONFIG = {
  font: '"Segoe UI", system-ui, "Liberation Sans", Arial, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: "var(--quiet)", titleColor: "var(--quiet)", gridColor: "var(--grid)", domainColor: "var(--line)", tickColor: "var(--line)",
    labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400, labelLimit: 150, labelPadding: 4, titlePadding: 8,
  },
  axisBand: { grid: false, ticks: false, domain: false },
  axisTemporal: { grid: false },
};

// Bars are no thicker than a finger.
export const thick = (space, count, share = 0.75) => Math.min(THICK, Math.max(1, (space / Math.max(1, count)) * share));

export const isTime = (visual, column) => Boolean(visual.grain) && column === visual.x;
export const measure = (context, name) => context.data.measures[name];
export const values = (rows) => ({ values: rows });
// From the least to the greatest, with zero; both sides of zero are told apart where there is nothing.
export const span = (found) => { const some = found.filter((value) => value !== null); return [Math.min(0, ...some), Math.max(0, ...some) || 1e-9]; };
export const unique = (found) => [...new Set(found)];

// What the pointer is told: names and values of a row, written out.
export function tip(visual, context, row) {
  const found = [];
  for (const column of visual.dimensions) {
    found.push([text(context.data.labels[column] ?? { en: "", pt: "" }) || "", isTime(visual, column) ? period(dayOf(row[column]), visual.grain) : named(row[column], column)]);
  }
  for (const name of visual.measures) found.push([label(measure(context, name)), exact(row[name], measure(context, name).format)]);
  const ends = context.answered.intervals[context.answered.rows.indexOf(row)] || {};
  for (const [name, [low, high]] of Object.entries(ends)) {
    const { format } = measure(context, name);
    found.push([`${words().interval}: ${label(measure(context, name))}`, `${exact(low, format)} ${words().to_value} ${exact(high, format)}`]);
  }
  return found;
}

export function tipped(visual, context) {
  const titles = [];
  const rows = context.drawn.map((drawn) => {
    const told = { ...drawn };
    tip(visual, context, context.answered.rows[drawn.i]).forEach(([title, value]) => {
      let at = titles.indexOf(title || " ");
      if (at < 0) at = titles.push(title || " ") - 1;
      told[`t${at}`] = value;
    });
    return told;
  });
  return { rows, tooltip: titles.map((title, place) => ({ field: `t${place}`, title, type: "nominal" })) };
}

export const amounts = (format, more = {}) => ({ title: null, ...(format === "number" ? { tickMinStep: 1 } : {}), labelExpr: `sayShort(datum.value, "${format}")`, tickCount: 5, domain: false, ticks: false, ...more });
export const few = (context) => unique(context.drawn.map((row) => row.at)).length < 3;
// Two moments make no line; they stand side by side.
export const times = (visual, context, more = {}) => few(context) ? moment(visual, context) : ({
  field: "at", type: "temporal", scale: { type: "utc", padding: context.points ? 8 : 0 },
  axis: { title: null, ...ticks(visual, context), labelOverlap: true, labelFlush: true, ...more },
});

export const moment = (visual, context) => ({
  field: "at", type: "ordinal", scale: { domain: ordered(context.drawn, "at") }, axis: { title: null, labelAngle: 0, labelExpr: `sayTick(datum.value, "${visual.grain}")` },
});

// Ticks at days, weeks or months, never between them.
export function ticks(visual, { drawn, width }) {
  const found = drawn.map((row) => row.at).filter((at) => at !== null), most = Math.max(2, Math.floor(width / 70));
  const days = (Math.max(...found) - Math.min(...found)) / DAY;
  const monthly = visual.grain === "month" || days > 120, labelExpr = `sayTick(datum.value, "${monthly ? "month" : "day"}")`;
  if (monthly) return { labelExpr, tickCount: { interval: "month", step: [1, 2, 3, 6, 12, 24].find((step) => days / 30.4 / step <= most) ?? 36 } };
  if (unique(found).length <= most) return { labelExpr, values: unique(found) };
  return { labelExpr, tickCount: { interval: "day", step: [1, 2, 5, 7, 10, 14].find((step) => days / step <= most) ?? 30 } };
}

// The colour of a value is that of its place among all values of the data, so it stays when others are filtered away.
export function colors(visual, context, place) {
  const column = visual.color, all = context.data.dimensions[column].values;
  const found = context.order(column);
  for (const row of context.drawn) row.o = found.indexOf(context.answered.rows[row.i][column]);
  const legend = found.map((value) => ({ name: named(value, column), color: hue(rank(all, value)), column, value }));
  return { legend, color: { field: `d${place}`, type: "nominal", legend: null, scale: { domain: legend.map((one) => one.name), range: legend.map((one) => one.color) } } };
}
export const rank = (all, value) => (value === null ? all.length : all.indexOf(value));
export const series = (context, names) => names.map((name, place) => ({ name: label(measure(context, name)), color: hue(place) }));
export const ordered = (rows, field) => unique(rows.map((row) => row[field]));

// A rule for each moment, wide enough to be met, tells the values of all series there.
export function moments(visual, context) {
  const at = new Map(), titles = [];
  for (const drawn of context.drawn) {
    const row = context.answered.rows[drawn.i], told = at.get(drawn.at) ?? { i: drawn.i, at: drawn.at, t: period(dayOf(row[visual.x]), visual.grain) };
    at.set(drawn.at, told);
    for (const name of visual.measures) {
      const title = visual.color ? named(row[visual.color], visual.color) : label(measure(context, name));
      let place = titles.indexOf(title);
      if (place < 0) place = titles.push(title) - 1;
      told[`t${place}`] = exact(row[name], measure(context, name).format);
    }
  }
  return {
    data: values([...at.values()]),
    mark: { type: "rule", opacity: 0, strokeWidth: Math.max(3, Math.min(60, context.width / at.size)), tooltip: true, aria: false },
    encoding: { x: times(visual, context), tooltip: [{ field: "t", title: "title", type: "nominal" }, ...titles.slice(0, 12).map((title, place) => ({ field: `t${place}`, title, type: "nominal" }))] },
  };
}
