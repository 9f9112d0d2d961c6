// Draws the chosen sheet, and draws it anew when something else is chosen.
import { answered, bodyOf, cards, dataOf, emptiness, note, tableIn } from "./cards.js";
import { controls, switches, tabs } from "./controls.js";
import { read, unpacked } from "./data.js";
import { day, MILLISECONDS } from "./days.js";
import { closeOthers, element, make } from "./elements.js";
import { figure } from "./figures.js";
import { inCurrency } from "./formats.js";
import { prepare } from "./marks.js";
import { nameValues } from "./names.js";
import { days, isPast } from "./periods.js";
import { plot } from "./plots.js";
import { apply, begin, chosen, current, currencyOf, sheet, show, state, told } from "./state.js";
import { locale, speak, text, words } from "./words.js";

const drawn = new Map(); // the rows that each visual on the sheet shows
let header = null;
let turn = 0;
let busy = 0;
let views = 0;
let ends = []; // of the charts on the sheet

async function start() {
  performance.mark("begin");
  speak(kept("language") ?? navigator.language);
  state.theme = kept("theme");
  const script = unpacked("vega").then((buffer) => prepare(new TextDecoder().decode(buffer)));
  header = read(await unpacked("data"));
  begin(header);
  fromAddress();
  listen();
  await refresh(true);
  await script;
  performance.measure("first view", "begin");
}

function listen() {
  addEventListener("hashchange", () => {
    fromAddress();
    refresh(true);
  });
  let width = innerWidth;
  let waiting = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(changed, 150);
  });
  closeOthers();
}

// A file's page may be denied a store.
function kept(name) {
  try { return localStorage.getItem(`sales-tech-${name}`); } catch { return null; }
}

function keep(name, value) {
  try { localStorage.setItem(`sales-tech-${name}`, value); } catch { /* only not remembered */ }
}

function fromAddress() {
  const [dashboard, page] = address().split("/");
  if (dashboard) show(dashboard, page);
}

// An address that cannot be read names no sheet.
function address() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
}

function change(wanted) {
  for (const name of ["language", "theme"]) if (wanted[name]) keep(name, wanted[name]);
  apply(wanted);
  return refresh(Boolean(wanted.dashboard || wanted.sheet));
}

const changed = () => refresh();

async function refresh(moved = false) {
  busy++;
  try { await redraw(moved); } finally { busy--; }
}

async function redraw(moved) {
  const mine = ++turn;
  headings();
  const backInHead = focusKept(() => {
    switches(change);
    controls(changed);
  });
  backInHead();
  for (const end of ends.splice(0)) end();
  const backInSheet = focusKept(() => cards(moved));
  const charts = contents();
  backInSheet();
  for (const one of charts) {
    const end = await plot(one.visual, dataOf(one.visual), one.found, bodyOf(one.visual), changed);
    if (mine !== turn) return end();
    ends.push(end);
  }
  backInSheet();
  element("told").textContent = views++ ? words().now(sheet().visuals.length) : "";
}

function headings() {
  const title = text(current().title);
  document.documentElement.lang = locale();
  document.documentElement.dataset.theme = state.theme ?? "";
  document.title = `${title} · Sales Tech`;
  inCurrency(currencyOf(current()));
  nameValues(current().words);
  element("title").replaceChildren("Sales Tech", make("span", { class: "of" }, ` · ${title}`));
  element("foot").textContent = foot();
  tabs();
}

function foot() {
  const at = new Date(header.made);
  const made = day(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / MILLISECONDS);
  const known = Object.values(current().data).filter((data) => data.rows && isPast(current(), data));
  const last = known.map((data) => days(current(), data, chosen().values)).filter(Boolean).map((found) => found[1]);
  const said = last.length ? words().made({ day: made, last: day(Math.max(...last)) }) : words().made_only({ day: made });
  return `${text(current().about)} ${said} ${words().click}`;
}

// Figures, tables and reasons at once; the answer: the charts, which are yet to be drawn.
function contents() {
  drawn.clear();
  const charts = [];
  for (const visual of sheet().visuals) {
    const found = answered(visual);
    drawn.set(visual.name, found.rows);
    bodyOf(visual).parentElement.removeAttribute("aria-busy");
    note(visual, found);
    const inside = content(visual, found);
    if (inside) bodyOf(visual).replaceChildren(...inside);
    else charts.push({ visual, found });
  }
  return charts;
}

function content(visual, found) {
  const why = emptiness(visual, found);
  if (why) return [make("p", { class: "empty" }, why)];
  if (visual.kind === "kpi") return figure(visual, dataOf(visual), found, chosen());
  return visual.kind === "table" ? [tableIn(visual, found, changed)] : null;
}

// What has the focus is made anew; its twin gets it back.
function focusKept(act) {
  const had = document.activeElement;
  const { id, dataset } = had ?? {};
  const card = had?.closest?.("[id^=visual-]")?.id;
  act();
  return () => {
    const isLost = document.activeElement === document.body;
    if (isLost && (id || dataset?.key)) twin(id, dataset.key, card)?.focus();
  };
}

function twin(id, key, card) {
  if (id) return element(id);
  const keyed = (card ? element(card) : document)?.querySelectorAll("[data-key]") ?? [];
  return [...keyed].find((one) => one.dataset.key === key);
}

// For tests: the rows that a visual draws, the choice, and another choice, drawn when the promise is kept.
window.salesTech = { rows: (name) => structuredClone(drawn.get(name)), choose: change, chosen: told, drawing: () => busy > 0 };
window.salesTech.ready = start();
