// Numbers, money, days and values of dimensions, as the language writes them.
import { locale, text, words } from "./words.js";

const MINUS = "\u2212", NARROW = "\u00a0", DAY = 86400000;
let currency = "BRL";
export const inCurrency = (code) => { currency = code; };

const kept = new Map();
function formatter(options) {
  const key = locale() + JSON.stringify(options);
  if (!kept.has(key)) kept.set(key, new Intl.NumberFormat(locale(), options));
  return kept.get(key);
}
// With the sign of minus, at which no line breaks.
const signed = (written) => written.replace("-", MINUS);
const write = (value, options) => signed(formatter(options).format(value));

const tiny = (value) => value !== 0 && Math.abs(value) < 0.1;
const money = { style: "currency", currencyDisplay: "symbol" };
const EXACT = {
  money: (value) => write(value, { ...money, currency, minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  number: (value) => write(value, { maximumFractionDigits: Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0 }),
  decimal: (value) => (tiny(value) ? write(value, { maximumSignificantDigits: 2 }) : write(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })),
  percent: (value) => write(value, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  ratio: (value) => `${write(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}${NARROW}×`,
  hours: (value) => `${write(value, { maximumFractionDigits: 1 })}${NARROW}h`,
};
const compact = { notation: "compact", minimumFractionDigits: 0 };
const SHORT = {
  money: (value) => write(value, { ...money, ...compact, currency, maximumFractionDigits: digits(value) }),
  number: (value) => write(value, { ...compact, maximumFractionDigits: digits(value) }),
  decimal: (value) => (tiny(value) ? EXACT.decimal(value) : write(value, { ...compact, maximumFractionDigits: 2 })),
  percent: (value) => write(value, { style: "percent", maximumFractionDigits: 1 }),
  ratio: (value) => `${write(value, { maximumFractionDigits: 2 })}${NARROW}×`,
  hours: (value) => `${write(value, { maximumFractionDigits: 1 })}${NARROW}h`,
};
// 1.2 M, but 12 M or 123 K
const digits = (value) => { const size = Math.abs(value); return size !== 0 && (size < 10 || (size >= 1000 && String(Math.trunc(size)).length % 3 === 1)) ? 1 : 0; };

// A figure of a measure in full, and as short as fits an axis; a dash where there is none.
export const exact = (value, format) => (value === null || value === undefined ? "–" : EXACT[format](value));
export const short = (value, format) => (value === null || value === undefined ? "–" : SHORT[format](value));
// In a table: no cents where the column is of large amounts.
export const brief = (value, format, large) => (format === "money" && large && value !== null ? write(value, { ...money, currency, maximumFractionDigits: 0, minimumFractionDigits: 0 }) : exact(value, format));
// Large figures with one decimal of their thousands or millions.
export function headline(value, format) {
  if (value === null || Math.abs(value) < 10000 || !["money", "number", "decimal"].includes(format)) return exact(value, format);
  return write(value, { ...(format === "money" ? { ...money, currency } : {}), ...compact, minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
export const share = (value, withSign = false) => write(value, { style: "percent", maximumFractionDigits: 1, signDisplay: withSign ? "exceptZero" : "auto" });
export const points = (value) => `${write(value * 100, { maximumFractionDigits: 1, signDisplay: "exceptZero" })}${NARROW}${words().points}`;
export const whole = (value) => write(value, { maximumFractionDigits: 0 });

const dates = new Map();
function dated(number, options) {
  const key = locale() + JSON.stringify(options);
  if (!dates.has(key)) dates.set(key, new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options }));
  return dates.get(key).format(new Date(number * DAY));
}
// Days are numbers of days since 1970, months are numbers of months since year 0.
export const dayOf = (iso) => Date.parse(`${iso}T00:00Z`) / DAY;
export const isoOf = (day) => new Date(day * DAY).toISOString().slice(0, 10);
export const monthOf = (day) => { const at = new Date(day * DAY); return at.getUTCFullYear() * 12 + at.getUTCMonth(); };
export const firstDay = (month) => Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY;
export const dayOfMonth = (day) => new Date(day * DAY).getUTCDate();
export const day = (number) => dated(number, { day: "numeric", month: "short", year: "numeric" }).replace(/ de /g, " ").replace(/\./g, "");
export const month = (number) => dated(firstDay(number), { month: "short", year: "numeric" }).replace(" de ", " ").replace(".", "");
// On an axis: 12 mar, mar 26.
export const tick = (number, grain) => grain === "month"
  ? dated(number, { month: "short", year: "2-digit" }).replace(" de ", " ").replace(".", "")
  : dated(number, { day: "numeric", month: "short" }).replace(" de ", " ").replace(".", "");
export const period = (number, grain) => (grain === "month" ? month(monthOf(number)) : day(number));

let given = {};
export const nameValues = (words) => { given = words; };

// A value of a dimension: the specification's word for it, yes and no, names of weekdays and months, the word for no value; everything else as it is.
export function named(value, column) {
  const own = Object.hasOwn(given, column) ? given[column] : {};
  if (Object.hasOwn(own, String(value))) return text(own[String(value)]);
  if (value === null || value === undefined) return words().none;
  if (value === "") return words().blank;
  if (value === true || value === false) return value ? words().yes : words().no;
  if (typeof value === "number") {
    if (/weekday|day_of_week/.test(column) && value >= 1 && value <= 7) return dated(3 + value, { weekday: "short" }).replace(".", ""); // 5 January 1970 was a Monday
    if (/month/.test(column) && value >= 1 && value <= 12) return dated(firstDay(1970 * 12 + value - 1), { month: "short" }).replace(".", "");
    return String(value);
  }
  if (/^\d{4}-\d{2}$/.test(value)) return month(Number(value.slice(0, 4)) * 12 + Number(value.slice(5)) - 1);
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return day(dayOf(value));
  return value;
}
export const label = (measure) => text(measure.label);
