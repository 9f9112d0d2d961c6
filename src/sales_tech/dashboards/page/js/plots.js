// Charts in their places, with a legend, and with marks that choose values.
import { chart } from "./charts.js";
import { isMore, make } from "./elements.js";
import { exact } from "./formats.js";
import { draw } from "./marks.js";
import { written } from "./pointer.js";
import { isTime, unique } from "./rows.js";
import { current, isChosen, toggle } from "./state.js";
import { ascending, inOrder } from "./values.js";
import { text, words } from "./words.js";

const LEAST = 110;
const SCROLLBAR = 14;
const GAP = 6; // below a legend, as the style sheet has it

// The chart of a visual in a place; the answer ends it.
export function plot(visual, data, answered, place, changed) {
  const order = (column) => inOrder(current(), column, unique(answered.rows.map((row) => row[column])).sort(ascending));
  const context = { data, answered, order, width: Math.floor(place.clientWidth) };
  const { legend } = chart(visual, { ...context, height: LEAST });
  const keys = legend.length ? legendOf(legend, changed) : null;
  const inside = make("div", { class: "plot" });
  place.replaceChildren(...[keys, inside].filter(Boolean));
  const height = Math.max(LEAST, Math.floor(place.clientHeight - (keys ? keys.offsetHeight + GAP : 0)));
  const { spec } = chart(visual, { ...context, height });
  inside.style.height = `${height}px`;
  if (spec.height > height) scroll(inside, spec);
  return draw(inside, spec, text(visual.title), pickOf(visual, data, answered, changed));
}

function scroll(inside, spec) {
  spec.width -= SCROLLBAR;
  inside.setAttribute("class", "plot scrolls");
  inside.setAttribute("tabindex", "0");
}

// Marks of lines and areas are of many rows, so they choose nothing.
function pickOf(visual, data, { rows }, changed) {
  const columns = visual.dimensions.filter((column) => !isTime(visual, column));
  if (!columns.length || visual.kind === "line" || visual.kind === "stacked_area") return null;
  return {
    choose: (i, more) => {
      choose(columns, rows[i], more);
      changed();
    },
    isPressed: (i) => columns.every((column) => isChosen(column, rows[i][column])),
    nameOf: (i) => nameOf(visual, data, rows[i]),
  };
}

// All dimensions of the mark that was met are chosen together, and taken back together.
function choose(columns, row, more) {
  const known = columns.filter((column) => row[column] !== null);
  const areChosen = known.every((column) => isChosen(column, row[column]));
  for (const column of known) {
    if (areChosen === isChosen(column, row[column])) toggle(column, row[column], more);
  }
}

function nameOf(visual, data, row) {
  const names = visual.dimensions.map((column) => written(visual, row, column));
  const figures = visual.measures.map((name) => exact(row[name], data.measures[name].format));
  return `${names.join(", ")}: ${figures.join(", ")}`;
}

function legendOf(legend, changed) {
  return make("ul", { class: "legend", "aria-label": words().legend }, ...legend.map((one) => make("li", {}, ...keyOf(one, changed))));
}

function keyOf({ name, color, line, column, value = null }, changed) {
  const swatch = make("span", { class: line ? "swatch line" : "swatch", "aria-hidden": "true" });
  swatch.style.background = color;
  if (!column || value === null) return [swatch, name];
  const onclick = (event) => {
    toggle(column, value, isMore(event));
    changed();
  };
  const pressed = String(isChosen(column, value));
  return [make("button", { type: "button", "data-key": name, "aria-pressed": pressed, onclick }, swatch, name)];
}
