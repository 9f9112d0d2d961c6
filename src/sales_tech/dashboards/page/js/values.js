// The values of a dashboard's dimensions, over all its data sets.
const partsOf = (dashboard, column) => (
  Object.values(dashboard.data).filter((data) => column in data.labels && data.dimensions[column]).map((data) => data.dimensions[column])
);

// Names by the alphabet, accents and all; what is not told stands last.
export function ascending(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  return typeof one === "string" ? one.localeCompare(other) : one - other;
}

// All values of a dimension, in their order.
export function valuesOf(dashboard, column) {
  const found = [...new Set(partsOf(dashboard, column).flatMap((part) => part.values))];
  return inOrder(dashboard, column, found.sort(ascending));
}

// Codes of a data set that are chosen by filters of one value.
export function chosenCodes(dashboard, data, values) {
  const columns = dashboard.single.filter((column) => values[column] && column in data.labels && data.dimensions[column]);
  return columns.map((column) => {
    const part = data.dimensions[column];
    return { codes: part.codes, wanted: part.values.indexOf(values[column][0]) };
  });
}

// The values of a dimension beside those that are chosen by filters of one value.
export function offered(dashboard, column, values) {
  const found = new Set(values[column]);
  for (const data of Object.values(dashboard.data)) {
    const part = column in data.labels && data.dimensions[column];
    if (!part) continue;
    const only = chosenCodes(dashboard, data, values);
    part.codes.forEach((code, row) => {
      if (only.every(({ codes, wanted }) => codes[row] === wanted) && code < part.values.length) found.add(part.values[code]);
    });
  }
  return inOrder(dashboard, column, [...found].sort(ascending));
}

// Values that the specification has words for stand in the order of those, before the others.
export function inOrder(dashboard, column, values) {
  const known = Object.keys(dashboard.words[column] ?? {});
  const rank = (value) => (known.includes(String(value)) ? known.indexOf(String(value)) : known.length);
  return values.toSorted((one, other) => rank(one) - rank(other));
}

// The value with the most rows.
export function commonest(dashboard, column) {
  const counts = new Map();
  for (const { codes, values } of partsOf(dashboard, column)) {
    for (const code of codes) {
      if (code < values.length) counts.set(values[code], (counts.get(values[code]) ?? 0) + 1);
    }
  }
  return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0];
}

export function labelOf(dashboard, column) {
  const filter = dashboard.filters.find((one) => one.column === column);
  return filter ? filter.label : Object.values(dashboard.data).find((data) => column in data.labels).labels[column];
}
