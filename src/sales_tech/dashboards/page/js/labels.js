// Names beside points, as far as they lie apart from each other and from other points.
const CROWDED = 60;
const LONGEST = 30;
const LETTER = 6.5;
const HALF = 8; // of the height of a line, and of the width of a point

// The rows that get a name, each with the side of its alignment; no name stands on those of the lines, or is crossed by a flat one.
export function apart(rows, [x, y], { width, height }, lines) {
  if (rows.length > CROWDED) return [];
  const across = scaleOf(rows.map((row) => row[x]), width - 90);
  const up = scaleOf(rows.map((row) => row[y]), height - 60);
  const points = rows.map((row) => ({ row, left: across(row[x]), top: up(row[y]) }));
  const taken = [...points.map(pointBox), ...lines.flatMap((line) => lineBoxes(line, across, up))];
  const found = [];
  // To the right of the rightmost there are the fewest others.
  for (const point of points.toSorted((one, other) => other.left - one.left)) {
    if (point.row.d0.length > LONGEST) continue;
    const { align, box } = labelOf(point, width);
    if (box.left < 0 || taken.some((other) => other.of !== point && overlaps(other, box))) continue;
    taken.push(box);
    found.push({ ...point.row, align });
  }
  return found;
}

function scaleOf(all, space) {
  const low = Math.min(...all);
  const high = Math.max(...all);
  return (value) => ((value - low) / (high - low || 1)) * space;
}

function pointBox(point) {
  const { left, top } = point;
  return { of: point, left: left - HALF, right: left + HALF, low: top - HALF, high: top + HALF };
}

function lineBoxes({ begin, end }, across, up) {
  const right = across(end.x), low = up(end.y);
  const name = { left: right - 7 * end.name.length, right, low: low - 4, high: low + 24 };
  return begin.y === end.y ? [name, { left: across(begin.x), right, low: low - 1, high: low + 1 }] : [name];
}

function labelOf(point, width) {
  const { row, left, top } = point;
  const long = 14 + LETTER * row.d0.length;
  const align = left + long > width - 60 ? "right" : "left";
  const sides = align === "left" ? { left: left + 6, right: left + long } : { left: left - long, right: left - 6 };
  return { align, box: { of: point, ...sides, low: top - HALF, high: top + HALF } };
}

const overlaps = (one, other) => one.left < other.right && one.right > other.left && one.low < other.high && one.high > other.low;
