// Tables of rows, in a sheet or in a window of their own, and as CSV.
import { brief, exact, label, named, period, dayOf } from "./formats.js";
import { locale, spoken, text, words } from "./words.js";

// An element with its attributes and children; on... are listeners.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value); else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Columns of a visual's rows: their heads, and how each value is written and given away.
export function columnsOf(visual, data, dashboard) {
  const found = [];
  if (visual.kind === "kpi") found.push({ head: text({ en: "Period", pt: "Período" }), plain: (row) => text({ current: { en: "chosen", pt: "escolhido" }, before: { en: "before", pt: "anterior" } }[row.period]) });
  for (const column of visual.dimensions) {
    const time = visual.grain && column === visual.x;
    const head = time ? text(dashboard.period?.label ?? { en: "Date", pt: "Data" }) : text(data.labels[column]);
    found.push({ head, column: time ? null : column, value: (row) => row[column], plain: (row) => (row[column] === null ? "" : time ? row[column] : plain(row[column], column)), written: (row) => (time ? period(dayOf(row[column]), visual.grain) : named(row[column], column)) });
  }
  for (const name of visual.measures) {
    const measure = data.measures[name];
    found.push({ head: label(measure), measure: name, number: true, plain: (row) => number(row[name]), written: (row) => exact(row[name], measure.format) });
    if (measure.low) {
      for (const [place, end] of [["0", "low"], ["1", "high"]]) {
        found.push({ head: `${label(measure)}, 80 % ${text({ low: { en: "from", pt: "de" }, high: { en: "to", pt: "a" } }[end])}`, end: name, number: true,
          plain: (row, ends) => number(ends?.[name]?.[place] ?? null), written: (row, ends) => exact(ends?.[name]?.[place], measure.format) });
      }
    }
  }
  for (const one of found) one.written ??= one.plain;
  return found;
}

const plain = (value, column) => (typeof value === "boolean" ? named(value, column) : String(value));
// With the decimal sign of the language, as its spreadsheets read it.
const number = (value) => (value === null ? "" : spoken() === "pt" ? String(value).replace(".", ",") : String(value));

// pick: { toggle(column, value, more), pressed(column, value) } where values filter; such a table is brief, with intervals below their figures
export function table(visual, data, dashboard, { rows, intervals }, caption, pick) {
  const columns = columnsOf(visual, data, dashboard).filter((one) => !pick || !one.end);
  for (const one of pick ? columns.filter((column) => column.measure) : []) {
    const { format } = data.measures[one.measure], large = rows.some((row) => Math.abs(row[one.measure]) >= 1000);
    one.written = (row) => brief(row[one.measure], format, large);
    one.below = (ends) => (ends?.[one.measure] ? ends[one.measure].map((end) => brief(end, format, large)).join(` ${words().to_value} `) : null);
  }
  const head = make("tr", {}, ...columns.map((one) => make("th", { scope: "col", class: one.number ? "number" : null }, one.head)));
  const body = rows.map((row, place) => make("tr", {}, ...columns.map((one, at) => cell(visual, row, one, intervals[place], at === 0 && !one.number, pick))));
  return make("table", {}, make("caption", { class: "unseen" }, caption), make("thead", {}, head), make("tbody", {}, ...body));
}

function cell(visual, row, column, ends, heading, pick) {
  const written = column.written(row, ends), value = column.column ? row[column.column] : null;
  let inside = written;
  if (pick && column.column && value !== null) {
    inside = make("button", { type: "button", class: "value-button", "aria-pressed": String(pick.pressed(column.column, value)), onclick: (event) => pick.toggle(column.column, value, event.ctrlKey || event.metaKey || event.shiftKey) }, written);
  }
  const tone = (visual.rules || []).find((rule) => rule.value === column.measure && row[rule.value] !== null && (rule.below !== undefined ? row[rule.value] < rule.below : row[rule.value] > rule.above))?.tone;
  const mark = tone ? make("span", { class: "mark" }, make("span", { "aria-hidden": "true" }, tone === "good" ? "✓ " : "! "), make("span", { class: "unseen" }, `${words()[tone]}: `)) : null;
  const below = column.below?.(ends);
  return make(heading ? "th" : "td", { scope: heading ? "row" : null, class: [column.number ? "number" : "", tone ?? ""].join(" ").trim() || null }, mark, inside, below ? make("small", {}, below) : null);
}

// Text of a cell that a spreadsheet would take for a formula gets an apostrophe; numbers are left alone.
export function guarded(cell) {
  const isNumber = /^-?\d+([.,]\d+)?(e[+-]?\d+)?$/i.test(cell);
  const safe = !isNumber && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[";,\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// As spreadsheets of the language read it: semicolons where the comma is the decimal sign; a mark of UTF-8 at its beginning.
export function csv(visual, data, dashboard, { rows, intervals }) {
  const columns = columnsOf(visual, data, dashboard), sign = locale() === "pt-BR" ? ";" : ",";
  const lines = [columns.map((one) => guarded(one.head)), ...rows.map((row, place) => columns.map((one) => guarded(one.plain(row, intervals[place]))))];
  return `\ufeff${lines.map((line) => line.join(sign)).join("\r\n")}\r\n`;
}

export function download(name, content) {
  const address = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
