// Draws a chart, and lets its marks be met by pointer and keyboard alike.
import { short, tick } from "./formats.js";

const FUNCTIONS = { sayShort: (value, format) => short(value, format), sayTick: (at, grain) => tick(Number(at) / 86400000, grain), sayLines: (name) => lines(name) };
let ready = null;

// A name in lines of about a dozen letters.
function lines(name) {
  const found = [];
  for (const word of name.split(" ")) if (found.length && found.at(-1).length + word.length < 12) found[found.length - 1] += ` ${word}`; else found.push(word);
  return found;
}


// Vega-Lite stands compressed in the page; its script is allowed by its checksum.
export function prepare(script) {
  ready ??= new Promise((resolve) => {
    addEventListener("vega", resolve, { once: true });
    const element = document.createElement("script");
    element.type = "module";
    element.textContent = script;
    document.head.append(element);
  });
  return ready;
}

export async function draw(place, spec, title, pick) {
  await ready;
  const { view, finalize } = await window.vegaEmbed(place, spec, {
    mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, expressionFunctions: FUNCTIONS, hover: false,
    tooltip: { disableDefaultStyle: true, offsetX: 12, offsetY: 12 }, logLevel: 1,
  });
  // The names that Vega gives to everything are the library's, not the reader's.
  for (const [name, value] of [["role", "group"], ["aria-label", title], ["aria-roledescription", null]]) if (value) place.setAttribute(name, value); else place.removeAttribute(name);
  const svg = place.querySelector("svg");
  for (const part of [svg, ...svg.querySelectorAll("[aria-roledescription], [role^=graphics]")]) {
    for (const name of ["role", "aria-roledescription", "aria-label", "aria-hidden"]) part.removeAttribute(name);
  }
  for (const part of svg.querySelectorAll("text")) part.setAttribute("aria-hidden", "true");
  if (pick) {
    view.addEventListener("click", (event, item) => { if (item?.datum?.i !== undefined) pick(item.datum.i, event.ctrlKey || event.metaKey || event.shiftKey); });
    walk(svg, pick);
  }
  return finalize;
}

// One stop of the tab key for a chart; arrows move between its marks, Enter and space choose.
function walk(svg, pick) {
  const marks = [...svg.querySelectorAll(".mark-rect path, .mark-symbol path")].filter((mark) => mark.__data__?.datum?.i !== undefined && mark.closest(".role-mark"));
  const { named, pressed } = pick;
  marks.forEach((mark, place) => {
    const { i } = mark.__data__.datum;
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-label", named(i));
    mark.setAttribute("aria-pressed", String(pressed(i)));
    mark.setAttribute("tabindex", place ? "-1" : "0");
    mark.dataset.key = named(i);
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) {
        const next = marks[(place + step + marks.length) % marks.length];
        mark.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      } else if (event.key === "Enter" || event.key === " ") pick(i, event.ctrlKey || event.metaKey || event.shiftKey);
      else return;
      event.preventDefault();
    });
  });
}
