// Which SKUs the plan names: those of the list, and the one that stands in the field.
import { money, number, words } from "./words.js";

const $ = (id) => document.getElementById(id);
export let choices = null;
let product = null, typed = 0, listed = [];

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

export function draw() {
  const say = words(), more = addable();
  $("sku-note").textContent = note(say);
  $("add").textContent = more.length > 1 ? say.add_all({ count: number(more.length) }) : say.add;
  $("add").disabled = more.length === 0;
  $("chosen").hidden = listed.length === 0;
  $("count").textContent = say.chosen({ count: number(listed.length) });
  $("list").replaceChildren(...listed.map((one) => {
    const item = document.createElement("li"), name = document.createElement("span"), cross = button(say.remove({ sku: one.sku }), one.sku);
    name.textContent = one.sku;
    name.title = `${one.category}, ${one.brand}`;
    item.append(name, cross);
    return item;
  }));
}

function button(label, sku) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  made.setAttribute("aria-label", label);
  made.dataset.remove = sku;
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
