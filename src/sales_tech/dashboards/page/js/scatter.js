// Points by two measures, with the line at which both are equal or one is nothing.
import { amounts, quantity } from "./axes.js";
import { colorsOrOne } from "./colors.js";
import { apart } from "./labels.js";
import { label } from "./names.js";
import { tipped } from "./pointer.js";
import { fieldOf, having, inline, measure } from "./rows.js";
import { words } from "./words.js";

export function scatter(visual, context) {
  const { legend, color } = colorsOrOne(visual, context);
  const { rows, tooltip } = tipped(visual, context);
  const [x, y] = [visual.x, visual.y].map((name) => fieldOf(visual, name));
  const position = positionsOf(visual, context);
  const whole = having(rows, x, y).map((row) => ({ ...row, [x]: settled(row[x]), [y]: settled(row[y]) }));
  const line = visual.break_even && whole.length ? breakEven(visual, whole.map((row) => row[x])) : null;
  const labels = apart(whole, [x, y], context, line ? [line] : []);
  return {
    legend,
    layer: [
      ...(line ? lineLayers(line, position("x", "y")) : []),
      points(whole, { ...position(x, y), size: sizeOf(visual), color, tooltip }),
      ...nameLayers(labels, position(x, y)),
    ],
  };
}

// Equal ratios of unequal sums differ in their last digits, which an axis of nothing else would spread out.
const settled = (value) => Number(value.toPrecision(9));

// The encoding of two fields by the axes of the two measures.
function positionsOf(visual, context) {
  const [x, y] = [visual.x, visual.y].map((name) => measure(context, name));
  const scale = { zero: false, nice: true };
  const across = { title: label(x), tickCount: Math.max(2, Math.floor(context.width / 100)), labelBound: true, titleAnchor: "end" };
  const beside = { titleAngle: 0, titleAlign: "left", titleBaseline: "bottom", titleAnchor: "end", titleX: -44, titleY: -8 };
  return (first, second) => ({
    x: quantity(first, { axis: amounts(x.format, across), scale }),
    y: quantity(second, { axis: amounts(y.format, { title: label(y), ...beside }), scale }),
  });
}

function sizeOf(visual) {
  return visual.size ? quantity(fieldOf(visual, visual.size), { legend: null, scale: { range: [30, 420] } }) : { value: 64 };
}

function breakEven(visual, xs) {
  const isEqual = visual.break_even === "equal";
  const at = (x) => ({ x, y: isEqual ? x : 0 });
  return { begin: at(Math.min(...xs)), end: { ...at(Math.max(...xs)), name: isEqual ? words().break_even : words().zero } };
}

function lineLayers({ begin, end }, position) {
  const line = { type: "line", color: "var(--quiet)", strokeDash: [5, 4], strokeWidth: 1.5, aria: false };
  const name = { type: "text", color: "var(--quiet)", align: "right", dy: -8, fontSize: 12, aria: false };
  return [
    { data: inline([begin, end]), mark: line, encoding: position },
    { data: inline([end]), mark: name, encoding: { ...position, text: { field: "name" } } },
  ];
}

function points(rows, encoding) {
  const mark = { type: "point", filled: true, opacity: 0.75, stroke: "var(--card)", strokeWidth: 0.5, cursor: "pointer" };
  return { data: inline(rows), mark, encoding };
}

function nameLayers(labels, position) {
  const layers = [["left", 9], ["right", -9]].map(([align, dx]) => ({
    data: inline(labels.filter((row) => row.align === align)),
    mark: { type: "text", color: "var(--ink)", align, baseline: "middle", dx, fontSize: 11, aria: false },
    encoding: { ...position, text: { field: "d0" } },
  }));
  return layers.filter((layer) => layer.data.values.length);
}
