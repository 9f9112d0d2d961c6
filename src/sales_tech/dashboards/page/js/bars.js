// Bars, upright or lying, with their values or intervals beside them.
import { amounts, BAR, LETTER, quantity, thick, wholeSteps } from "./axes.js";
import { colorsOrOne } from "./colors.js";
import { short } from "./formats.js";
import { named } from "./names.js";
import { tipped } from "./pointer.js";
import { columnOf, inline, intervalOf, measure } from "./rows.js";

export function bar(visual, context) {
  const { legend, color } = colorsOrOne(visual, context);
  const { rows, tooltip } = tipped(visual, context);
  const { format } = measure(context, visual.value);
  const written = rows.map((row) => ({ ...row, written: row.m0 === null ? "" : short(row.m0, format) }));
  const shape = shapeOf(visual, context, written);
  const intervals = intervalsOf(visual, context, rows);
  const category = categoryOf(context, shape);
  const amount = amountOf(visual, format, { ...shape, heaps: heapsOf(rows) }, [...rows.map((row) => row.m0 ?? 0), ...intervals.flatMap((row) => [row.from, row.to])]);
  const position = shape.upright ? { x: category, y: amount } : { x: amount, y: category };
  const layer = [bars(visual, context, shape, { ...position, color, tooltip })];
  if (intervals.length && !visual.color) layer.push(strokes(intervals, category, shape));
  if (!intervals.length && !visual.color && roomForLabels(context, shape)) layer.push(...labels(written, position, shape));
  return { legend, data: inline(rows), layer, height: heightOf(context, shape) };
}

function shapeOf(visual, context, written) {
  const sorted = visual.order === "category";
  const names = sorted ? context.order(visual.category).map((value) => named(value, visual.category)) : columnOf(written, "d0");
  const longest = Math.max(...names.map((name) => name.length));
  return {
    names,
    upright: sorted && names.length * Math.max(30, LETTER * longest) <= context.width,
    plot: Math.max(150, context.width - LETTER * Math.min(21, longest) - 24),
    widest: LETTER * Math.max(...written.map((row) => row.written.length)),
  };
}

function intervalsOf(visual, context, rows) {
  const told = rows.map((row) => ({ row, ends: intervalOf(context, visual.value, row) }));
  return told.filter(({ ends }) => ends.length).map(({ row, ends: [from, to] }) => ({ ...row, from, to }));
}

function categoryOf(context, { names, upright }) {
  return {
    field: "d0",
    type: "nominal",
    sort: null,
    scale: { domain: names, paddingInner: 0.25, paddingOuter: 0.1 },
    axis: { title: null, labelAngle: 0, labelLimit: Math.min(190, context.width * 0.4), labelOverlap: upright },
  };
}

function amountOf(visual, format, shape, found) {
  const lying = { tickCount: Math.max(2, Math.floor(shape.plot / 90)), labelBound: true };
  const steps = format === "number" ? wholeSteps(shape.heaps, shape.upright ? undefined : lying.tickCount) : {};
  const axis = amounts(format, { ...(shape.upright ? {} : lying), ...steps });
  // Bars of several colours stand on each other, so their values do not tell how far they reach.
  return quantity("m0", { axis, ...(visual.color ? {} : { scale: { domain: domainOf(found, shape), nice: false } }) });
}

// How far the bars of a category reach, of whatever colours.
function heapsOf(rows) {
  const sums = new Map();
  for (const { d0, m0 } of rows) sums.set(d0, (sums.get(d0) ?? 0) + m0);
  return [...sums.values()];
}

// Room for the values: above upright bars, and right of lying ones, where those of bars below zero stand too.
function domainOf(found, { upright, plot, widest }) {
  const low = Math.min(0, ...found);
  const high = Math.max(0, ...found);
  if (upright) return [low * 1.12, high * 1.12];
  const room = Math.min(plot / 2, widest + 12);
  return [low, high + ((high - low) * room) / (plot - room)];
}

function bars(visual, context, { names, upright }, encoding) {
  const space = upright ? context.width - 60 : Math.max(context.height, names.length * BAR) - 30;
  const size = { [upright ? "width" : "height"]: thick(space, names.length) };
  const order = visual.color ? { order: quantity("o") } : {};
  return { mark: { type: "bar", cursor: "pointer", cornerRadiusEnd: visual.color ? 0 : 2, ...size }, encoding: { ...encoding, ...order } };
}

function strokes(rows, category, { upright }) {
  const from = quantity("from");
  const to = { field: "to" };
  return {
    data: inline(rows),
    mark: { type: "rule", color: "var(--ink)", strokeWidth: 1.5, aria: false },
    encoding: upright ? { x: category, y: from, y2: to } : { y: category, x: from, x2: to },
  };
}

const roomForLabels = (context, { names, upright, widest }) => !upright || names.length * widest <= context.width - 60;

// Labels of bars below zero stand on the other side of it, where no name of a category is.
function labels(written, position, { upright }) {
  const beside = upright ? { dy: -7 } : { align: "left", dx: 5 };
  const isBelow = (row) => row.m0 < 0;
  return [written.filter((row) => !isBelow(row)), written.filter(isBelow)].map((rows) => ({
    data: inline(rows.map((row) => ({ ...row, m0: Math.max(0, row.m0) }))),
    mark: { type: "text", color: "var(--ink)", fontSize: 12, baseline: "middle", aria: false, ...beside },
    encoding: { ...position, text: { field: "written" } },
  }));
}

const heightOf = (context, { names, upright }) => (upright ? context.height : Math.max(context.height, names.length * BAR + 28));
