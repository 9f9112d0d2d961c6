// Two pictures in SVG: bars by discount with their intervals, and lines by day with a band.
const HEIGHT = 220, RIGHT = 8, TOP = 18, BOTTOM = 28, NARROWEST = 280;
const LETTER = 7, LEAST_LEFT = 72; // a letter at its widest, and the room left of the axis

function element(name, attributes = {}, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// As wide as there is room, so that letters keep their size.
function canvas(title, width) {
  return element("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": title });
}

function steps(low, high) {
  const rough = (high - low) / 4 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const told = [];
  for (let at = Math.floor(low / step) * step; at < high + step; at += step) told.push(Math.abs(at) < step / 1e6 ? 0 : at);
  return told;
}

// The marks of the axis with room for the longest: a minus that is cut off makes a gain of a loss.
function scale(svg, width, values, write) {
  const marks = steps(Math.min(0, ...values), Math.max(0, ...values));
  const left = Math.max(LEAST_LEFT, 12 + LETTER * Math.max(...marks.map((mark) => write(mark).length)));
  const low = marks[0], high = marks[marks.length - 1];
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low || 1));
  for (const mark of marks) {
    svg.append(element("line", { class: mark === 0 ? "axis" : "grid", x1: left, x2: width - RIGHT, y1: y(mark), y2: y(mark) }));
    svg.append(element("text", { x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, write(mark)));
  }
  return { y, left };
}

export function bars(rows, title, write, label, room) {
  const all = Math.max(room, NARROWEST), svg = canvas(title, all);
  const ends = rows.flatMap((row) => [row.value, row.low, row.high].filter((value) => value !== null));
  const { y, left } = scale(svg, all, ends, write), slot = (all - left - RIGHT) / rows.length, width = Math.min(slot * 0.6, 48);
  const every = Math.ceil(44 / slot);
  rows.forEach((row, at) => {
    const middle = left + slot * (at + 0.5), top = Math.min(y(row.value), y(0));
    const kinds = ["bar", row.planned ? "planned" : "", row.value < 0 ? "loss" : ""].join(" ");
    const bar = element("rect", { class: kinds, x: middle - width / 2, width, y: top, height: Math.max(Math.abs(y(row.value) - y(0)), 1) });
    bar.append(element("title", {}, `${label(row)}: ${write(row.value)}`));
    svg.append(bar);
    if (row.low !== null) svg.append(element("line", { class: "range", x1: middle, x2: middle, y1: y(row.low), y2: y(row.high) }));
    if (at % every === 0 || row.planned) svg.append(element("text", { x: middle, y: HEIGHT - 8, "text-anchor": "middle", class: row.planned ? "value" : "" }, label(row)));
  });
  return svg;
}

export function lines(rows, title, write, label, room) {
  const all = Math.max(room, NARROWEST), svg = canvas(title, all);
  const { y, left } = scale(svg, all, rows.flatMap((row) => [row.high, row.usual, row.value]), write);
  const x = (at) => left + (all - left - RIGHT) * ((at + 0.5) / rows.length);
  const path = (pick) => rows.map((row, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(pick(row)).toFixed(1)}`).join("");
  const back = rows.map((row, at) => `L${x(at).toFixed(1)} ${y(row.low).toFixed(1)}`).reverse().join("");
  svg.append(element("path", { class: "band", d: `${path((row) => row.high)}${back}Z` }));
  svg.append(element("path", { class: "usual", d: path((row) => row.usual) }));
  svg.append(element("path", { class: "line", d: path((row) => row.value) }));
  const every = Math.ceil((rows.length * 52) / (all - left - RIGHT));
  rows.forEach((row, at) => {
    if (at % every === 0) svg.append(element("text", { x: x(at), y: HEIGHT - 8, "text-anchor": "middle" }, label(row)));
  });
  return svg;
}
