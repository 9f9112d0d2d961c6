// The colours of values and of measures, and the legends that tell them.
import { label, named } from "./names.js";
import { measure } from "./rows.js";

const HUES = 16;
const hue = (place) => `var(--hue-${place % HUES})`;

export function colored(field, legend) {
  const scale = { domain: legend.map((one) => one.name), range: legend.map((one) => one.color) };
  return { field, type: "nominal", legend: null, scale };
}

export const series = (context, names) => names.map((name, place) => ({ name: label(measure(context, name)), color: hue(place) }));

// The colour of a value is that of its place among all values of the data, so it stays when others are filtered away.
// Rows get their place in the legend as o, for what stands on each other.
export function colors(visual, context) {
  const column = visual.color;
  const all = context.data.dimensions[column].values;
  const rank = (value) => (value === null ? all.length : all.indexOf(value));
  const found = context.order(column);
  for (const row of context.drawn) row.o = found.indexOf(context.answered.rows[row.i][column]);
  const legend = found.map((value) => ({ name: named(value, column), color: hue(rank(value)), column, value }));
  return { legend, color: colored("d1", legend) };
}

export const colorsOrOne = (visual, context) => (visual.color ? colors(visual, context) : { legend: [], color: { value: hue(0) } });
