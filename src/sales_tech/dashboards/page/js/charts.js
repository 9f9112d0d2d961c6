// The Vega-Lite specification of each kind of chart. Colours are variables of the style sheet, so a change of theme draws nothing anew.
import { amounts, BAR, colors, CONFIG, DAY, few, hue, isTime, measure, moment, moments, ordered, series, span, thick, THICK, ticks, times, tipped, values } from "./axes.js";
import { dayOf, exact, label, named, short } from "./formats.js";
import { text, words } from "./words.js";

// context: { data, answered, order, width, height }, where order(column) is its values as they are to stand; the answer: a specification, and the series of its legend
export function chart(visual, context) {
  const { data, answered } = context;
  const drawn = answered.rows.map((row, i) => drawnRow(visual, data, row, i));
  const { legend = [], height = context.height, ...spec } = CHARTS[visual.kind](visual, { ...context, drawn });
  return { legend, spec: { width: context.width, height, autosize: { type: "fit", contains: "padding" }, background: null, padding: 2, config: CONFIG, ...spec } };
}

// A row as it is drawn: its place among the answer's rows, measures as m0, m1 ..., names of dimensions as d0, d1 ..., its time as at.
function drawnRow(visual, data, row, i) {
  const told = { i };
  visual.measures.forEach((name, place) => { told[`m${place}`] = row[name]; });
  visual.dimensions.forEach((column, place) => {
    if (isTime(visual, column)) told.at = row[column] === null ? null : dayOf(row[column]) * DAY; else told[`d${place}`] = named(row[column], column);
  });
  return told;
}

function long(visual, context) {
  return context.drawn.flatMap((drawn) => visual.measures.map((name, place) => ({ ...drawn, value: drawn[`m${place}`], series: label(measure(context, name)) })));
}

const CHARTS = {
  line(visual, context) {
    const { format } = measure(context, visual.values[0]);
    let legend, color;
    if (visual.color) ({ legend, color } = colors(visual, context, 1));
    else {
      legend = series(context, visual.values);
      color = { field: "series", type: "nominal", legend: null, scale: { domain: legend.map((one) => one.name), range: legend.map((one) => one.color) } };
      if (legend.length === 1) legend = [];
    }
    context.points = context.drawn.length <= 60 || few(context);
    return {
      legend,
      layer: [
        { data: values(long(visual, context)), mark: { type: "line", strokeWidth: 2, point: context.points ? { size: 36, filled: true } : false, interpolate: "linear" },
          encoding: { x: times(visual, context), y: { field: "value", type: "quantitative", axis: amounts(format), scale: { zero: format !== "percent" || !visual.color } }, color } },
        moments(visual, context),
      ],
    };
  },

  stacked_area(visual, context) {
    const { legend, color } = colors(visual, context, 1), { format } = measure(context, visual.value);
    if (few(context)) {
      const { rows, tooltip } = tipped(visual, context);
      return { legend, layer: [{ data: values(rows), mark: { type: "bar", width: THICK }, encoding: { x: moment(visual, context), y: { field: "m0", type: "quantitative", axis: amounts(format) }, color, tooltip } }] };
    }
    return {
      legend,
      layer: [
        { data: values(context.drawn), mark: { type: "area", opacity: 0.9, stroke: "var(--card)", strokeWidth: 1 },
          encoding: { x: times(visual, context), y: { field: "m0", type: "quantitative", stack: "zero", axis: amounts(format) }, color, order: { field: "o", type: "quantitative", sort: "ascending" } } },
        moments(visual, context),
      ],
    };
  },

  bar(visual, context) {
    const colored = visual.color ? colors(visual, context, 1) : { legend: [], color: { value: hue(0) } };
    const { rows, tooltip } = tipped(visual, context), { format } = measure(context, visual.value), names = visual.order === "category" ? context.order(visual.category).map((value) => named(value, visual.category)) : ordered(rows, "d0");
    const longest = Math.max(...names.map((name) => name.length));
    const upright = visual.order === "category" && names.length * Math.max(30, 7 * longest) <= context.width;
    const found = rows.flatMap((row) => [row.m0 ?? 0, ...ends(context, visual.value, row)]);
    const labels = rows.map((row) => ({ ...row, written: row.m0 === null ? "" : short(row.m0, format) }));
    const widest = Math.max(...labels.map((row) => row.written.length)) * 7, plot = Math.max(150, context.width - 7 * Math.min(21, longest) - 24);
    const room = visual.color ? 1.02 : upright ? 1.12 : plot / (plot - Math.min(plot / 2, widest + 12));
    const low = Math.min(0, ...found), high = Math.max(0, ...found);
    const domain = visual.color ? {} : { scale: { domain: [low * (low < 0 ? room : 1), high * room], nice: false } };
    const category = { field: "d0", type: "nominal", sort: null, scale: { domain: names, paddingInner: 0.25, paddingOuter: 0.1 }, axis: { title: null, labelAngle: 0, labelLimit: Math.min(190, context.width * 0.4), labelOverlap: upright } };
    const amount = { field: "m0", type: "quantitative", axis: amounts(format, upright ? {} : { tickCount: Math.max(2, Math.floor(plot / 90)), labelBound: true }), ...domain };
    const [x, y] = upright ? [category, amount] : [amount, category];
    const size = thick(upright ? context.width - 60 : Math.max(context.height, names.length * BAR) - 30, names.length);
    const layer = [{ mark: { type: "bar", cursor: "pointer", cornerRadiusEnd: visual.color ? 0 : 2, [upright ? "width" : "height"]: size }, encoding: { x, y, color: colored.color, ...(visual.color ? { order: { field: "o", type: "quantitative" } } : {}), tooltip } }];
    const told = rows.filter((row) => ends(context, visual.value, row).length).map((row) => { const [from, to] = ends(context, visual.value, row); return { ...row, from, to }; });
    if (told.length && !visual.color) {
      const [along, end] = upright ? ["y", "y2"] : ["x", "x2"];
      layer.push({ data: values(told), mark: { type: "rule", color: "var(--ink)", strokeWidth: 1.5, aria: false }, encoding: { [upright ? "x" : "y"]: category, [along]: { field: "from", type: "quantitative" }, [end]: { field: "to" } } });
    }
    if (!visual.color && !told.length && (!upright || names.length * widest <= context.width - 60)) {
      const at = upright ? { dy: -7 } : { align: "left", dx: 5 };
      // Those below zero stand on the other side of it, where no name of a category is.
      const from = (sign) => values(labels.filter((row) => (row.m0 < 0 ? -1 : 1) === sign).map((row) => ({ ...row, m0: Math.max(0, row.m0) })));
      for (const sign of [1, -1]) layer.push({ data: from(sign), mark: { type: "text", color: "var(--ink)", fontSize: 12, baseline: "middle", aria: false, ...at }, encoding: { x, y, text: { field: "written" } } });
    }
    return { legend: colored.legend, data: values(rows), layer, height: upright ? context.height : Math.max(context.height, names.length * BAR + 28) };
  },

  combo(visual, context) {
    const lineAt = visual.measures.indexOf(visual.line), { format } = measure(context, visual.bars[0]), other = measure(context, visual.line).format;
    const rows = tipped(visual, context), key = visual.grain ? "at" : "d0";
    const names = visual.grain ? ordered(rows.rows, key) : context.order(visual.x).map((value) => named(value, visual.x));
    const most = Math.max(2, Math.floor((context.width - 120) / (visual.grain ? 56 : 12 + 7 * Math.max(...names.map((name) => name.length))))), step = Math.ceil(names.length / most);
    const x = {
      field: key, type: "ordinal", sort: null, scale: { domain: names, paddingInner: 0.2, paddingOuter: 0.1 },
      axis: { title: counted(context, visual.x), titleAnchor: "end", labelAngle: 0, labelLimit: 100, values: names.filter((_, place) => place % step === 0), ...(visual.grain ? { labelExpr: `sayTick(datum.value, "${visual.grain}")` } : {}) },
    };
    const legend = [...series(context, visual.bars), { name: label(measure(context, visual.line)), color: "var(--ink)", line: true }];
    const bars = rows.rows.flatMap((row) => visual.bars.map((name, place) => ({ ...row, place, value: row[`m${visual.measures.indexOf(name)}`], series: label(measure(context, name)) })));
    const beside = visual.bars.length > 1 && !visual.stacked, parts = (row, sign) => visual.bars.reduce((sum, name) => sum + Math.max(0, sign * row[`m${visual.measures.indexOf(name)}`]), 0);
    const shown = visual.bars.map((name) => label(measure(context, name)));
    const left = span(visual.stacked ? rows.rows.flatMap((row) => [parts(row, 1), -parts(row, -1)]) : bars.map((row) => row.value)), right = span(rows.rows.map((row) => row[`m${lineAt}`])), same = other === format;
    if (same) left.splice(0, 2, ...span([...left, ...right]));
    const below = same ? 0 : Math.max(-left[0] / left[1], -right[0] / right[1], 0), scale = ([low, high]) => ({ domain: same ? [low * 1.05, high * 1.05] : [-below * high * 1.05, high * 1.05], nice: false });
    return {
      legend,
      layer: [
        { data: values(bars), mark: { type: "bar", cursor: visual.grain ? "default" : "pointer", ...(beside ? {} : { width: thick(context.width - 120, names.length, 0.8) }) },
          encoding: { x, ...(beside ? { xOffset: { field: "series", sort: shown } } : {}), y: { field: "value", type: "quantitative", stack: visual.stacked ? "zero" : null, axis: amounts(format), scale: scale(left) }, order: { field: "place" },
            color: { field: "series", type: "nominal", legend: null, scale: { domain: shown, range: shown.map((_, place) => hue(place)) } }, tooltip: rows.tooltip } },
        { data: values(rows.rows), mark: { type: "line", color: "var(--ink)", strokeWidth: 2, point: { size: 30, filled: true, fill: "var(--ink)", stroke: "var(--card)", strokeWidth: 1 } },
          encoding: { x, y: { field: `m${lineAt}`, type: "quantitative", axis: same || rows.rows.every((row) => row[`m${lineAt}`] === null) ? null : amounts(other, { orient: "right", grid: false }), scale: scale(same ? left : right) }, tooltip: rows.tooltip } },
      ],
      resolve: { scale: { y: "independent" } },
    };
  },

  heatmap(visual, context) {
    const { rows, tooltip } = tipped(visual, context), { format } = measure(context, visual.value);
    const [xs, ys] = [0, 1].map((place) => {
      const column = visual.dimensions[place];
      return context.order(column).map((value) => named(value, column));
    });
    const found = rows.map((row) => row.m0).filter((value) => value !== null), low = Math.min(...found, 0), high = Math.max(...found, 0);
    const band = Math.min(...found) > 0 ? [Math.min(...found), high] : [low, high];
    const axis = { title: null, labelAngle: 0, labelLimit: Math.min(150, context.width * 0.36), labelFontSize: context.height / ys.length < 17 ? 11 : 12 };
    const wide = (context.width - 90) / xs.length, every = Math.ceil((7 * Math.max(...xs.map((name) => Math.min(name.length, 10))) + 8) / wide);
    const position = {
      x: { field: "d0", type: "ordinal", scale: { domain: xs }, axis: { ...axis, title: counted(context, visual.x), titleAnchor: "end", titlePadding: 2, orient: "bottom", values: xs.filter((_, place) => place % every === 0) } },
      y: { field: "d1", type: "ordinal", scale: { domain: ys }, axis },
    };
    const middle = band[0] + 0.6 * (band[1] - band[0]), layer = [{
      mark: { type: "rect", cursor: "pointer", fill: "var(--heat)", stroke: "var(--card)", strokeWidth: 1.5, tooltip: true },
      encoding: { ...position, fillOpacity: { field: "m0", type: "quantitative", legend: null, scale: { domain: band, range: [0.1, 1], clamp: true } }, tooltip },
    }];
    if (wide >= 46 && context.height / ys.length >= 20) {
      const told = rows.filter((row) => row.m0 !== null).map((row) => ({ ...row, written: short(row.m0, format), strong: row.m0 > middle }));
      for (const [strong, color] of [[true, "var(--on-heat)"], [false, "var(--ink)"]]) {
        layer.push({ data: values(told.filter((row) => row.strong === strong)), mark: { type: "text", color, fontSize: 11, aria: false, tooltip: false }, encoding: { ...position, text: { field: "written" } } });
      }
    }
    return { data: values(rows), layer, height: Math.max(context.height, ys.length * 12 + (counted(context, visual.x) ? 42 : 26)) };
  },

  scatter(visual, context) {
    const { rows, tooltip } = tipped(visual, context), [x, y] = [visual.x, visual.y].map((name) => measure(context, name));
    const sized = visual.size ? { size: { field: `m${visual.measures.indexOf(visual.size)}`, type: "quantitative", legend: null, scale: { range: [30, 420] } } } : { size: { value: 64 } };
    const colored = visual.color ? colors(visual, context, 1) : { legend: [], color: { value: hue(0) } };
    const at = [`m${visual.measures.indexOf(visual.x)}`, `m${visual.measures.indexOf(visual.y)}`];
    const ticks = { tickCount: Math.max(2, Math.floor(context.width / 100)), labelBound: true, titleAnchor: "end" };
    const position = (fields) => ({
      x: { field: fields[0], type: "quantitative", axis: amounts(x.format, { title: label(x), ...ticks }), scale: { zero: false, nice: true } },
      y: { field: fields[1], type: "quantitative", axis: amounts(y.format, { title: label(y), titleAngle: 0, titleAlign: "left", titleBaseline: "bottom", titleAnchor: "end", titleX: -44, titleY: -8 }), scale: { zero: false, nice: true } },
    });
    const whole = rows.filter((row) => row[at[0]] !== null && row[at[1]] !== null);
    const layer = [], blocked = [];
    if (visual.break_even && whole.length) {
      const xs = whole.map((row) => row[at[0]]), low = Math.min(...xs), high = Math.max(...xs), to = (value) => (visual.break_even === "equal" ? value : 0);
      const line = [{ x: low, y: to(low) }, { x: high, y: to(high), name: visual.break_even === "equal" ? words().break_even : words().zero }];
      blocked.push(line[1]);
      layer.push({ data: values(line), mark: { type: "line", color: "var(--quiet)", strokeDash: [5, 4], strokeWidth: 1.5, aria: false }, encoding: position(["x", "y"]) });
      layer.push({ data: values(line.slice(1)), mark: { type: "text", color: "var(--quiet)", align: "right", dy: -8, fontSize: 12, aria: false }, encoding: { ...position(["x", "y"]), text: { field: "name" } } });
    }
    layer.push({ data: values(whole), mark: { type: "point", filled: true, opacity: 0.75, stroke: "var(--card)", strokeWidth: 0.5, cursor: "pointer" }, encoding: { ...position(at), ...sized, color: colored.color, tooltip } });
    const labels = apart(whole, at, context, blocked);
    for (const [align, dx] of [["left", 9], ["right", -9]]) {
      const beside = labels.filter((row) => row.align === align);
      if (beside.length) layer.push({ data: values(beside), mark: { type: "text", color: "var(--ink)", align, baseline: "middle", dx, fontSize: 11, aria: false }, encoding: { ...position(at), text: { field: "d0" } } });
    }
    return { legend: colored.legend, layer };
  },

  waterfall(visual, context) {
    const row = context.answered.rows[0], { format } = measure(context, visual.steps[0].value), bars = [];
    let sum = 0;
    for (const [place, { value, subtract }] of visual.steps.entries()) {
      const change = (row[value] ?? 0) * (subtract ? -1 : 1), name = label(measure(context, value));
      bars.push({ i: 0, name, from: sum, to: sum + change, kind: place === 0 ? "whole" : change < 0 ? "down" : "up", written: `${place && change > 0 ? "+" : ""}${short(change, format)}`, told: exact(change, format) });
      sum += change;
    }
    bars.push({ i: 0, name: text(visual.total), from: 0, to: sum, kind: "whole", written: short(sum, format), told: exact(sum, format) });
    bars.forEach((bar, place) => { bar.top = Math.max(bar.from, bar.to); bar.next = bars[Math.min(place + 1, bars.length - 1)].name; });
    const lying = context.width < 90 * bars.length, longest = Math.max(...bars.map((bar) => bar.name.length));
    const all = bars.flatMap((bar) => [bar.from, bar.to]), low = Math.min(0, ...all), high = Math.max(0, ...all), plot = Math.max(120, context.width - Math.min(7 * longest, context.width * 0.45) - 20), room = (high - low) * (lying ? 96 / Math.max(60, plot - 96) : 0.1);
    const step = { field: "name", type: "nominal", sort: null, scale: { domain: bars.map((bar) => bar.name), paddingInner: 0.3 }, axis: { title: null, labelAngle: 0, labelLimit: lying ? context.width * 0.45 : Math.max(60, context.width / bars.length - 6), ...(lying ? {} : { labelExpr: "sayLines(datum.label)" }) } };
    const amount = (field) => ({ field, type: "quantitative", axis: amounts(format, lying ? { tickCount: Math.max(2, Math.floor(plot / 110)), labelBound: true } : {}), scale: { domain: [low < 0 ? low - (high - low) * 0.03 : 0, high + room], nice: false } });
    const place = (field) => (lying ? { y: step, x: amount(field) } : { x: step, y: amount(field) });
    const tooltip = [{ field: "told", title: " ", type: "nominal" }];
    return {
      data: values(bars),
      height: lying ? Math.max(context.height, bars.length * 28) : context.height,
      layer: [
        { mark: { type: "bar" }, encoding: { ...place("from"), [lying ? "x2" : "y2"]: { field: "to" },
          color: { field: "kind", type: "nominal", legend: null, scale: { domain: ["whole", "up", "down"], range: ["var(--hue-0)", "var(--good)", "var(--bad)"] } }, tooltip: [{ field: "name", title: "title", type: "nominal" }, ...tooltip] } },
        { mark: { type: "text", color: "var(--ink)", fontSize: 12, aria: false, ...(lying ? { align: "left", dx: 5 } : { dy: -8 }) }, encoding: { ...place("top"), text: { field: "written" } } },
      ],
    };
  },

  fan(visual, context) {
    const at = (name) => `m${visual.measures.indexOf(name)}`, { format } = measure(context, visual.mid), y = (field, more = {}) => ({ field, type: "quantitative", axis: amounts(format), ...more });
    const x = times(visual, context), some = (field) => context.drawn.filter((row) => row[field] !== null), ahead = some(at(visual.low)).filter((row) => row[at(visual.high)] !== null);
    return {
      legend: [
        { name: label(measure(context, visual.actual)), color: "var(--ink)", line: true },
        { name: label(measure(context, visual.mid)), color: "var(--hue-0)", line: true },
        { name: words().interval, color: "var(--band)" },
      ],
      layer: [
        { data: values(ahead), mark: { type: "area", color: "var(--band)" }, encoding: { x, y: y(at(visual.low)), y2: { field: at(visual.high) } } },
        { data: values(some(at(visual.mid))), mark: { type: "line", color: "var(--hue-0)", strokeWidth: 2, strokeDash: [6, 3] }, encoding: { x, y: y(at(visual.mid)) } },
        { data: values(some(at(visual.actual))), mark: { type: "line", color: "var(--ink)", strokeWidth: 2 }, encoding: { x, y: y(at(visual.actual)) } },
        moments(visual, context),
      ],
    };
  },
};

// Names beside points, as far as they lie apart from each other and from other points; the rightmost first.
function apart(rows, [x, y], { width, height }, blocked) {
  if (rows.length > 60) return [];
  const at = (field, space) => { const all = rows.map((row) => row[field]), low = Math.min(...all), high = Math.max(...all); return (value) => ((value - low) / (high - low || 1)) * space; };
  const across = at(x, width - 90), up = at(y, height - 60), points = rows.map((row) => ({ row, left: across(row[x]), top: up(row[y]) }));
  const taken = points.map((one) => ({ of: one, left: one.left - 8, right: one.left + 8, low: one.top - 8, high: one.top + 8 }));
  for (const one of blocked) taken.push({ left: across(one.x) - 7 * one.name.length, right: across(one.x), low: up(one.y) - 4, high: up(one.y) + 24 });
  const found = [];
  for (const one of points.toSorted((a, b) => b.left - a.left)) {
    if (one.row.d0.length > 30) continue;
    const long = 14 + 6.5 * one.row.d0.length, align = one.left + long > width - 60 ? "right" : "left";
    const [left, right] = align === "left" ? [one.left + 6, one.left + long] : [one.left - long, one.left - 6], box = { of: one, left, right, low: one.top - 8, high: one.top + 8 };
    if (box.left < 0 || taken.some((other) => other.of !== one && other.left < box.right && other.right > box.left && other.low < box.high && other.high > box.low)) continue;
    taken.push(box);
    found.push({ ...one.row, align });
  }
  return found;
}

// Numbers need the name of what they count.
function counted({ data }, column) {
  const numbers = column in data.labels && data.dimensions[column].values.some((value) => typeof value === "number" && named(value, column) === String(value));
  return numbers ? text(data.labels[column]) : null;
}

function ends(context, name, drawn) {
  return context.answered.intervals[drawn.i]?.[name] ?? [];
}
