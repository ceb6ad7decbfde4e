/** A picture that a browser counts as one: noise that does not compress away. */
import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Eight bits of grey a pixel. */
const GREY = [8, 0, 0, 0, 0];

/** @returns a PNG, the same for the same size. */
export function buildPicture(width: number, height: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  // Each row begins with its filter: none.
  const pixels = Buffer.alloc(height * (width + 1));
  for (let row = 0, noise = 1; row < height; row++) {
    for (let column = 1; column <= width; column++) {
      noise = (noise * 48_271) % 0x7fffffff;
      pixels[row * (width + 1) + column] = (row >> 1) + (noise & 7);
    }
  }
  return Buffer.concat([
    SIGNATURE,
    buildChunk("IHDR", Buffer.from([...header, ...GREY])),
    buildChunk("IDAT", deflateSync(pixels)),
    buildChunk("IEND", Buffer.alloc(0)),
  ]);
}

function buildChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, check]);
}
