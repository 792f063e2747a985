// Owns one thing: drawing a real PNG of one colour, so that the sandbox and the tests have picture bytes that every
// decoder accepts without a picture file in the repository.
// Promises a valid file (signature, IHDR, IDAT, IEND, correct checksums) that is the same for the same arguments.
// Does not draw anything but one flat colour and does not read pictures (that is telegram/image-size.ts).
import { crc32, deflateSync } from 'node:zlib';

/** Red, green and blue, each 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number];

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BIT_DEPTH = 8;
const COLOUR_TYPE_RGB = 2;
const BYTES_PER_PIXEL = 3;

/**
 * Returns the bytes of a PNG file of `width` × `height` pixels, all of them of the colour `rgb`.
 * Throws a RangeError when a side is not a positive integer or a colour part is not 0–255.
 */
export function createPng(width: number, height: number, rgb: Rgb): Buffer {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1) throw new RangeError(`not a picture side in pixels: ${side}`);
  }
  for (const part of rgb) {
    if (!Number.isInteger(part) || part < 0 || part > 255) throw new RangeError(`not a colour part: ${part}`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(BIT_DEPTH, 8);
  header.writeUInt8(COLOUR_TYPE_RGB, 9);

  // Each row begins with its filter type; 0 means that the pixels follow as they are.
  const row = Buffer.alloc(1 + width * BYTES_PER_PIXEL);
  row.fill(Buffer.from(rgb), 1);
  const pixels = Buffer.alloc(row.length * height, row);

  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A chunk is its length, its type, its data and a checksum over type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
