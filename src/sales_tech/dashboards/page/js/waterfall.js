// Steps from a first amount to a last one, upright or lying.
import { amounts, LETTER, quantity } from "./axes.js";
import { colored } from "./colors.js";
import { exact, short } from "./formats.js";
import { label } from "./names.js";
import { inline, measure } from "./rows.js";
import { text } from "./words.js";

const KINDS = [
  { name: "whole", color: "var(--hue-0)" },
  { name: "up", color: "var(--good)" },
  { name: "down", color: "var(--bad)" },
];

export function waterfall(visual, context) {
  const { format } = measure(context, visual.steps[0].value);
  const bars = barsOf(visual, context, format);
  const shape = shapeOf(context, bars);
  const step = stepOf(context, bars, shape);
  const amount = amountOf(format, bars, shape);
  const position = (field) => (shape.lying ? { y: step, x: amount(field) } : { x: step, y: amount(field) });
  return {
    data: inline(bars),
    height: shape.lying ? Math.max(context.height, bars.length * 28) : context.height,
    layer: [barLayer(position("from"), shape), labelLayer(position("top"), shape)],
  };
}

function barsOf(visual, context, format) {
  const row = context.answered.rows[0];
  const bars = [];
  let sum = 0;
  for (const [place, { value, subtract }] of visual.steps.entries()) {
    const change = (row[value] ?? 0) * (subtract ? -1 : 1);
    const sign = place && change > 0 ? "+" : "";
    const name = label(measure(context, value));
    bars.push({ ...barOf(name, sum, sum + change, `${sign}${short(change, format)}`, exact(change, format)), kind: kindOf(place, change) });
    sum += change;
  }
  return [...bars, { ...barOf(text(visual.total), 0, sum, short(sum, format), exact(sum, format)), kind: "whole" }];
}

const barOf = (name, from, to, written, told) => ({ i: 0, name, from, to, top: Math.max(from, to), written, told });

function kindOf(place, change) {
  if (place === 0) return "whole";
  return change < 0 ? "down" : "up";
}

function shapeOf(context, bars) {
  const longest = Math.max(...bars.map((bar) => bar.name.length));
  const ofNames = context.width * 0.45;
  return {
    lying: context.width < 90 * bars.length,
    plot: Math.max(120, context.width - Math.min(LETTER * longest, ofNames) - 20),
    ofNames,
  };
}

function stepOf(context, bars, { lying, ofNames }) {
  const axis = { title: null, labelAngle: 0 };
  const upright = { labelLimit: Math.max(60, context.width / bars.length - 6), labelExpr: "sayLines(datum.label)" };
  return {
    field: "name",
    type: "nominal",
    sort: null,
    scale: { domain: bars.map((bar) => bar.name), paddingInner: 0.3 },
    axis: { ...axis, ...(lying ? { labelLimit: ofNames } : upright) },
  };
}

function amountOf(format, bars, { lying, plot }) {
  const axis = amounts(format, lying ? { tickCount: Math.max(2, Math.floor(plot / 110)), labelBound: true } : {});
  const all = bars.flatMap((bar) => [bar.from, bar.to]);
  const low = Math.min(0, ...all);
  const high = Math.max(0, ...all);
  // Room for the figures at the ends of the bars.
  const room = (high - low) * (lying ? 96 / Math.max(60, plot - 96) : 0.1);
  const domain = [low < 0 ? low - (high - low) * 0.03 : 0, high + room];
  return (field) => quantity(field, { axis, scale: { domain, nice: false } });
}

function barLayer(position, { lying }) {
  const tooltip = [{ field: "name", title: "title", type: "nominal" }, { field: "told", title: " ", type: "nominal" }];
  const encoding = { ...position, [lying ? "x2" : "y2"]: { field: "to" }, color: colored("kind", KINDS), tooltip };
  return { mark: { type: "bar" }, encoding };
}

function labelLayer(position, { lying }) {
  const beside = lying ? { align: "left", dx: 5 } : { dy: -8 };
  const mark = { type: "text", color: "var(--ink)", fontSize: 12, aria: false, ...beside };
  return { mark, encoding: { ...position, text: { field: "written" } } };
}
