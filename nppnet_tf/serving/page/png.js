/**
 * The two things that are done to label maps in PNG: reading their labels, and
 * giving them a palette.
 *
 * A canvas would read them, too, but browsers that guard against recognizing
 * their users change a few of its values, and a changed label is another part.
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const HEADER_BYTES = 13;
const GRAY = 0;
const PALETTE = 3;

/**
 * @typedef {Object} Chunk
 * @property {string} type Four letters.
 * @property {Uint8Array} data
 */

/**
 * Reads a gray PNG of eight bits, as TensorFlow writes them.
 *
 * @param {Uint8Array} bytes The file.
 * @return {Promise<{width: number, height: number, labels: Uint8Array}>}
 */
export async function readGray(bytes) {
  const chunks = readChunks(bytes);
  const header = chunks[0].data;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bits, color, , , interlaced] = header.subarray(8);
  if (bits !== 8 || color !== GRAY || interlaced) {
    throw new Error("the label map is no gray PNG of eight bits");
  }
  const packed = chunks.filter((chunk) => chunk.type === "IDAT");
  const stream = new Blob(packed.map((chunk) => chunk.data))
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(stream).arrayBuffer());
  if (rows.length !== height * (width + 1)) {
    throw new Error("the label map is not whole");
  }
  return {width, height, labels: unfiltered(rows, width, height)};
}

/**
 * Makes a gray PNG one with a palette: levels become indices, unpacked never.
 *
 * @param {Uint8Array} bytes A gray PNG of eight bits.
 * @param {number[][]} palette [red, green, blue] of every class.
 * @return {Uint8Array} The file.
 */
export function withPalette(bytes, palette) {
  const chunks = readChunks(bytes);
  const header = chunks[0].data.slice();
  header[9] = PALETTE;
  // Readers refuse indices without a color.
  const colors = new Uint8Array(256 * 3);
  palette.forEach((color, index) => colors.set(color, 3 * index));
  return writeChunks([
    {type: "IHDR", data: header},
    {type: "PLTE", data: colors},
    ...chunks.filter((chunk) => chunk.type === "IDAT"),
    {type: "IEND", data: new Uint8Array()},
  ]);
}

/**
 * Writes labels as a gray PNG, for servers that send numbers.
 *
 * @param {{width: number, height: number, labels: Uint8Array}} labelMap
 * @return {Promise<Uint8Array>} The file.
 */
export async function writeGray({width, height, labels}) {
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; ++y) {
    rows.set(
      labels.subarray(y * width, (y + 1) * width),
      y * (width + 1) + 1,
    );
  }
  const stream = new Blob([rows])
    .stream()
    .pipeThrough(new CompressionStream("deflate"));
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, GRAY], 8);
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  return writeChunks([
    {type: "IHDR", data: header},
    {type: "IDAT", data: packed},
    {type: "IEND", data: new Uint8Array()},
  ]);
}

/** @param {Uint8Array} bytes @return {Chunk[]} Chunks; the header first. */
function readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = [];
  for (let start = SIGNATURE.length; start + 12 <= bytes.length; ) {
    const length = view.getUint32(start);
    chunks.push({
      type: String.fromCharCode(...bytes.subarray(start + 4, start + 8)),
      data: bytes.subarray(start + 8, start + 8 + length),
    });
    start += length + 12;
  }
  if (chunks[0]?.type !== "IHDR" || chunks.at(-1).type !== "IEND") {
    throw new Error("the label map is no whole PNG");
  }
  return chunks;
}

/** @param {Chunk[]} chunks @return {Uint8Array} A file. */
function writeChunks(chunks) {
  const sizes = chunks.map((chunk) => chunk.data.length + 12);
  const total = sizes.reduce((sum, size) => sum + size, SIGNATURE.length);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes.set(SIGNATURE);
  let start = SIGNATURE.length;
  for (const {type, data} of chunks) {
    view.setUint32(start, data.length);
    bytes.set([...type].map((letter) => letter.charCodeAt(0)), start + 4);
    bytes.set(data, start + 8);
    const end = start + 8 + data.length;
    view.setUint32(end, checksum(bytes.subarray(start + 4, end)));
    start = end + 4;
  }
  return bytes;
}

/** Remainders of bytes by the polynomial of CRC-32. */
const REMAINDERS = Uint32Array.from({length: 256}, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; ++bit) {
    value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  }
  return value;
});

/** @param {Uint8Array} bytes @return {number} CRC-32. */
function checksum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = REMAINDERS[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * Undoes the filters of rows: what a byte is added to.
 *
 * @param {Uint8Array} rows Rows, each behind the number of its filter.
 * @param {number} width
 * @param {number} height
 * @return {Uint8Array} [height * width].
 */
function unfiltered(rows, width, height) {
  const result = new Uint8Array(width * height);
  const zeros = new Uint8Array(width);
  for (let y = 0; y < height; ++y) {
    const filter = rows[y * (width + 1)];
    const source = rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1));
    const above = y ? result.subarray((y - 1) * width, y * width) : zeros;
    const row = result.subarray(y * width, (y + 1) * width);
    for (let x = 0; x < width; ++x) {
      const left = x ? row[x - 1] : 0;
      const corner = x ? above[x - 1] : 0;
      row[x] = source[x] + predicted(filter, left, above[x], corner);
    }
  }
  return result;
}

/**
 * @param {number} filter 0 to 4: none, left, above, mean, Paeth's.
 * @param {number} left Byte on the left.
 * @param {number} above Byte above.
 * @param {number} corner Byte above on the left.
 * @return {number}
 */
function predicted(filter, left, above, corner) {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const distances = [above - corner, left - corner].map(Math.abs);
      const far = Math.abs(left + above - 2 * corner);
      if (distances[0] <= distances[1] && distances[0] <= far) {
        return left;
      }
      return distances[1] <= far ? above : corner;
    }
    default:
      throw new Error("the label map has a filter that PNG does not know");
  }
}
