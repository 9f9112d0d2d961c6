// Charts over time: lines, areas that stand on each other, and a forecast with its interval.
import { amounts, few, moment, quantity, THICK, times } from "./axes.js";
import { colored, colors, series } from "./colors.js";
import { broken, grounded } from "./gaps.js";
import { label } from "./names.js";
import { moments, tipped } from "./pointer.js";
import { fieldOf, having, inline, long, measure } from "./rows.js";
import { words } from "./words.js";

const DOTTED = 60; // moments, above which points would hide their line

export function line(visual, context) {
  const { format } = measure(context, visual.values[0]);
  const { legend, color } = visual.color ? colors(visual, context) : measureColors(context, visual.values);
  const points = context.drawn.length <= DOTTED || few(context);
  const pointed = { ...context, points };
  // Shares of several values lie close together, far from zero.
  const y = quantity("value", { axis: amounts(format), scale: { zero: format !== "percent" || !visual.color } });
  const told = long(visual, context, visual.measures, context.drawn);
  const { rows, alone } = broken(told, visual.grain, (row) => row.d1 ?? row.series, "value");
  const point = { size: 36, filled: true };
  const encoding = { x: times(visual, pointed), y, color };
  const lines = {
    data: inline(few(context) ? told : rows),
    mark: { type: "line", strokeWidth: 2, point: points ? point : false, interpolate: "linear" },
    encoding,
  };
  const dots = { data: inline(alone), mark: { type: "point", opacity: 1, ...point }, encoding };
  return { legend, layer: [lines, ...(points || !alone.length ? [] : [dots]), moments(visual, pointed)] };
}

// A line that is alone is named by the title of its visual.
function measureColors(context, names) {
  const legend = series(context, names);
  return { legend: legend.length === 1 ? [] : legend, color: colored("series", legend) };
}

export function stackedArea(visual, context) {
  const { legend, color } = colors(visual, context);
  const axis = amounts(measure(context, visual.value).format);
  const layer = few(context) ? [momentBars(visual, context, axis, color)] : [areas(visual, context, axis, color), moments(visual, context)];
  return { legend, layer };
}

function momentBars(visual, context, axis, color) {
  const { rows, tooltip } = tipped(visual, context);
  return {
    data: inline(rows),
    mark: { type: "bar", width: THICK },
    encoding: { x: moment(visual, context), y: quantity("m0", { axis }), color, tooltip },
  };
}

function areas(visual, context, axis, color) {
  return {
    data: inline(grounded(context.drawn, visual.grain, "m0")),
    mark: { type: "area", opacity: 0.9, stroke: "var(--card)", strokeWidth: 1 },
    encoding: { x: times(visual, context), y: quantity("m0", { stack: "zero", axis }), color, order: quantity("o", { sort: "ascending" }) },
  };
}

export function fan(visual, context) {
  const { drawn } = context;
  const [actual, mid, low, high] = [visual.actual, visual.mid, visual.low, visual.high].map((name) => fieldOf(visual, name));
  const x = times(visual, context);
  const y = (field) => quantity(field, { axis: amounts(measure(context, visual.mid).format) });
  const sold = having(drawn, actual);
  const past = few(context) ? sold : broken(sold, visual.grain, () => actual, actual).rows;
  const layer = (mark, rows, encoding) => ({ data: inline(rows), mark, encoding: { x, ...encoding } });
  return {
    legend: fanLegend(visual, context),
    layer: [
      layer({ type: "area", color: "var(--band)" }, having(drawn, low, high), { y: y(low), y2: { field: high } }),
      layer({ type: "line", color: "var(--hue-0)", strokeWidth: 2, strokeDash: [6, 3] }, having(drawn, mid), { y: y(mid) }),
      layer({ type: "line", color: "var(--ink)", strokeWidth: 2 }, past, { y: y(actual) }),
      moments(visual, context),
    ],
  };
}

function fanLegend(visual, context) {
  return [
    { name: label(measure(context, visual.actual)), color: "var(--ink)", line: true },
    { name: label(measure(context, visual.mid)), color: "var(--hue-0)", line: true },
    { name: words().interval, color: "var(--band)" },
  ];
}
