// Which SKUs and channels the plan names: those of the lists, and what stands in the fields.
import { money, number, words } from "./words.js";

const $ = (id) => document.getElementById(id);
export let choices = null;
let product = null, typed = 0, listed = [], places = [];

// Asks what a text finds; false where something else was typed meanwhile.
export async function choose(text) {
  const mine = ++typed, told = await fetch(`choices?sku=${encodeURIComponent(text)}`), found = await told.json();
  // Answers may come in another order than was typed.
  if (mine !== typed) return false;
  choices = found;
  $("skus").replaceChildren(...choices.skus.map((one) => Object.assign(document.createElement("option"), { value: one.sku, label: `${one.category}, ${one.brand}` })));
  const wanted = text.trim().toLowerCase();
  product = choices.skus.find((one) => one.sku === text) || choices.skus.find((one) => one.sku.toLowerCase() === wanted) || null;
  return true;
}

export function take(one) {
  product = one;
  $("sku").value = one.sku;
}

export function planned() {
  return product && !holds(product) ? [...listed, product] : listed;
}

// What the categories of the plan have tried, category by category.
export function tried() {
  return [...new Set(planned().map((one) => one.category))].map((name) => choices.categories[name] || []);
}

// The mechanics that may be asked: those of the plan's categories or, where these never tried any, of the others.
export function offered() {
  const own = tried().flat();
  return own.length ? own : Object.values(choices.categories).flat();
}

// Puts the SKU of the field, or all that its text finds, on the list.
export async function add() {
  listed = [...listed, ...addable()];
  $("sku").value = "";
  await choose("");
}

export function remove(sku) {
  listed = sku === undefined ? [] : listed.filter((one) => one.sku !== sku);
}

// The channels of the plan; none are all.
export function placed() {
  const name = $("channel").value;
  return name && !places.includes(name) ? [...places, name] : places;
}

export function place() {
  places = placed();
  $("channel").value = "";
}

export function displace(name) {
  places = places.filter((one) => one !== name);
}

export function draw() {
  const say = words(), more = addable();
  drawChannels(say);
  $("sku-note").textContent = note(say);
  $("add").textContent = more.length > 1 ? say.add_all({ count: number(more.length) }) : say.add;
  $("add").disabled = more.length === 0;
  $("chosen").hidden = listed.length === 0;
  $("count").textContent = say.chosen({ count: number(listed.length) });
  $("list").replaceChildren(...listed.map((one) => chip(say, one.sku, `${one.category}, ${one.brand}`)));
}

function drawChannels(say) {
  const left = choices.channels.filter((name) => !places.includes(name)), chosen = $("channel").value;
  $("channel").replaceChildren(new Option(places.length ? say.another_channel : say.all_channels, ""), ...left.map((name) => new Option(name, name)));
  $("channel").value = left.includes(chosen) ? chosen : "";
  $("channel").disabled = left.length === 0;
  $("add-channel").setAttribute("aria-label", say.add_channel);
  $("add-channel").title = say.add_channel;
  $("add-channel").disabled = !$("channel").value;
  $("channels").setAttribute("aria-label", say.chosen_channels);
  $("channels").hidden = places.length === 0;
  $("channels").replaceChildren(...places.map((name) => chip(say, name, "")));
}

function chip(say, name, about) {
  const item = document.createElement("li"), text = document.createElement("span");
  text.textContent = name;
  text.title = about;
  item.append(text, button(say.remove({ name }), name));
  return item;
}

function button(label, name) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  made.setAttribute("aria-label", label);
  made.dataset.remove = name;
  return made;
}

function addable() {
  if (product) return holds(product) ? [] : [product];
  const whole = $("sku").value.trim() && choices.found === choices.skus.length;
  return whole ? choices.skus.filter((one) => !holds(one)) : [];
}

function holds(product) {
  return listed.some((one) => one.sku === product.sku);
}

function note(say) {
  if (product) {
    const price = product.list_price === null ? "?" : money(product.list_price, choices.currency, 2);
    return say.found({ category: product.category, brand: product.brand, price });
  }
  if (!$("sku").value.trim() && listed.length) return "";
  return choices.found > 1 ? say.many({ found: number(choices.found) }) : choices.skus.length ? say.one({ sku: choices.skus[0].sku }) : say.found({ found: 0 });
}
