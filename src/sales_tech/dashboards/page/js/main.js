// Draws the chosen sheet, and draws it anew when something else is chosen.
import { answer } from "./answers.js";
import { chart } from "./charts.js";
import { closeOthers, controls, switches, tabs } from "./controls.js";
import { read, unpacked } from "./data.js";
import { figure } from "./figures.js";
import { day, inCurrency, named, nameValues, dayOf, period, exact, whole } from "./formats.js";
import { draw, prepare } from "./marks.js";
import { apply, begin, chosen, current, currencyOf, days, inOrder, sheet, show, state, toggle, told } from "./state.js";
import { csv, download, make, table } from "./tables.js";
import { locale, speak, text, words } from "./words.js";

const element = (id) => document.getElementById(id);
const drawn = new Map(); // what each visual on the sheet shows
let header, turn = 0, ended = [], marks = 0, busy = 0;

async function start() {
  performance.mark("begin");
  speak(kept("language") ?? navigator.language);
  state.theme = kept("theme");
  const script = unpacked("vega").then((buffer) => prepare(new TextDecoder().decode(buffer)));
  header = read(await unpacked("data"));
  begin(header);
  fromAddress();
  addEventListener("hashchange", () => { fromAddress(); refresh(true); });
  let width = innerWidth, waiting = 0;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; clearTimeout(waiting); waiting = setTimeout(() => refresh(), 150); } });
  closeOthers();
  await refresh(true);
  await script;
  performance.measure("first view", "begin");
}

// A file's page may be denied a store.
function kept(name) { try { return localStorage.getItem(`sales-tech-${name}`); } catch { return null; } }
function keep(name, value) { try { localStorage.setItem(`sales-tech-${name}`, value); } catch { /* only not remembered */ } }

function fromAddress() {
  let told = "";
  try { told = decodeURIComponent(location.hash.slice(1)); } catch { /* an address that is none names no sheet */ }
  const [dashboard, page] = told.split("/");
  if (dashboard) show(dashboard, page);
}

function change(wanted) {
  for (const name of ["language", "theme"]) if (wanted[name]) keep(name, wanted[name]);
  apply(wanted);
  return refresh(Boolean(wanted.dashboard || wanted.sheet));
}

// What has the focus is made anew; its twin gets it back.
function focusKept(act) {
  const had = document.activeElement, at = had?.id || had?.dataset?.key, near = had?.closest?.("[id^=visual-]")?.id;
  act();
  return () => {
    if (!at || document.activeElement !== document.body) return;
    const within = near ? element(near) : document;
    (had.id ? element(had.id) : [...(within?.querySelectorAll("[data-key]") ?? [])].find((one) => one.dataset.key === at))?.focus();
  };
}

async function refresh(moved = false) {
  busy++;
  try { await redraw(moved); } finally { busy--; }
}

async function redraw(moved) {
  const mine = ++turn;
  document.documentElement.lang = locale();
  document.documentElement.dataset.theme = state.theme ?? "";
  inCurrency(currencyOf(current()));
  nameValues(current().words);
  document.title = `${text(current().title)} · Sales Tech`;
  element("title").replaceChildren("Sales Tech", make("span", { class: "of" }, ` · ${text(current().title)}`));
  tabs();
  const focus = focusKept(() => { switches(change); controls(changed); });
  focus();
  element("foot").textContent = foot();
  for (const end of ended.splice(0)) end();
  const again = focusKept(() => { if (moved || !sameCards()) element("sheet").replaceChildren(...sheet().visuals.map(card)); else sheet().visuals.forEach(rewrite); });
  drawn.clear();
  const slow = [];
  for (const visual of sheet().visuals) {
    const data = current().data[visual.data], answered = answer(data, visual, chosen());
    drawn.set(visual.name, answered.rows);
    const place = body(visual);
    place.parentElement.removeAttribute("aria-busy");
    const why = emptiness(visual, data, answered);
    note(visual, data, answered);
    if (why) place.replaceChildren(make("p", { class: "empty" }, why));
    else if (visual.kind === "kpi") place.replaceChildren(...figure(visual, data, answered, chosen()));
    else if (visual.kind === "table") place.replaceChildren(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": text(visual.title) }, table(visual, data, current(), answered, text(visual.title), picking())));
    else slow.push([visual, data, answered, place]);
  }
  again();
  for (const one of slow) {
    await chartIn(...one, mine);
    if (mine !== turn) return;
  }
  again();
  element("told").textContent = marks++ ? words().now(sheet().visuals.length) : "";
}

const changed = () => refresh();
const picking = () => ({
  toggle: (column, value, more) => { toggle(column, value, more); changed(); },
  pressed: (column, value) => (chosen().values[column] || []).includes(value),
});

async function chartIn(visual, data, answered, place, mine) {
  const width = Math.floor(place.clientWidth), plot = make("div", { class: "plot" });
  const order = (column) => inOrder(current(), column, [...new Set(answered.rows.map((row) => row[column]))]);
  const { legend } = chart(visual, { data, answered, order, width, height: 100 });
  const keys = legend.length ? legendOf(legend) : null;
  place.replaceChildren(...[keys, plot].filter(Boolean));
  const height = Math.max(110, Math.floor(place.clientHeight - (keys ? keys.offsetHeight + 6 : 0)));
  const sized = chart(visual, { data, answered, order, width, height }).spec;
  if (sized.height > height) sized.width = width - 14;
  plot.style.height = `${height}px`;
  if (sized.height > height) for (const [name, value] of [["class", "plot scrolls"], ["tabindex", "0"]]) plot.setAttribute(name, value);
  const columns = visual.dimensions.filter((column) => !(visual.grain && column === visual.x));
  const pick = columns.length && visual.kind !== "line" && visual.kind !== "stacked_area" ? (i, more) => choosing(columns, answered.rows[i], more) : null;
  if (pick) {
    pick.pressed = (i) => columns.every((column) => (chosen().values[column] || []).includes(answered.rows[i][column]));
    pick.named = (i) => spokenRow(visual, data, answered.rows[i]);
  }
  const end = await draw(plot, sized, text(visual.title), pick);
  if (mine === turn) ended.push(end); else end();
}

// All dimensions of the mark that was met are chosen together, and taken back together.
function choosing(columns, row, more) {
  const known = columns.filter((column) => row[column] !== null), all = known.every((column) => (chosen().values[column] || []).includes(row[column]));
  for (const column of known) if (all === (chosen().values[column] || []).includes(row[column])) toggle(column, row[column], more);
  changed();
}

function spokenRow(visual, data, row) {
  const names = visual.dimensions.map((column) => (visual.grain && column === visual.x ? period(dayOf(row[column]), visual.grain) : named(row[column], column)));
  return `${names.join(", ")}: ${visual.measures.map((name) => exact(row[name], data.measures[name].format)).join(", ")}`;
}

function legendOf(legend) {
  const { pressed, toggle: pick } = picking();
  return make("ul", { class: "legend", "aria-label": words().legend }, ...legend.map((one) => {
    const swatch = make("span", { class: one.line ? "swatch line" : "swatch", "aria-hidden": "true" });
    swatch.style.background = one.color;
    if (!one.column || one.value === null) return make("li", {}, swatch, one.name);
    return make("li", {}, make("button", { type: "button", "data-key": one.name, "aria-pressed": String(pressed(one.column, one.value)), onclick: (event) => pick(one.column, one.value, event.ctrlKey || event.metaKey || event.shiftKey) }, swatch, one.name));
  }));
}

const cardId = (visual) => `visual-${visual.name}`;
const body = (visual) => element(cardId(visual)).querySelector(".fill");
const sameCards = () => sheet().visuals.every((visual) => element(cardId(visual)));

function card(visual) {
  const { column, row, width, height } = visual.at, id = cardId(visual);
  const item = (act) => make("button", { type: "button", onclick: (event) => { event.target.closest("details").open = false; act(); } });
  const menu = make("details", { class: "menu" }, make("summary", {}, make("span", { "aria-hidden": "true" }, "⋯")),
    make("div", { class: "drop" }, item(() => showTable(visual)), item(() => download(`${visual.name}.csv`, csv(visual, current().data[visual.data], current(), answered(visual))))));
  menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
  const found = make("section", { id, class: `card ${visual.kind}${width >= 6 ? " wide" : ""}`, "aria-labelledby": `${id}-title` },
    make("div", { class: "head" }, make("h2", { id: `${id}-title` }), menu), make("p", { class: "note" }), make("div", { class: "body", "aria-busy": "true" }, make("div", { class: "fill" })));
  found.style.setProperty("--at", `${column + 1} / span ${width}`);
  found.style.setProperty("--from", `${row + 1} / span ${height}`);
  found.style.setProperty("--cells", height);
  found.style.setProperty("--grow", width);
  rewrite(visual, 0, null, found);
  return found;
}

function rewrite(visual, place, all, found = element(cardId(visual))) {
  const tag = estimates(visual, current().data[visual.data]) ? make("span", { class: "tag" }, words().estimate) : null;
  found.querySelector("h2").replaceChildren(...[text(visual.title), tag && " ", tag].filter(Boolean));
  found.querySelector("summary").setAttribute("aria-label", `${words().options}: ${text(visual.title)}`);
  const [first, second] = found.querySelectorAll(".menu button");
  [first.textContent, second.textContent] = [words().table, words().csv];
}

const estimates = (visual, data) => visual.measures.some((name) => data.measures[name].estimate);
const answered = (visual) => answer(current().data[visual.data], visual, chosen());

function note(visual, data, { intervals }) {
  const found = [visual.note && text(visual.note)];
  if (estimates(visual, data)) {
    if (!visual.note) found.push(words().estimated);
    if (visual.kind === "bar" && intervals.some((ends) => ends[visual.value])) found.push(words().intervals);
  }
  const place = element(cardId(visual)).querySelector(".note"), said = found.filter(Boolean).join(" ");
  place.textContent = said;
  place.hidden = !said;
}

function emptiness(visual, data, { matched, rows }) {
  if (data.missing.length) return words().missing(data.missing.join(", "));
  if (!data.rows) return words().empty_data;
  if (!matched) return words().empty_choice;
  const told = (row) => (visual.kind === "scatter" ? [visual.x, visual.y].every((name) => row[name] !== null) : visual.measures.some((name) => row[name] !== null));
  return (visual.kind === "kpi" ? rows.slice(0, 1) : rows).some(told) ? null : words().unknown;
}

function showTable(visual) {
  const data = current().data[visual.data], found = answered(visual), dialog = element("dialog");
  dialog.replaceChildren(
    make("div", { class: "head" }, make("h2", { id: "dialog-title" }, text(visual.title)), make("button", { type: "button", onclick: () => dialog.close() }, words().close)),
    make("p", { class: "note" }, words().rows(whole(found.rows.length))),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": text(visual.title) }, table(visual, data, current(), found, text(visual.title))),
  );
  dialog.showModal();
}

function foot() {
  const at = new Date(header.made), made = day(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / 86400000), last = Object.entries(current().data)
    .filter(([name, data]) => data.period && data.rows && current().sheets.some((one) => one.visuals.some((visual) => visual.data === name && visual.kind !== "fan")))
    .map(([, data]) => days(current(), data, chosen().values)?.[1]).filter((value) => value !== undefined);
  return `${text(current().about)} ${last.length ? words().made({ day: made, last: day(Math.max(...last)) }) : words().made_only({ day: made })} ${words().click}`;
}

// For tests: the rows that a visual draws, the choice, and another choice, drawn when the promise is kept.
window.salesTech = { rows: (name) => structuredClone(drawn.get(name)), choose: change, chosen: told, drawing: () => busy > 0 };
window.salesTech.ready = start();
