// Two dimensions across and down, the value as the strength of one colour.
import { counted, LETTER } from "./axes.js";
import { short } from "./formats.js";
import { named } from "./names.js";
import { tipped } from "./pointer.js";
import { having, inline, measure } from "./rows.js";

export function heatmap(visual, context) {
  const { rows, tooltip } = tipped(visual, context);
  const [xs, ys] = visual.dimensions.slice(0, 2).map((column) => context.order(column).map((value) => named(value, column)));
  const cell = { width: (context.width - 90) / xs.length, height: context.height / ys.length };
  const position = positionOf(visual, context, xs, ys, cell);
  const domain = domainOf(having(rows, "m0").map((row) => row.m0));
  const layer = [cells(position, domain, tooltip)];
  if (cell.width >= 46 && cell.height >= 20) layer.push(...labels(visual, context, rows, position, domain));
  const title = counted(context, visual.x) ? 42 : 26;
  return { data: inline(rows), layer, height: Math.max(context.height, ys.length * 12 + title) };
}

function positionOf(visual, context, xs, ys, cell) {
  const axis = { title: null, labelAngle: 0, labelLimit: Math.min(150, context.width * 0.36), labelFontSize: cell.height < 17 ? 11 : 12 };
  const longest = Math.max(...xs.map((name) => Math.min(name.length, 10)));
  const every = Math.ceil((LETTER * longest + 8) / cell.width);
  const across = {
    title: counted(context, visual.x),
    titleAnchor: "end",
    titlePadding: 2,
    orient: "bottom",
    values: xs.filter((_, place) => place % every === 0),
  };
  return {
    x: { field: "d0", type: "ordinal", scale: { domain: xs }, axis: { ...axis, ...across } },
    y: { field: "d1", type: "ordinal", scale: { domain: ys }, axis },
  };
}

// From zero, except where all values lie above it.
function domainOf(found) {
  const least = Math.min(...found);
  return [least > 0 ? least : Math.min(least, 0), Math.max(...found, 0)];
}

function cells(position, domain, tooltip) {
  const scale = { domain, range: [0.1, 1], clamp: true };
  return {
    mark: { type: "rect", cursor: "pointer", fill: "var(--heat)", stroke: "var(--card)", strokeWidth: 1.5, tooltip: true },
    encoding: { ...position, fillOpacity: { field: "m0", type: "quantitative", legend: null, scale }, tooltip },
  };
}

// Dark letters cannot be read on strong cells, light ones cannot on weak cells.
function labels(visual, context, rows, position, [low, high]) {
  const { format } = measure(context, visual.value);
  const middle = low + 0.6 * (high - low);
  const told = having(rows, "m0").map((row) => ({ ...row, written: short(row.m0, format), strong: row.m0 > middle }));
  return [[true, "var(--on-heat)"], [false, "var(--ink)"]].map(([strong, color]) => ({
    data: inline(told.filter((row) => row.strong === strong)),
    mark: { type: "text", color, fontSize: 11, aria: false, tooltip: false },
    encoding: { ...position, text: { field: "written" } },
  }));
}
