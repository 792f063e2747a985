// Owns the reading of a picture's width and height from the header of a PNG or JPEG file, which is all that the sandbox
// must know of a picture. It promises `undefined` for anything else, a cut-off file included.
// It does not decode pixels: a broken body behind a good header passes.

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PNG_HEADER_BYTES = 24;
const JPEG_START = 0xffd8;

/** The size in pixels, or undefined when the bytes are neither PNG nor JPEG. */
export function readImageSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.length >= PNG_HEADER_BYTES && bytes.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) {
    return positive(bytes.readUInt32BE(16), bytes.readUInt32BE(20));
  }
  return bytes.length >= 4 && bytes.readUInt16BE(0) === JPEG_START ? readJpegSize(bytes) : undefined;
}

/** Walks the segments (marker, length, data) up to the frame header, which holds the size. */
function readJpegSize(bytes: Buffer): ImageSize | undefined {
  let position = 2;
  while (position + 9 <= bytes.length) {
    const marker = bytes.readUInt16BE(position);
    if (marker >> 8 !== 0xff) return undefined;
    if (marker === 0xffff) {
      position += 1; // any number of fill bytes may stand before a marker
      continue;
    }
    if (isFrameHeader(marker)) {
      return positive(bytes.readUInt16BE(position + 7), bytes.readUInt16BE(position + 5));
    }
    position += 2 + bytes.readUInt16BE(position + 2);
  }
  return undefined;
}

/** SOF0–SOF15 without DHT (c4), JPG (c8) and DAC (cc), which lie between them. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xffc0 && marker <= 0xffcf && marker !== 0xffc4 && marker !== 0xffc8 && marker !== 0xffcc;
}

function positive(width: number, height: number): ImageSize | undefined {
  return width > 0 && height > 0 ? { width, height } : undefined;
}
