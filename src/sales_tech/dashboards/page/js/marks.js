// Draws a chart, and lets its marks be met by pointer and keyboard alike.
import { MILLISECONDS, tick } from "./days.js";
import { isMore } from "./elements.js";
import { short } from "./formats.js";

const FUNCTIONS = {
  sayShort: (value, format) => short(value, format),
  sayTick: (at, grain) => tick(Number(at) / MILLISECONDS, grain),
  sayLines: (name) => lines(name),
};
const OPTIONS = {
  mode: "vega-lite",
  renderer: "svg",
  ast: true, // the page allows no code that is made of text
  actions: false,
  defaultStyle: false,
  expressionFunctions: FUNCTIONS,
  hover: false,
  tooltip: { disableDefaultStyle: true, offsetX: 12, offsetY: 12 },
  logLevel: 1,
};
const LINE = 12;
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const LIBRARY_NAMES = ["role", "aria-roledescription", "aria-label", "aria-hidden"];

// A name in lines of about a dozen letters.
function lines(name) {
  const found = [];
  for (const word of name.split(" ")) {
    if (found.length && found.at(-1).length + word.length < LINE) found.push(`${found.pop()} ${word}`);
    else found.push(word);
  }
  return found;
}

// Data may be there before the library is: a chart waits for it whichever comes first.
const ready = new Promise((resolve) => addEventListener("vega", resolve, { once: true }));

// Vega-Lite stands compressed in the page; its script is allowed by its checksum.
export function prepare(script) {
  const element = document.createElement("script");
  element.type = "module";
  element.textContent = script;
  document.head.append(element);
  return ready;
}

// pick: { choose(i, more), isPressed(i), nameOf(i) } of the marks of row i, or null; the answer ends the chart.
export async function draw(place, spec, title, pick) {
  await ready;
  const { view, finalize } = await window.vegaEmbed(place, spec, OPTIONS);
  const svg = place.querySelector("svg");
  rename(place, svg, title);
  if (pick) {
    view.addEventListener("click", (event, item) => { if (item?.datum?.i !== undefined) pick.choose(item.datum.i, isMore(event)); });
    walk(svg, pick);
  }
  return finalize;
}

// The names that Vega gives to everything are the library's, not the reader's.
function rename(place, svg, title) {
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", title);
  place.removeAttribute("aria-roledescription");
  for (const part of [svg, ...svg.querySelectorAll("[aria-roledescription], [role^=graphics]")]) {
    for (const name of LIBRARY_NAMES) part.removeAttribute(name);
  }
  for (const part of svg.querySelectorAll("text")) part.setAttribute("aria-hidden", "true");
}

const rowOf = (mark) => mark.__data__?.datum?.i;

// One stop of the tab key for a chart; arrows move between its marks, Enter and space choose.
function walk(svg, pick) {
  const all = [...svg.querySelectorAll(".mark-rect path, .mark-symbol path")];
  const marks = all.filter((mark) => rowOf(mark) !== undefined && mark.closest(".role-mark"));
  marks.forEach((mark, place) => {
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-label", pick.nameOf(rowOf(mark)));
    mark.setAttribute("aria-pressed", String(pick.isPressed(rowOf(mark))));
    mark.setAttribute("tabindex", place ? "-1" : "0");
    mark.dataset.key = pick.nameOf(rowOf(mark));
    mark.addEventListener("keydown", (event) => pressed(event, marks, place, pick));
  });
}

function pressed(event, marks, place, pick) {
  const step = STEPS[event.key];
  if (step) moveFocus(marks[place], marks[(place + step + marks.length) % marks.length]);
  else if (event.key === "Enter" || event.key === " ") pick.choose(rowOf(marks[place]), isMore(event));
  else return;
  event.preventDefault();
}

function moveFocus(from, to) {
  from.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
}
