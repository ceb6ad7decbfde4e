/** Reads a PNG as the press writes it: 8 bits a channel, RGB or RGBA, not interlaced. */

export interface Image {
  width: number;
  height: number;
  /** `#rrggbb`. @throws {Error} where it is not opaque */
  at(x: number, y: number): string;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export async function readPng(file: ArrayBuffer): Promise<Image> {
  const bytes = new Uint8Array(file);
  const view = new DataView(file);
  if (SIGNATURE.some((byte, index) => bytes[index] !== byte)) throw new Error("not a PNG");
  const chunks: { type: string; data: Uint8Array }[] = [];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + view.getUint32(at)) });
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, color, , , interlace] = bytes.subarray(24);
  if (depth !== 8 || interlace !== 0 || (color !== 2 && color !== 6)) throw new Error("not a PNG of this form");
  const channels = color === 2 ? 3 : 4;
  const packed = new Blob(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const raw = await new Response(packed.stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  const pixels = unfilter(new Uint8Array(raw), width * channels, height, channels);
  return {
    width,
    height,
    at(x, y) {
      const start = (y * width + x) * channels;
      const [red, green, blue, alpha = 255] = pixels.subarray(start, start + channels);
      if (alpha !== 255) throw new Error(`not opaque at ${x}, ${y}`);
      return `#${[red!, green!, blue!].map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
    },
  };
}

/** PNG's filters 0 to 4 (RFC 2083, 6). */
function unfilter(raw: Uint8Array, length: number, rows: number, step: number): Uint8Array {
  const out = new Uint8Array(length * rows);
  for (let row = 0; row < rows; row++) {
    const filter = raw[row * (length + 1)]!;
    for (let column = 0; column < length; column++) {
      const at = row * length + column;
      const left = column >= step ? out[at - step]! : 0;
      const up = row > 0 ? out[at - length]! : 0;
      const corner = row > 0 && column >= step ? out[at - length - step]! : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
      out[at] = raw[row * (length + 1) + 1 + column]! + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (toLeft! <= toUp! && toLeft! <= toCorner!) return left;
  return toUp! <= toCorner! ? up : corner;
}
