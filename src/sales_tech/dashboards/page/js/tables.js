// Tables of rows, in a sheet or in a window of their own.
import { columnsOf } from "./columns.js";
import { hidden, isMore, make, unseen } from "./elements.js";
import { brief } from "./formats.js";
import { words } from "./words.js";

const LARGE = 1000;
const LONG = 24; // letters of a name, above which it may stand in several lines

// pick: { toggle(column, value, more), pressed(column, value) } where values filter.
// Such a table is brief, with intervals below their figures.
export function table(visual, data, dashboard, { rows, intervals }, caption, pick) {
  const all = columnsOf(visual, data, dashboard);
  const columns = pick ? all.filter((one) => !one.end).map((one) => (one.measure ? briefColumn(one, data, rows) : one)) : all;
  const head = columns.map((one) => make("th", { scope: "col", class: one.number ? "number" : null }, one.head));
  const body = rows.map((row, place) => make("tr", {}, ...columns.map((column, at) => {
    const heads = at === 0 && !column.number;
    return cell({ row, column, ends: intervals[place], tone: toneOf(visual, row, column), heads, pick });
  })));
  return make("table", {},
    make("caption", { class: "unseen" }, caption),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...body),
  );
}

function briefColumn(column, data, rows) {
  const name = column.measure;
  const { format } = data.measures[name];
  const large = rows.some((row) => Math.abs(row[name]) >= LARGE);
  const written = (value) => brief(value, format, large);
  const below = (ends) => (ends?.[name] ? ends[name].map(written).join(` ${words().to_value} `) : null);
  return { ...column, written: (row) => written(row[name]), below };
}

function cell({ row, column, ends, tone, heads, pick }) {
  const written = column.written(row, ends);
  const value = column.column ? row[column.column] : null;
  const below = column.below?.(ends);
  const isLong = !column.number && written.length > LONG;
  const classes = [column.number ? "number" : "", isLong ? "long" : "", tone ?? ""].join(" ").trim();
  return make(heads ? "th" : "td", { scope: heads ? "row" : null, class: classes || null },
    tone ? mark(tone) : null,
    pick && value !== null ? valueButton(column.column, value, written, pick) : written,
    below ? make("small", {}, below) : null,
  );
}

function valueButton(column, value, written, pick) {
  const pressed = String(pick.pressed(column, value));
  const onclick = (event) => pick.toggle(column, value, isMore(event));
  return make("button", { type: "button", class: "value-button", "aria-pressed": pressed, onclick }, written);
}

function toneOf(visual, row, column) {
  const applies = (rule) => rule.value === column.measure && row[rule.value] !== null && isBeyond(rule, row[rule.value]);
  return (visual.rules || []).find(applies)?.tone;
}

const isBeyond = (rule, value) => (rule.below !== undefined ? value < rule.below : value > rule.above);

// A colour alone tells nothing to who does not see it.
const mark = (tone) => make("span", { class: "mark" }, hidden(tone === "good" ? "✓ " : "! "), unseen(`${words()[tone]}: `));
