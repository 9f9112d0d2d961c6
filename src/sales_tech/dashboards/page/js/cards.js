// The card of each visual: its title, menu and note, and why it is empty.
import { answer } from "./answers.js";
import { csv, download } from "./csv.js";
import { closedByEscape, element, hidden, make } from "./elements.js";
import { whole } from "./formats.js";
import { chosen, current, isChosen, sheet, toggle } from "./state.js";
import { table } from "./tables.js";
import { text, words } from "./words.js";

const WIDE = 6;
const idOf = (visual) => `visual-${visual.name}`;
const cardOf = (visual) => element(idOf(visual));

export const dataOf = (visual) => current().data[visual.data];
export const answered = (visual) => answer(dataOf(visual), visual, chosen());
export const bodyOf = (visual) => cardOf(visual).querySelector(".fill");

// Cards stay while they can, so that the page does not jump.
export function cards(moved) {
  const { visuals } = sheet();
  if (moved || !visuals.every(cardOf)) element("sheet").replaceChildren(...visuals.map(card));
  for (const visual of visuals) name(visual);
}

function card(visual) {
  const id = idOf(visual);
  const { column, row, width, height } = visual.at;
  const found = make("section", { id, class: `card ${visual.kind}${width >= WIDE ? " wide" : ""}`, "aria-labelledby": `${id}-title` },
    make("div", { class: "head" }, make("h2", { id: `${id}-title` }), menu(visual)),
    make("p", { class: "note" }),
    make("div", { class: "body", "aria-busy": "true" }, make("div", { class: "fill" })),
  );
  const styles = { "--at": `${column + 1} / span ${width}`, "--from": `${row + 1} / span ${height}`, "--cells": height, "--grow": width };
  for (const [property, value] of Object.entries(styles)) found.style.setProperty(property, value);
  return found;
}

function menu(visual) {
  const item = (act) => make("button", { type: "button", onclick: (event) => {
    event.target.closest("details").open = false;
    act();
  } });
  return closedByEscape(make("details", { class: "menu" },
    make("summary", {}, hidden("⋯")),
    make("div", { class: "drop" }, item(() => showTable(visual)), item(() => giveFile(visual))),
  ));
}

const giveFile = (visual) => download(`${visual.name}.csv`, csv(visual, dataOf(visual), current(), answered(visual)));

function showTable(visual) {
  const title = text(visual.title);
  const found = answered(visual);
  const dialog = element("dialog");
  dialog.replaceChildren(
    make("div", { class: "head" },
      make("h2", { id: "dialog-title" }, title),
      make("button", { type: "button", onclick: () => dialog.close() }, words().close),
    ),
    make("p", { class: "note" }, words().rows(whole(found.rows.length))),
    scrolled(title, table(visual, dataOf(visual), current(), found, title)),
  );
  dialog.showModal();
}

export function tableIn(visual, found, changed) {
  const title = text(visual.title);
  const pick = {
    toggle: (column, value, more) => {
      toggle(column, value, more);
      changed();
    },
    pressed: isChosen,
  };
  return scrolled(title, table(visual, dataOf(visual), current(), found, title, pick));
}

const scrolled = (title, inside) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, inside);

// All of a card that is told in words, in the language of now.
function name(visual) {
  const title = text(visual.title);
  const tag = isEstimate(visual) ? [" ", make("span", { class: "tag" }, words().estimate)] : [];
  cardOf(visual).querySelector("h2").replaceChildren(title, ...tag);
  cardOf(visual).querySelector("summary").setAttribute("aria-label", `${words().options}: ${title}`);
  const [asTable, asFile] = cardOf(visual).querySelectorAll(".menu button");
  asTable.textContent = words().table;
  asFile.textContent = words().csv;
}

const isEstimate = (visual) => visual.measures.some((measure) => dataOf(visual).measures[measure].estimate);

export function note(visual, { intervals }) {
  const hasStrokes = visual.kind === "bar" && intervals.some((ends) => ends[visual.value]);
  const own = visual.note ? [text(visual.note)] : [];
  const estimated = isEstimate(visual) && !visual.note ? [words().estimated] : [];
  const strokes = isEstimate(visual) && hasStrokes ? [words().intervals] : [];
  const said = [...own, ...estimated, ...strokes].join(" ");
  const place = cardOf(visual).querySelector(".note");
  place.textContent = said;
  place.hidden = !said;
}

// Why a visual shows nothing; null where it shows something.
export function emptiness(visual, { matched, rows }) {
  const data = dataOf(visual);
  if (data.missing.length) return words().missing(data.missing.join(", "));
  if (!data.rows) return words().empty_data;
  if (!matched) return words().empty_choice;
  const shown = visual.kind === "kpi" ? rows.slice(0, 1) : rows;
  return shown.some((row) => isTold(visual, row)) ? null : words().unknown;
}

function isTold(visual, row) {
  const isKnown = (measure) => row[measure] !== null;
  return visual.kind === "scatter" ? [visual.x, visual.y].every(isKnown) : visual.measures.some(isKnown);
}
