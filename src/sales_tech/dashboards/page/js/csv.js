// Rows as a file that spreadsheets read.
import { columnsOf } from "./columns.js";
import { make } from "./elements.js";
import { spoken } from "./words.js";

const UTF8 = "\ufeff"; // without this mark, some spreadsheets take the file for Latin-1

// Where the comma is the decimal sign, spreadsheets expect semicolons.
export function csv(visual, data, dashboard, { rows, intervals }) {
  const columns = columnsOf(visual, data, dashboard);
  const heads = columns.map((one) => guarded(one.head));
  const lines = rows.map((row, place) => columns.map((one) => guarded(one.plain(row, intervals[place]))));
  const sign = spoken() === "pt" ? ";" : ",";
  return `${UTF8}${[heads, ...lines].map((line) => line.join(sign)).join("\r\n")}\r\n`;
}

// Text that a spreadsheet would take for a formula gets an apostrophe, behind a separator too, which the spreadsheet may
// take for the end of a cell; numbers are left alone. The same rule as in spreadsheets.py.
function guarded(cell) {
  const start = "[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20]";
  const isNumber = /^[+-]?\d+([.,]\d+)?(e[+-]?\d+)?$/i.test(cell);
  const inside = isNumber ? cell : cell.replace(new RegExp(`([;,\\t\\r\\n])(?=["']*${start})`, "g"), "$1'");
  const safe = !isNumber && new RegExp(`^(["']*${start}|[\\t\\r\\n])`).test(cell) ? `'${inside}` : inside;
  return /[";,\t\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name, content) {
  const address = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
