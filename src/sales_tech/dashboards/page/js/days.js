// Days are numbers of days since 1970, months are numbers of months since year 0; both as the language writes them.
import { locale } from "./words.js";

export const MILLISECONDS = 86400000;

export const dayOf = (iso) => Date.parse(`${iso}T00:00Z`) / MILLISECONDS;
export const isDay = (iso) => !Number.isNaN(dayOf(iso)) && isoOf(dayOf(iso)) === iso;
export const isoOf = (day) => new Date(day * MILLISECONDS).toISOString().slice(0, 10);
export const firstDay = (month) => Date.UTC(Math.floor(month / 12), month % 12, 1) / MILLISECONDS;
export const dayOfMonth = (day) => new Date(day * MILLISECONDS).getUTCDate();
export const monthOfIso = (iso) => Number(iso.slice(0, 4)) * 12 + Number(iso.slice(5, 7)) - 1;
export const isoOfMonth = (month) => isoOf(firstDay(month)).slice(0, 7);

export function monthOf(day) {
  const at = new Date(day * MILLISECONDS);
  return at.getUTCFullYear() * 12 + at.getUTCMonth();
}

const formatters = new Map();

function written(day, options) {
  const key = locale() + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options }));
  return formatters.get(key).format(new Date(day * MILLISECONDS));
}

// Portuguese writes "12 de mar. de 2026", which is too long for an axis.
const brief = (day, options) => written(day, options).replace(/ de /g, " ").replace(/\./g, "");

export const day = (number) => brief(number, { day: "numeric", month: "short", year: "numeric" });
export const month = (number) => brief(firstDay(number), { month: "short", year: "numeric" });
export const period = (number, grain) => (grain === "month" ? month(monthOf(number)) : day(number));
// 5 January 1970 was a Monday.
export const weekday = (number) => brief(3 + number, { weekday: "short" });
export const monthOfYear = (number) => brief(firstDay(1970 * 12 + number - 1), { month: "short" });
export const span = ([first, last]) => (first === last ? month(first) : `${month(first)} – ${month(last)}`);

// On an axis: 12 mar, mar 26.
export const tick = (number, grain) =>
  brief(number, grain === "month" ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" });
