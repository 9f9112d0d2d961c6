// Tabs, filters, chips of what is chosen, and the switches of language and theme.
import { month } from "./days.js";
import { closedByEscape, element, hidden, make } from "./elements.js";
import { named } from "./names.js";
import { choosePeriod, chosen, current, dashboards, filtered, put, reset, state, toggle } from "./state.js";
import { labelOf, offered, valuesOf } from "./values.js";
import { spoken, text, words } from "./words.js";

const MANY = 12; // values, above which a list can be searched

export function tabs() {
  const { name, sheets } = current();
  links("dashboards", words().dashboards, dashboards, { hrefOf: (one) => `#${one.name}`, here: name });
  links("sheets", words().sheets, sheets, { hrefOf: (one) => `#${name}/${one.name}`, here: state.sheet });
}

function links(id, title, all, { hrefOf, here }) {
  const place = element(id);
  const link = (one) => make("a", { href: hrefOf(one), "aria-current": one.name === here ? "page" : null }, text(one.title));
  place.replaceChildren(...all.map(link));
  place.setAttribute("aria-label", title);
  place.hidden = all.length < 2;
}

export function switches(change) {
  const preferred = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const isDark = (state.theme ?? preferred) === "dark";
  const other = spoken() === "pt" ? "en" : "pt";
  const button = (id, title, onclick, more = {}) => make("button", { type: "button", id, onclick, ...more }, title);
  element("switches").replaceChildren(
    button("print", words().print, () => print()),
    button("theme", isDark ? words().light : words().dark, () => change({ theme: isDark ? "light" : "dark" })),
    button("language", words().language, () => change({ language: other }), { lang: other === "pt" ? "pt-BR" : "en" }),
  );
}

export function controls(changed) {
  const open = [...document.querySelectorAll("#controls details[open]")].map((one) => one.dataset.column);
  const fields = current().filters.map((filter) => field(filter, changed, open.includes(filter.column)));
  const period = current().period && chosen().months ? months(changed) : null;
  element("controls").setAttribute("aria-label", words().filters);
  element("controls").replaceChildren(...[period, ...fields].filter(Boolean), chips(changed));
}

// Nothing where there is nothing to choose. A value that is the only one here is named where other dashboards show others.
function field(filter, changed, open) {
  if (filter.choose === "one") {
    const known = new Set(dashboards.flatMap((one) => valuesOf(one, filter.column)));
    return known.size < 2 ? null : single(filter, valuesOf(current(), filter.column), changed);
  }
  const values = offered(current(), filter.column, chosen().values);
  return values.length ? several(filter, values, changed, open) : null;
}

function months(changed) {
  const { first, last } = current().months;
  const all = Array.from({ length: last - first + 1 }, (_, place) => first + place);
  const onchange = () => {
    choosePeriod(Number(element("first").value), Number(element("last").value));
    changed();
  };
  const select = (id, title, chosenMonth) => {
    const options = all.map((one) => make("option", { value: one, selected: one === chosenMonth }, month(one)));
    return make("span", { class: "pair" }, make("label", { for: id }, title), make("select", { id, onchange }, ...options));
  };
  const [from, to] = chosen().months;
  return make("div", { class: "field period", role: "group", "aria-labelledby": "period-name" },
    make("span", { class: "name", id: "period-name" }, text(current().period.label)),
    make("div", { class: "pairs" }, select("first", words().from, from), select("last", words().to, to)),
  );
}

function single(filter, values, changed) {
  const id = `filter-${filter.column}`;
  const now = chosen().values[filter.column]?.[0];
  const options = values.map((value) => make("option", { selected: value === now }, named(value, filter.column)));
  const onchange = (event) => {
    put(filter.column, [values[event.target.selectedIndex]]);
    changed();
  };
  return make("div", { class: "field" },
    make("label", { for: id, class: "name" }, text(filter.label)),
    make("select", { id, onchange }, ...options),
  );
}

function several(filter, values, changed, open) {
  const title = text(filter.label);
  const said = saidOf(filter.column, chosen().values[filter.column] || []);
  const choices = values.map((value) => choice(filter.column, value, changed));
  const details = make("details", { class: "many", "data-column": filter.column, open, ontoggle: intoWindow },
    make("summary", { "aria-label": `${title}: ${said}` }, make("span", {}, said)),
    make("div", { class: "drop" }, values.length > MANY ? search(title, choices) : null, make("div", { class: "choices" }, ...choices)),
  );
  return make("div", { class: "field" }, make("span", { class: "name", "aria-hidden": "true" }, title), closedByEscape(details));
}

// A list that would reach beyond the window opens to the other side.
function intoWindow({ target }) {
  const drop = target.querySelector(".drop");
  drop.classList.remove("leftward");
  drop.classList.toggle("leftward", drop.getBoundingClientRect().right > document.documentElement.clientWidth);
}

function saidOf(column, now) {
  if (now.length === 0) return words().all;
  return now.length === 1 ? named(now[0], column) : words().chosen(now.length);
}

function choice(column, value, changed) {
  const now = chosen().values[column] || [];
  const onchange = (event) => {
    put(column, event.target.checked ? [...now, value] : now.filter((one) => one !== value));
    changed();
  };
  return make("label", { class: "choice" },
    make("input", { type: "checkbox", checked: now.includes(value), "data-key": `${column}=${value}`, onchange }),
    make("span", {}, named(value, column)),
  );
}

// Whoever searches writes no accents.
const letters = (written) => written.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function search(title, choices) {
  const oninput = (event) => {
    const wanted = letters(event.target.value);
    for (const one of choices) one.hidden = !letters(one.textContent).includes(wanted);
  };
  return make("input", { type: "search", placeholder: words().search, "aria-label": `${words().search}: ${title}`, oninput });
}

function chips(changed) {
  const found = filtered().flatMap(([column, values]) => values.map((value) => chip(column, value, changed)));
  const onclick = () => {
    reset();
    changed();
  };
  const clear = make("button", { type: "button", class: "plain", id: "reset", onclick }, words().reset);
  return make("div", { class: "chips", role: "group", "aria-label": words().active }, ...found, found.length ? clear : null);
}

function chip(column, value, changed) {
  const title = `${text(labelOf(current(), column))}: ${named(value, column)}`;
  const onclick = () => {
    toggle(column, value);
    changed();
  };
  const attributes = { type: "button", class: "chip", "data-key": title, "aria-label": words().remove(title), onclick };
  return make("button", attributes, title, hidden(" ×"));
}
