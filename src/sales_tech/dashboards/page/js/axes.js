// Axes of amounts, of names and of times.
import { MILLISECONDS } from "./days.js";
import { named } from "./names.js";
import { columnOf, unique } from "./rows.js";
import { text } from "./words.js";

export const BAR = 18;
export const LETTER = 7;
export const THICK = 44;

export const quantity = (field, more = {}) => ({ field, type: "quantitative", ...more });

// Bars are no thicker than a finger.
export const thick = (space, count, share = 0.75) => Math.min(THICK, Math.max(1, (space / Math.max(1, count)) * share));

// From the least to the greatest, with zero; where all are nothing, up to one.
export function span(found) {
  const some = found.filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...some), Math.max(0, ...some)];
  return low === high ? [0, 1] : [low, high];
}

export function amounts(format, more = {}) {
  const whole = format === "number" ? { tickMinStep: 1 } : {};
  return { title: null, ...whole, labelExpr: `sayShort(datum.value, "${format}")`, tickCount: 5, domain: false, ticks: false, ...more };
}

// Whole things are counted in whole steps; Vega takes no notice of tickMinStep where there are one or two.
export function wholeSteps(found, most = 5) {
  const some = found.filter((value) => value !== null);
  return some.every(Number.isInteger) ? { tickCount: Math.max(1, Math.min(most, Math.max(0, ...some))) } : {};
}

// Numbers need the name of what they count.
export function counted({ data }, column) {
  const isPlain = (value) => typeof value === "number" && named(value, column) === String(value);
  const numbers = column in data.labels && data.dimensions[column].values.some(isPlain);
  return numbers ? text(data.labels[column]) : null;
}

export const few = (context) => columnOf(context.drawn, "at").length < 3;

// Two moments make no line; they stand side by side.
export const times = (visual, context) => (few(context) ? moment(visual, context) : line(visual, context));

export function moment(visual, context) {
  return {
    field: "at",
    type: "ordinal",
    scale: { domain: columnOf(context.drawn, "at") },
    axis: { title: null, labelAngle: 0, labelExpr: sayTick(visual.grain) },
  };
}

function line(visual, context) {
  return {
    field: "at",
    type: "temporal",
    scale: { type: "utc", padding: context.points ? 8 : 0 },
    axis: { title: null, ...ticks(visual, context), labelOverlap: true, labelFlush: true },
  };
}

export const sayTick = (grain) => `sayTick(datum.value, "${grain}")`;

// Ticks at days, weeks or months, never between them.
function ticks(visual, { drawn, width }) {
  const found = unique(drawn.map((row) => row.at).filter((at) => at !== null));
  const most = Math.max(2, Math.floor(width / 70));
  const days = (Math.max(...found) - Math.min(...found)) / MILLISECONDS;
  const stepOf = (steps, length) => steps.find((step) => length / step <= most);
  if (visual.grain === "month" || days > 120) {
    return { labelExpr: sayTick("month"), tickCount: { interval: "month", step: stepOf([1, 2, 3, 6, 12, 24], days / 30.4) ?? 36 } };
  }
  if (found.length <= most) return { labelExpr: sayTick("day"), values: found };
  return { labelExpr: sayTick("day"), tickCount: { interval: "day", step: stepOf([1, 2, 5, 7, 10, 14], days) ?? 30 } };
}
