// The page asks /choices what a plan can name, and /invocations what the plan will sell and earn.
import { bars, lines } from "./chart.js";
import { add, choices, choose, displace, draw, offered, place, placed, planned, remove, take, tried } from "./picker.js";
import { change, current, day, money, number, other, share, shortDay, shortMoney, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const FIELDS = { sku: "sku", mechanic: "mechanic", discount_share: "depth", starts_on: "starts", ends_on: "ends", channel: "channel", channels: "channel", region: "region", investment: "investment" };
let asking = null, waiting = 0, last = null;

function write() {
  const say = words();
  document.documentElement.lang = current();
  document.title = `Sales Tech: ${say.title}`;
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = say[one.dataset.word];
  $("language").textContent = say.other;
  $("language").lang = other();
  night();
  $("currency").textContent = choices.currency;
  describe();
  if (last) show(last);
}

function options(select, values, name) {
  const kept = select.value;
  select.replaceChildren(...values.map((value) => new Option(name(value), value)));
  if (values.includes(kept)) select.value = kept;
}

function describe() {
  const say = words(), sold = placed().flatMap((name) => choices.regions[name] || []);
  const regions = sold.length ? [...new Set(sold)].sort() : choices.all_regions;
  options($("region"), ["", ...regions], (name) => name || say.all_regions);
  $("region").disabled = regions.length === 0;
  $("depth-shown").textContent = share($("depth").value / 100);
  draw();
  if (planned().length === 0) return;
  const rows = offered();
  options($("mechanic"), [...new Set(rows.map((one) => one.mechanic))], (name) => (name === "unknown" ? say.unnamed : name));
  const own = rows.filter((one) => one.mechanic === $("mechanic").value);
  const shown = own.some((one) => one.display), plain = own.some((one) => !one.display);
  $("display").disabled = !(shown && plain);
  if (!(shown && plain)) $("display").checked = shown;
  const known = tried(), from = Math.max(...known.flat().map((row) => row.depth_from)), to = Math.min(...known.flat().map((row) => row.depth_to));
  const ever = known.every((part) => part.length) && from <= to ? say.tried({ count: known.length, from: share(from), to: share(to) }) : "";
  const untried = known.some((part) => !part.some((one) => one.mechanic === $("mechanic").value));
  $("depth-note").textContent = `${ever} ${untried ? say.untried : ""}`.trim();
}

// From the first key or click on: what stands there, or is still to come, is no answer to what was changed.
function outdate() {
  if (asking) asking.abort();
  busy(true);
}

function ask() {
  outdate();
  clearTimeout(waiting);
  waiting = setTimeout(send, 60);
}

async function send() {
  describe();
  const skus = planned().map((one) => one.sku);
  if (skus.length === 0) {
    forget();
    return;
  }
  asking = new AbortController();
  const promotion = {
    promotion_id: "plan", skus, mechanic: $("mechanic").value, discount_share: $("depth").value / 100, starts_on: $("starts").value,
    ends_on: $("ends").value, channels: placed().length ? placed() : null, region: $("region").value || null, display: $("display").checked,
    investment: $("investment").value === "" ? null : Number($("investment").value),
  };
  try {
    const told = await fetch("invocations", {
      method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify({ promotions: [promotion] }), signal: asking.signal,
    });
    const body = await told.json();
    if (told.ok && body.origin !== choices.origin) await choose($("sku").value);
    night();
    if (told.ok) show({ ...body, asked: promotion }); else refuse(body.errors);
  } catch (error) {
    if (error.name === "AbortError") return;
    refuse([{ found: words().offline }]);
  }
  busy(false);
}

function busy(is) {
  $("answer").setAttribute("aria-busy", is);
}

// The days that can be planned are others after a night.
function night() {
  const say = words();
  $("known").textContent = say.known({ origin: day(choices.origin), last: day(choices.last_day), currency: choices.currency });
  for (const id of ["starts", "ends"]) { $(id).min = choices.first_day; $(id).max = choices.last_day; }
}

function forget() {
  // What was told of another SKU is no answer to this one.
  last = null;
  $("told").hidden = true;
  $("problem").hidden = true;
  busy(false);
}

function refuse(errors) {
  const say = words(), list = document.createElement("ul");
  for (const id of Object.values(FIELDS)) $(id).removeAttribute("aria-invalid");
  for (const one of errors) {
    const item = document.createElement("li");
    item.textContent = FIELDS[one.field] ? say.said({ label: labelOf(FIELDS[one.field]), found: written(one, say), expected: expected(one.field, say) }) : one.found;
    list.append(item);
    if (FIELDS[one.field]) $(FIELDS[one.field]).setAttribute("aria-invalid", "true");
  }
  const head = document.createElement("strong");
  head.textContent = say.wrong;
  $("problem").replaceChildren(head, list);
  $("problem").hidden = false;
  $("told").hidden = true;
}

function written(one, say) {
  if (one.found === "") return say.nothing;
  return (one.field === "starts_on" || one.field === "ends_on") && /^\d{4}-\d\d-\d\d$/.test(one.found) ? day(one.found) : one.found;
}

function labelOf(id) {
  return document.querySelector(`label[for="${id}"] [data-word], label[for="${id}"][data-word]`).textContent;
}

function expected(field, say) {
  if (field === "sku") return say.a_sku;
  if (field === "discount_share") return say.a_share;
  if (field === "investment") return say.an_amount;
  const within = say.within({ first: day(choices.first_day), last: day(choices.last_day) });
  return field === "starts_on" || field === "ends_on" ? within : say.one_listed;
}

function show(body) {
  last = body;
  for (const id of Object.values(FIELDS)) $(id).removeAttribute("aria-invalid");
  $("problem").hidden = true;
  $("told").hidden = false;
  const say = words(), cash = (value) => money(value, body.currency), sum = body.promotions[0];
  const rows = body.alternatives, planned = rows.find((row) => row.planned), best = rows.find((row) => row.rank === 1);
  const costed = planned.net_margin !== null, earns = costed ? "net_margin" : "incremental_revenue";
  const said = [advice(say, best, planned, earns, cash), ...(costed ? [atTheEnds(say, rows, best)] : [])];
  $("advice").textContent = sum.baseline_units === 0 ? "" : said.join(" ");
  figure([
    [say.units, number(sum.units), say.range({ low: number(planned.units_low), high: number(planned.units_high) })],
    [say.added, number(sum.uplift_units), say.against({ value: number(sum.baseline_units) })],
    [say.revenue, cash(planned.revenue), say.without({ value: cash(planned.revenue - planned.incremental_revenue) })],
    costed
      ? [say.net, cash(planned.net_margin), `${say.range({ low: cash(planned.net_margin_low), high: cash(planned.net_margin_high) })}; ${say.after}`, planned.net_margin < 0]
      : [say.incremental, cash(planned.incremental_revenue), "", planned.incremental_revenue < 0],
  ]);
  const over = daysBetween(body.asked.starts_on, choices.first_day), whole = daysBetween(body.asked.starts_on, body.asked.ends_on) + 1;
  const begun = { over: number(over), first: day(choices.first_day), left: number(whole - over), all: number(whole), invested: cash(planned.investment) };
  const notes = [
    ...(over > 0 ? [planned.investment > 0 ? say.begun_invested(begun) : say.begun(begun)] : []),
    ...(planned.beyond_tried ? [say.beyond] : []), ...(sum.baseline_units === 0 ? [say.nowhere] : []),
  ];
  $("warnings").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  const byDepth = [...rows].sort((a, b) => a.discount_share - b.discount_share).map((row) => ({
    depth: row.discount_share, planned: row.planned, value: row[earns], low: costed ? row.net_margin_low : null, high: costed ? row.net_margin_high : null,
  }));
  const name = costed ? say.by_depth : say.incremental;
  picture("depths", bars(byDepth, name, (value) => shortMoney(value, body.currency), (row) => share(row.depth), $("depths").clientWidth), costed ? say.bars : "");
  picture("days", lines(byDay(body.days), say.by_day, (value) => number(value, 1), (row) => shortDay(row.day), $("days").clientWidth), say.lines);
  table(rows, say, cash, costed);
}

function advice(say, best, planned, earns, cash) {
  const at = { depth: share(best.discount_share), net: cash(best[earns]), planned: cash(planned[earns]), now: share(planned.discount_share) };
  if (earns !== "net_margin") return say.no_cost(at);
  if (best.net_margin <= 0) return say.loses(at);
  return best.planned ? say.best(at) : say.better(at);
}

// Whether another depth would be the best one with the effect at an end of its range.
function atTheEnds(say, rows, best) {
  const said = ["weak", "strong"].flatMap((end) => {
    const value = (row) => row[`net_margin_if_${end}`];
    const there = rows.reduce((most, row) => (value(row) > value(most) ? row : most), best);
    if (value(there) <= 0) return best.net_margin > 0 ? [say[`${end}_none`]] : [];
    return there === best && best.net_margin > 0 ? [] : [say[end]({ depth: share(there.discount_share) })];
  });
  return said.length ? said.join(" ") : say.both_ends;
}

function byDay(rows) {
  const days = new Map();
  for (const row of rows) {
    const at = days.get(row.sold_on) || { day: row.sold_on, value: 0, usual: 0, middle: 0, below: 0, above: 0 };
    at.value += row.units;
    at.usual += row.baseline_units;
    at.middle += row.units_median;
    // Channels err apart from each other, so their ranges add up as squares.
    at.below += (row.units_median - row.units_low) ** 2;
    at.above += (row.units_high - row.units_median) ** 2;
    days.set(row.sold_on, at);
  }
  return [...days.values()].sort((a, b) => (a.day < b.day ? -1 : 1)).map((at) => ({ ...at, low: Math.max(at.middle - Math.sqrt(at.below), 0), high: at.middle + Math.sqrt(at.above) }));
}

function figure(rows) {
  const parts = rows.map(([term, value, note, loss]) => {
    const box = document.createElement("div"), name = document.createElement("dt"), told = document.createElement("dd"), small = document.createElement("small");
    name.textContent = term;
    told.textContent = value;
    if (loss) told.className = "loss";
    small.textContent = note;
    box.append(name, told);
    told.append(small);
    return box;
  });
  $("figures").replaceChildren(...parts);
}

function picture(id, svg, words) {
  const caption = document.createElement("figcaption");
  caption.textContent = words;
  $(id).replaceChildren(svg, caption);
}

function table(rows, say, cash, costed) {
  const head = [say.discount, say.units, say.added, say.revenue, costed ? say.net : say.incremental, say.rank];
  const cell = (kind, text) => Object.assign(document.createElement(kind), { textContent: text });
  const top = document.createElement("tr");
  top.append(...head.map((text) => Object.assign(cell("th", text), { scope: "col" })));
  $("alternatives").tHead.replaceChildren(top);
  $("alternatives").tBodies[0].replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    line.className = row.planned ? "planned" : "";
    const earned = costed ? row.net_margin : row.incremental_revenue;
    const texts = [share(row.discount_share), number(row.units), number(row.uplift_units), cash(row.revenue), cash(earned), String(row.rank)];
    line.append(...texts.map((text) => cell("td", text)));
    return line;
  }));
}

function daysBetween(from, to) {
  return Math.round((new Date(`${to}T00:00Z`) - new Date(`${from}T00:00Z`)) / 86400000);
}

function later(text, days) {
  const at = new Date(`${text}T00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

async function begin() {
  await choose("");
  const first = choices.skus[0];
  if (first) {
    take(first);
    const deepest = Math.max(...offered().map((one) => one.depth_to));
    $("depth").value = Math.round(Math.min(0.2, deepest) * 100);
  }
  const start = later(choices.first_day, 6), end = later(start, 9);
  $("starts").value = start < choices.last_day ? start : choices.first_day;
  $("ends").value = end < choices.last_day ? end : choices.last_day;
  write();
  $("plan").addEventListener("input", (event) => { if (event.target.id !== "sku") ask(); });
  $("sku").addEventListener("input", async () => { outdate(); if (await choose($("sku").value)) ask(); });
  $("add").addEventListener("click", async () => { await add(); $("sku").focus(); ask(); });
  $("chosen").addEventListener("click", (event) => {
    if (event.target.tagName !== "BUTTON") return;
    remove(event.target.dataset.remove);
    $("sku").focus();
    ask();
  });
  $("add-channel").addEventListener("click", () => { place(); describe(); $("channel").focus(); ask(); });
  $("channels").addEventListener("click", (event) => {
    if (event.target.tagName !== "BUTTON") return;
    displace(event.target.dataset.remove);
    describe();
    $("channel").focus();
    ask();
  });
  $("plan").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  $("language").addEventListener("click", () => { change(); write(); });
  addEventListener("resize", () => { if (last && !$("told").hidden) show(last); });
  ask();
}

begin();
