// Bars with a line above them, whose unit may be another.
import { amounts, counted, LETTER, quantity, sayTick, span, thick, wholeSteps } from "./axes.js";
import { colored, series } from "./colors.js";
import { allMoments, broken } from "./gaps.js";
import { label, named } from "./names.js";
import { tipped } from "./pointer.js";
import { columnOf, fieldOf, having, inline, long, measure } from "./rows.js";

const ROOM = 1.05;
const LEAST = 3; // for a bar and what is beside it

export function combo(visual, context) {
  const { rows, tooltip } = tipped(visual, context);
  const names = namesOf(visual, context, rows);
  const x = positionOf(visual, context, names);
  const bars = long(visual, context, visual.bars, rows);
  const domains = domainsOf(visual, context, rows, bars);
  return {
    legend: [...series(context, visual.bars), { name: label(measure(context, visual.line)), color: "var(--ink)", line: true }],
    layer: [
      barLayer(visual, context, { rows: bars, x, names, domain: domains.bars, tooltip }),
      lineLayer(visual, context, { rows, x, domain: domains.line, tooltip }),
    ],
    resolve: { scale: { y: "independent" } },
  };
}

const keyOf = (visual) => (visual.grain ? "at" : "d0");
const isShared = (visual, context) => measure(context, visual.bars[0]).format === measure(context, visual.line).format;

function namesOf(visual, context, rows) {
  if (visual.grain) return allMoments(columnOf(rows, "at"), visual.grain, context.width / LEAST);
  return context.order(visual.x).map((value) => named(value, visual.x));
}

function positionOf(visual, context, names) {
  const widest = visual.grain ? 60 : 12 + LETTER * Math.max(...names.map((name) => name.length));
  const most = Math.max(2, Math.floor((context.width - 120) / widest));
  const step = Math.ceil(names.length / most);
  return {
    field: keyOf(visual),
    type: "ordinal",
    sort: null,
    scale: { domain: names, paddingInner: 0.2, paddingOuter: 0.1 },
    axis: {
      title: counted(context, visual.x),
      titleAnchor: "end",
      labelAngle: 0,
      labelLimit: 100,
      // Where bars are narrower than their names, the first one would stand on that of the amounts.
      labelFlush: context.width / names.length < widest / 3 && widest / 3,
      values: names.filter((_, place) => place % step === 0),
      ...(visual.grain ? { labelExpr: sayTick(visual.grain) } : {}),
    },
  };
}

// Amounts of one unit have one scale; those of two have their zero at the same height.
function domainsOf(visual, context, rows, bars) {
  const left = span(visual.stacked ? heapsOf(visual, rows) : bars.map((row) => row.value));
  const right = span(rows.map((row) => row[fieldOf(visual, visual.line)]));
  if (isShared(visual, context)) {
    const both = span([...left, ...right]).map((end) => end * ROOM);
    return { bars: both, line: both };
  }
  const below = [left, right].map(([low, high]) => -low / (high - low)).sort((one, other) => one - other);
  // As far up as leaves both the same part of their own height.
  const zero = below[1] / (1 - below[0] + below[1]);
  return { bars: around(zero, left), line: around(zero, right) };
}

// The least domain that holds both ends and has zero at a part of its height.
function around(zero, [low, high]) {
  const height = ROOM * Math.max(zero ? -low / zero : 0, zero < 1 ? high / (1 - zero) : 0);
  return [-zero * height, (1 - zero) * height];
}

// How far bars that stand on each other reach above and below zero.
function heapsOf(visual, rows) {
  const heap = (row, sign) => visual.bars.reduce((sum, name) => sum + Math.max(0, sign * row[fieldOf(visual, name)]), 0);
  return rows.flatMap((row) => [heap(row, 1), -heap(row, -1)]);
}

function barLayer(visual, context, { rows, x, names, domain, tooltip }) {
  const isBeside = visual.bars.length > 1 && !visual.stacked;
  const legend = series(context, visual.bars);
  const { format } = measure(context, visual.bars[0]);
  const axis = amounts(format, format === "number" && !visual.stacked ? wholeSteps(rows.map((row) => row.value)) : {});
  const width = isBeside ? {} : { width: thick(context.width - 120, names.length, 0.8) };
  const offset = isBeside ? { xOffset: { field: "series", sort: legend.map((one) => one.name) } } : {};
  return {
    data: inline(rows),
    mark: { type: "bar", cursor: visual.grain ? "default" : "pointer", ...width },
    encoding: {
      x,
      ...offset,
      y: quantity("value", { stack: visual.stacked ? "zero" : null, axis, scale: { domain, nice: false } }),
      order: { field: "place" },
      color: colored("series", legend),
      tooltip,
    },
  };
}

function lineLayer(visual, context, { rows, x, domain, tooltip }) {
  const field = fieldOf(visual, visual.line);
  const needsAxis = !isShared(visual, context) && having(rows, field).length > 0;
  const axis = needsAxis ? amounts(measure(context, visual.line).format, { orient: "right", grid: false }) : null;
  const point = { size: 30, filled: true, fill: "var(--ink)", stroke: "var(--card)", strokeWidth: 1 };
  return {
    data: inline(visual.grain ? broken(rows, visual.grain, () => field, field).rows : rows),
    mark: { type: "line", color: "var(--ink)", strokeWidth: 2, point },
    encoding: { x, y: quantity(field, { axis, scale: { domain, nice: false } }), tooltip },
  };
}
