// Reads what encoding.py wrote: a header, and arrays by their offsets.
export async function unpacked(id) {
  const compressed = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

const ARRAYS = { i1: Int8Array, i2: Int16Array, i4: Int32Array, f8: Float64Array };

// The first bytes of all numbers stand together, then the second ones, and so on.
function array(bytes, start, rows, part) {
  const kind = ARRAYS[part.type];
  const size = kind.BYTES_PER_ELEMENT;
  const whole = new Uint8Array(rows * size);
  let at = start + part.at;
  for (let plane = 0; plane < size; plane++) {
    for (let row = 0; row < rows; row++) whole[row * size + plane] = bytes[at++];
  }
  return new kind(whole.buffer);
}

// Numbers stay whole while they are summed, and are divided by their scale at the end; no number stands for null.
function numbers(bytes, start, rows, part) {
  const stored = array(bytes, start, rows, part);
  if (part.type === "f8") return { scale: part.scale, values: stored };
  const none = -(2 ** (8 * stored.BYTES_PER_ELEMENT - 1));
  return { scale: part.scale, values: Float64Array.from(stored, (value) => (value === none ? NaN : value)) };
}

export function read(buffer) {
  const bytes = new Uint8Array(buffer);
  const start = 4 + new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  for (const data of header.dashboards.flatMap((dashboard) => Object.values(dashboard.data))) {
    for (const part of Object.values(data.dimensions)) part.codes = array(bytes, start, data.rows, part);
    for (const [name, part] of Object.entries(data.sums)) data.sums[name] = numbers(bytes, start, data.rows, part);
    data.counted = numbers(bytes, start, data.rows, data.counted).values;
  }
  return header;
}
