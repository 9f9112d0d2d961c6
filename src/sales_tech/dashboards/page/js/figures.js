// A figure beside that of the months before.
import { before } from "./answers.js";
import { month, monthOf, span } from "./days.js";
import { hidden, make } from "./elements.js";
import { change, difference, exact, headline, points, short } from "./formats.js";
import { days } from "./periods.js";
import { current } from "./state.js";
import { words } from "./words.js";

export function figure(visual, data, { rows, intervals }, chosen) {
  const measure = data.measures[visual.value];
  const value = rows[0][visual.value];
  const ends = intervals[0]?.[visual.value];
  return [
    make("p", { class: "value", title: exact(value, measure.format) }, headline(value, measure.format)),
    ...(ends ? [interval(ends, measure.format)] : []),
    ...(rows.length > 1 ? [compared(measure, value, rows[1][visual.value], data, chosen)] : []),
  ];
}

function interval([low, high], format) {
  return make("p", { class: "interval" }, `${words().interval}: ${short(low, format)} ${words().to_value} ${short(high, format)}`);
}

function compared(measure, now, then, data, chosen) {
  const { months } = before(chosen);
  const [first, last] = months;
  const name = words().before(last - first + 1);
  const line = (tone, ...parts) => make("p", { class: `change ${tone}`, title: span(months) }, ...parts);
  const known = days(current(), data, chosen.values);
  if (known && monthOf(known[0]) > first) return line("even", words().nothing_before({ first: month(monthOf(known[0])) }));
  if (now === null || then === null || then === 0) return line("even", words().no_value_before({ before: name }));
  const { tone, arrow, said } = changeOf(measure, now, then);
  const against = words().against({ before: name, value: headline(then, measure.format) });
  return line(tone, make("strong", {}, hidden(`${arrow} `), said), ` ${against}`);
}

// Shares and ratios are compared by their difference, and so is what was below zero, of which a part means nothing;
// everything else is compared by its part of what was.
function changeOf(measure, now, then) {
  const isShare = measure.format === "percent";
  const found = isShare ? now - then : (now - then) / Math.abs(then);
  const amount = isShare ? points(found) : changed(measure.format, now, then);
  if (Math.round(found * 1000) === 0) return { tone: "even", arrow: "●", said: `${amount}, ${words().unchanged}` };
  const arrow = found > 0 ? "▲" : "▼";
  if (!measure.good) return { tone: "even", arrow, said: amount };
  const tone = found > 0 === (measure.good === "up") ? "better" : "worse";
  return { tone, arrow, said: `${amount}, ${words()[tone]}` };
}

const changed = (format, now, then) => (
  format === "ratio" || then < 0 ? difference(now - then, format) : change((now - then) / then)
);
