// The files that finished tasks give: real pictures, clips and sounds of a few kilobytes, each with bytes of its
// own, so that a test can see which one was delivered. The two samples were made with FFmpeg 9: one second of
// one colour (H.264 baseline, 320×180) with a 440 Hz tone (AAC), and the same tone as MP3. Keeps nothing.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createPng, type Rgb } from '../png.ts';
import type { MediaKind } from './models.ts';
import type { PictureSize } from './order-yield.ts';

export const fileTypes = {
  image: { extension: 'png', contentType: 'image/png' },
  video: { extension: 'mp4', contentType: 'video/mp4' },
  audio: { extension: 'mp3', contentType: 'audio/mpeg' },
} as const satisfies Record<MediaKind, { extension: string; contentType: string }>;

export interface ResultFiles {
  /** The same bytes for the same arguments. */
  bytesOf(kind: MediaKind, name: string, size: PictureSize): Buffer;
}

export async function readResultFiles(): Promise<ResultFiles> {
  const [clip, track] = await Promise.all(
    ['clip.mp4', 'track.mp3'].map(name => readFile(new URL(`./samples/${name}`, import.meta.url))),
  );
  if (!clip || !track) throw new Error('The KIE stand-in lacks a sample file');
  return {
    bytesOf(kind, name, size) {
      switch (kind) {
        case 'image':
          return createPng(size.width, size.height, colourOf(name));
        case 'video':
          return Buffer.concat([clip, freeBox(name)]);
        case 'audio':
          return Buffer.concat([titleTag(name), track]);
      }
    },
  };
}

/** Each picture has its own colour, so that the eye can distinguish results. */
function colourOf(name: string): Rgb {
  const digest = createHash('sha256').update(name).digest();
  return [digest.readUInt8(0), digest.readUInt8(1), digest.readUInt8(2)];
}

/** A box that MP4 players skip (ISO/IEC 14496-12, 8.1.2): its length, its type, anything. */
function freeBox(content: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + Buffer.byteLength(content));
  head.write('free', 4, 'latin1');
  return Buffer.concat([head, Buffer.from(content)]);
}

/** An ID3v2.3 tag with the title only. Its own length has seven bits a byte, that of the frame eight. */
function titleTag(title: string): Buffer {
  const text = Buffer.from(`\0${title}`, 'latin1');
  const frame = Buffer.alloc(10);
  frame.write('TIT2', 'latin1');
  frame.writeUInt32BE(text.length, 4);
  const head = Buffer.from('ID3\x03\0\0\0\0\0\0', 'latin1');
  const size = frame.length + text.length;
  head.writeUInt8(size >> 7, 8);
  head.writeUInt8(size & 0x7f, 9);
  return Buffer.concat([head, frame, text]);
}
