// Names of measures, and of the values of dimensions.
import { day, dayOf, isDay, month, monthOfIso, monthOfYear, weekday } from "./days.js";
import { text, words } from "./words.js";

let given = {};
// The specification's words for values of its dimensions.
export const nameValues = (words) => { given = words; };
export const label = (measure) => text(measure.label);

export function named(value, column) {
  const own = Object.hasOwn(given, column) ? given[column] : {};
  if (Object.hasOwn(own, String(value))) return text(own[String(value)]);
  if (value === null || value === undefined) return words().none;
  if (value === "") return words().blank;
  if (typeof value === "boolean") return value ? words().yes : words().no;
  return typeof value === "number" ? numberNamed(value, column) : textNamed(value, column);
}

function numberNamed(value, column) {
  if (/weekday|day_of_week/.test(column) && value >= 1 && value <= 7) return weekday(value);
  if (/month/.test(column) && value >= 1 && value <= 12) return monthOfYear(value);
  return String(value);
}

// A code such as 2026-01 is no month. Stores without a name of their own stand for a region, which a source may name as it likes.
function textNamed(value, column) {
  const rest = /^store/.test(column) && /^others \((.+)\)$/.exec(value);
  if (rest) return words().others(rest[1]);
  if (!/month|date|_on$/.test(column)) return value;
  if (/^\d{4}-\d{2}$/.test(value) && isDay(`${value}-01`)) return month(monthOfIso(value));
  if (/^\d{4}-\d{2}-\d{2}$/.test(value) && isDay(value)) return day(dayOf(value));
  return value;
}
