// What the pointer is told of a mark, or of a moment.
import { times } from "./axes.js";
import { dayOf, period } from "./days.js";
import { exact } from "./formats.js";
import { label, named } from "./names.js";
import { inline, isTime, measure } from "./rows.js";
import { text, words } from "./words.js";

const MOST = 12;
// These two names are a heading and a picture to the library, and a category may be called so.
const RESERVED = ["title", "image"];
const said = (field, title) => ({ field, title, type: "nominal" });

// The drawn rows with their texts as t0, t1 ..., and the tooltip that shows these.
export function tipped(visual, context) {
  const titles = [];
  const rows = context.drawn.map((drawn) => {
    const told = { ...drawn };
    for (const [title, value] of tip(visual, context, drawn.i)) told[`t${placeOf(titles, title || " ")}`] = value;
    return told;
  });
  return { rows, tooltip: titles.map((title, place) => said(`t${place}`, title)) };
}

// Names and values of a row, written out.
function tip(visual, context, i) {
  const row = context.answered.rows[i];
  const format = (name) => measure(context, name).format;
  return [
    ...visual.dimensions.map((column) => [headOf(context, column), written(visual, row, column)]),
    ...visual.measures.map((name) => [label(measure(context, name)), exact(row[name], format(name))]),
    ...Object.entries(context.answered.intervals[i] ?? {}).map(([name, [low, high]]) => [
      `${words().interval}: ${label(measure(context, name))}`,
      `${exact(low, format(name))} ${words().to_value} ${exact(high, format(name))}`,
    ]),
  ];
}

const headOf = ({ data }, column) => (column in data.labels ? text(data.labels[column]) : "");

export function written(visual, row, column) {
  return isTime(visual, column) ? period(dayOf(row[column]), visual.grain) : named(row[column], column);
}

function placeOf(titles, title) {
  const plain = RESERVED.includes(title) ? `${title}\u200b` : title;
  const at = titles.indexOf(plain);
  return at < 0 ? titles.push(plain) - 1 : at;
}

// A rule for each moment, wide enough to be met, tells the values of all series there.
export function moments(visual, context) {
  const titles = [];
  const at = new Map();
  for (const drawn of context.drawn) {
    const row = context.answered.rows[drawn.i];
    const told = at.get(drawn.at) ?? { i: drawn.i, at: drawn.at, t: period(dayOf(row[visual.x]), visual.grain) };
    at.set(drawn.at, told);
    for (const name of visual.measures) {
      told[`t${placeOf(titles, seriesOf(visual, context, row, name))}`] = exact(row[name], measure(context, name).format);
    }
  }
  const rest = titles.length - MOST;
  const rows = [...at.values()].map((told) => (rest > 0 ? { ...told, rest: words().more(rest) } : told));
  return {
    data: inline(rows),
    mark: { type: "rule", opacity: 0, strokeWidth: Math.max(3, Math.min(60, context.width / at.size)), tooltip: true, aria: false },
    encoding: { x: times(visual, context), tooltip: momentTip(titles, rest) },
  };
}

function seriesOf(visual, context, row, name) {
  return visual.color ? named(row[visual.color], visual.color) : label(measure(context, name));
}

function momentTip(titles, rest) {
  const shown = titles.slice(0, MOST).map((title, place) => said(`t${place}`, title));
  return [said("t", "title"), ...shown, ...(rest > 0 ? [said("rest", "…")] : [])];
}
