// The rows of an answer as a chart draws them.
import { dayOf, MILLISECONDS } from "./days.js";
import { label, named } from "./names.js";

export const unique = (found) => [...new Set(found)];
export const columnOf = (rows, field) => unique(rows.map((row) => row[field]));
export const isTime = (visual, column) => Boolean(visual.grain) && column === visual.x;
export const measure = (context, name) => context.data.measures[name];
export const fieldOf = (visual, name) => `m${visual.measures.indexOf(name)}`;
export const inline = (rows) => ({ values: rows });
export const having = (rows, ...fields) => rows.filter((row) => fields.every((field) => row[field] !== null));
export const intervalOf = (context, name, drawn) => context.answered.intervals[drawn.i]?.[name] ?? [];

// A row's place among the answer's rows is i, its measures are m0, m1 ..., names of its dimensions d0, d1 ..., its time is at.
export function drawnRows(visual, rows) {
  return rows.map((row, i) => ({ i, ...measuresOf(visual, row), ...dimensionsOf(visual, row) }));
}

function measuresOf(visual, row) {
  return Object.fromEntries(visual.measures.map((name, place) => [`m${place}`, row[name]]));
}

function dimensionsOf(visual, row) {
  return Object.fromEntries(visual.dimensions.map((column, place) => {
    const value = row[column];
    if (!isTime(visual, column)) return [`d${place}`, named(value, column)];
    return ["at", value === null ? null : dayOf(value) * MILLISECONDS];
  }));
}

// One row for each of some measures.
export function long(visual, context, names, rows) {
  return rows.flatMap((row) => names.map((name, place) => (
    { ...row, place, value: row[fieldOf(visual, name)], series: label(measure(context, name)) }
  )));
}
