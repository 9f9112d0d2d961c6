// Numbers and money, as the language writes them.
import { locale, words } from "./words.js";

const MINUS = "\u2212";
const NARROW = "\u00a0";

let currency = null;
// Amounts of an unknown currency, or of several, are plain numbers, and so are those of what is no code, such as R$.
export const inCurrency = (code) => { currency = /^[a-z]{3}$/i.test(code) ? code : null; };
const money = () => (currency ? { style: "currency", currencyDisplay: "symbol", currency } : {});

const formatters = new Map();

function formatter(options) {
  const key = locale() + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(locale(), options));
  return formatters.get(key);
}

// A line may break at a hyphen, and not at the sign of minus. What is written as nothing has no sign.
const write = (value, options) => formatter({ signDisplay: "negative", ...options }).format(value).replace("-", MINUS);

const isTiny = (value) => value !== 0 && Math.abs(value) < 0.1;
const isNothing = (value) => value === null || value === undefined;
const fixed = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });
const upTo = (digits) => ({ maximumFractionDigits: digits });
const compact = { notation: "compact", minimumFractionDigits: 0 };
const tiny = (value) => write(value, { maximumSignificantDigits: 2 });
const hours = (value) => `${write(value, upTo(1))}${NARROW}h`;

const EXACT = {
  money: (value) => write(value, { ...money(), ...fixed(2) }),
  number: (value) => write(value, upTo(Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0)),
  decimal: (value) => (isTiny(value) ? tiny(value) : write(value, fixed(2))),
  percent: (value) => write(value, { style: "percent", ...fixed(1) }),
  ratio: (value) => `${write(value, fixed(2))}${NARROW}×`,
  hours,
};

const SHORT = {
  money: (value) => write(value, { ...money(), ...compact, ...upTo(shortDigits(value)) }),
  number: (value) => write(value, { ...compact, ...upTo(shortDigits(value)) }),
  decimal: (value) => (isTiny(value) ? tiny(value) : write(value, { ...compact, ...upTo(2) })),
  percent: (value) => write(value, { style: "percent", ...upTo(1) }),
  ratio: (value) => `${write(value, upTo(2))}${NARROW}×`,
  hours,
};

// 1.2 M, but 12 M or 123 K
function shortDigits(value) {
  const size = Math.abs(value);
  const leadsAlone = size >= 1000 && String(Math.trunc(size)).length % 3 === 1;
  return size !== 0 && (size < 10 || leadsAlone) ? 1 : 0;
}

export const exact = (value, format) => (isNothing(value) ? "–" : EXACT[format](value));
export const short = (value, format) => (isNothing(value) ? "–" : SHORT[format](value));

// In a table: no cents where the column is of large amounts.
export function brief(value, format, large) {
  return format === "money" && large && value !== null ? write(value, { ...money(), ...fixed(0) }) : exact(value, format);
}

// Large figures with one decimal of their thousands or millions.
export function headline(value, format) {
  if (value === null || Math.abs(value) < 10000 || !["money", "number", "decimal"].includes(format)) return exact(value, format);
  return write(value, { ...(format === "money" ? money() : {}), ...compact, ...fixed(1) });
}

export const change = (value) => write(value, { style: "percent", ...upTo(1), signDisplay: "exceptZero" });
export const difference = (value, format) => `${value > 0 ? "+" : ""}${headline(value, format)}`;
export const points = (value) => `${write(value * 100, { ...upTo(1), signDisplay: "exceptZero" })}${NARROW}${words().points}`;
export const whole = (value) => write(value, upTo(0));
