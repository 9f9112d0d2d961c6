// Tabs, filters, chips of what is chosen, and the switches of language and theme.
import { month, named } from "./formats.js";
import { chosen, current, dashboards, filtered, labelOf, period, put, reset, state, toggle, valuesOf } from "./state.js";
import { make } from "./tables.js";
import { text, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const MANY = 12;

export function tabs() {
  const link = (href, title, here) => make("a", { href, "aria-current": here ? "page" : null }, title);
  $("dashboards").replaceChildren(...dashboards.map((one) => link(`#${one.name}`, text(one.title), one.name === state.dashboard)));
  $("dashboards").setAttribute("aria-label", words().dashboards);
  $("dashboards").hidden = dashboards.length < 2;
  $("sheets").replaceChildren(...current().sheets.map((one) => link(`#${current().name}/${one.name}`, text(one.title), one.name === state.sheet)));
  $("sheets").setAttribute("aria-label", words().sheets);
  $("sheets").hidden = current().sheets.length < 2;
}

export function switches(change) {
  const dark = () => (state.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const button = (id, title, act, more = {}) => make("button", { type: "button", id, onclick: act, ...more }, title);
  $("switches").replaceChildren(
    button("print", words().print, () => print()),
    button("theme", dark() ? words().light : words().dark, () => change({ theme: dark() ? "light" : "dark" })),
    button("language", words().language, () => change({ language: document.documentElement.lang.startsWith("pt") ? "en" : "pt" }), { lang: document.documentElement.lang.startsWith("pt") ? "en" : "pt-BR" }),
  );
}

export function controls(changed) {
  const open = [...document.querySelectorAll("#controls details[open]")].map((one) => one.dataset.column);
  const found = [];
  if (current().period && chosen().months) found.push(months(changed));
  for (const filter of current().filters) {
    const values = valuesOf(current(), filter.column);
    if (values.length < (filter.choose === "one" ? 2 : 1)) continue;
    found.push(filter.choose === "one" ? single(filter, values, changed) : several(filter, values, changed, open.includes(filter.column)));
  }
  $("controls").setAttribute("aria-label", words().filters);
  $("controls").replaceChildren(...found, chips(changed));
}

function months(changed) {
  const { first, last } = current().months, all = Array.from({ length: last - first + 1 }, (_, place) => first + place);
  const select = (id, title, at) => {
    const field = make("select", { id, onchange: () => { period(Number($("first").value), Number($("last").value)); changed(); } },
      ...all.map((one) => make("option", { value: one, selected: one === chosen().months[at] }, month(one))));
    return make("span", { class: "pair" }, make("label", { for: id }, title), field);
  };
  return make("div", { class: "field period", role: "group", "aria-labelledby": "period-name" }, make("span", { class: "name", id: "period-name" }, text(current().period.label)), make("div", { class: "pairs" }, select("first", words().from, 0), select("last", words().to, 1)));
}

function single(filter, values, changed) {
  const id = `filter-${filter.column}`, now = chosen().values[filter.column]?.[0];
  const field = make("select", { id, onchange: (event) => { put(filter.column, [values[event.target.selectedIndex]]); changed(); } },
    ...values.map((value) => make("option", { selected: value === now }, named(value, filter.column))));
  return make("div", { class: "field" }, make("label", { for: id, class: "name" }, text(filter.label)), field);
}

function several(filter, values, changed, open) {
  const now = chosen().values[filter.column] || [], title = text(filter.label);
  const said = now.length === 0 ? words().all : now.length === 1 ? named(now[0], filter.column) : words().chosen(now.length);
  const boxes = values.map((value) => make("label", { class: "choice" },
    make("input", { type: "checkbox", checked: now.includes(value), "data-key": `${filter.column}=${value}`, onchange: (event) => { put(filter.column, event.target.checked ? [...now, value] : now.filter((one) => one !== value)); changed(); } }),
    make("span", {}, named(value, filter.column))));
  const list = make("div", { class: "choices" }, ...boxes);
  const search = values.length > MANY ? make("input", { type: "search", placeholder: words().search, "aria-label": `${words().search}: ${title}`, oninput: (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const box of boxes) box.hidden = !box.textContent.toLowerCase().includes(wanted);
  } }) : null;
  const details = make("details", { class: "many", "data-column": filter.column, open }, make("summary", { "aria-label": `${title}: ${said}` }, said), make("div", { class: "drop" }, search, list));
  details.addEventListener("keydown", (event) => { if (event.key === "Escape") { details.open = false; details.firstChild.focus(); } });
  return make("div", { class: "field" }, make("span", { class: "name", "aria-hidden": "true" }, title), details);
}

function chips(changed) {
  const found = filtered().flatMap(([column, values]) => values.map((value) => {
    const title = `${text(labelOf(current(), column))}: ${named(value, column)}`;
    return make("button", { type: "button", class: "chip", "data-key": title, "aria-label": words().remove(title), onclick: () => { toggle(column, value); changed(); } }, title, make("span", { "aria-hidden": "true" }, " ×"));
  }));
  if (found.length) found.push(make("button", { type: "button", class: "plain", id: "reset", onclick: () => { reset(); changed(); } }, words().reset));
  return make("div", { class: "chips", role: "group", "aria-label": words().active }, ...found);
}

// A click elsewhere closes open lists of values.
export function closeOthers() {
  addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details[open]:not([data-stays])")) if (!open.contains(event.target)) open.open = false;
  });
}
