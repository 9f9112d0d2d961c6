// The columns of a visual's rows: their heads, and how each value is written and given away.
import { dayOf, period } from "./days.js";
import { exact } from "./formats.js";
import { label, named } from "./names.js";
import { isTime } from "./rows.js";
import { spoken, text, words } from "./words.js";

// A column: its head, plain(row, ends) as a file tells a value, and written(row, ends) as a table shows it.
export function columnsOf(visual, data, dashboard) {
  return [
    ...(visual.kind === "kpi" ? [periodColumn()] : []),
    ...visual.dimensions.map((column) => (isTime(visual, column) ? timeColumn(visual, column, dashboard) : nameColumn(column, data))),
    ...visual.measures.flatMap((name) => [measureColumn(name, data.measures[name]), ...endColumns(name, data.measures[name])]),
  ];
}

function periodColumn() {
  const plain = (row) => (row.period === "before" ? words().period_before : words().period_current);
  return { head: words().period, plain, written: plain };
}

function timeColumn(visual, column, dashboard) {
  return {
    head: dashboard.period ? text(dashboard.period.label) : words().date,
    plain: (row) => row[column] ?? "",
    written: (row) => period(dayOf(row[column]), visual.grain),
  };
}

function nameColumn(column, data) {
  const plain = (value) => (typeof value === "boolean" ? named(value, column) : String(value ?? ""));
  return { head: text(data.labels[column]), column, plain: (row) => plain(row[column]), written: (row) => named(row[column], column) };
}

function measureColumn(name, measure) {
  return {
    head: label(measure),
    measure: name,
    number: true,
    plain: (row) => number(row[name]),
    written: (row) => exact(row[name], measure.format),
  };
}

function endColumns(name, measure) {
  if (!measure.low) return [];
  return [words().low_end, words().high_end].map((end, place) => ({
    head: `${label(measure)}, 80 % ${end}`,
    end: name,
    number: true,
    plain: (_, ends) => number(ends?.[name]?.[place] ?? null),
    written: (_, ends) => exact(ends?.[name]?.[place], measure.format),
  }));
}

// With the decimal sign of the language, as its spreadsheets read it.
function number(value) {
  if (value === null) return "";
  return spoken() === "pt" ? String(value).replace(".", ",") : String(value);
}
