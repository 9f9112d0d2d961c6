// A figure beside that of the months before.
import { before } from "./answers.js";
import { exact, headline, monthOf, month, points, share, short } from "./formats.js";
import { current, days, span } from "./state.js";
import { make } from "./tables.js";
import { words } from "./words.js";

export function figure(visual, data, { rows, intervals }, chosen) {
  const measure = data.measures[visual.value], value = rows[0][visual.value];
  const told = [make("p", { class: "value", title: exact(value, measure.format) }, headline(value, measure.format))];
  const ends = intervals[0]?.[visual.value];
  if (ends) told.push(make("p", { class: "interval" }, `${words().interval}: ${short(ends[0], measure.format)} ${words().to_value} ${short(ends[1], measure.format)}`));
  if (rows.length > 1) told.push(compared(measure, value, rows[1][visual.value], data, chosen));
  return told;
}

function compared(measure, now, then, data, chosen) {
  const past = before(chosen), [first] = past.months, known = days(current(), data, chosen.values), count = past.months[1] - first + 1;
  const name = words().before(count), whole = `${span(past.months)}`;
  const line = (tone, ...parts) => make("p", { class: `change ${tone}`, title: whole }, ...parts);
  if (known && monthOf(known[0]) > first) return line("even", words().nothing_before({ first: month(monthOf(known[0])) }));
  if (now === null || then === null || then === 0) return line("even", words().no_value_before({ before: name }));
  const change = measure.format === "percent" ? now - then : (now - then) / Math.abs(then);
  const rounded = Math.round(change * 1000);
  const tone = rounded === 0 || !measure.good ? "even" : change > 0 === (measure.good === "up") ? "better" : "worse";
  const arrow = rounded === 0 ? "●" : change > 0 ? "▲" : "▼", amount = measure.format === "percent" ? points(change) : share(change, true);
  const word = rounded === 0 ? words().unchanged : tone === "even" ? "" : words()[tone];
  const strong = make("strong", {}, make("span", { "aria-hidden": "true" }, `${arrow} `), `${amount}${word ? `, ${word}` : ""}`);
  return line(tone, strong, ` ${words().against({ before: name, value: headline(then, measure.format) })}`);
}
