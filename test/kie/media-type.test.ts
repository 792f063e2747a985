import { expect, test } from 'vitest';
import { extensionOf, sniffMediaType } from '../../src/kie/media-type.ts';

const bytes = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(
    parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );
const size = [1, 2, 3, 4] as const;

test.each([
  ['image/png', bytes([0x89], 'PNG\r\n', [0x1a], '\n', size)],
  ['image/jpeg', bytes([0xff, 0xd8, 0xff, 0xe0])],
  ['image/gif', bytes('GIF87a')],
  ['image/gif', bytes('GIF89a')],
  ['image/webp', bytes('RIFF', size, 'WEBPVP8 ')],
  ['image/avif', bytes(size, 'ftypavif')],
  ['video/mp4', bytes(size, 'ftypisom')],
  ['video/mp4', bytes(size, 'ftypmp42')],
  ['video/quicktime', bytes(size, 'ftypqt  ')],
  ['video/webm', bytes([0x1a, 0x45, 0xdf, 0xa3], size, [0x42, 0x82, 0x84], 'webm')],
  ['video/x-matroska', bytes([0x1a, 0x45, 0xdf, 0xa3], size, [0x42, 0x82, 0x88], 'matroska')],
  ['audio/mp4', bytes(size, 'ftypM4A ')],
  ['audio/mpeg', bytes('ID3', size)],
  ['audio/mpeg', bytes([0xff, 0xfb, 0x90, 0x64])],
  ['audio/mpeg', bytes([0xff, 0xf3, 0x40, 0xc0])],
  ['audio/wav', bytes('RIFF', size, 'WAVEfmt ')],
  ['audio/ogg', bytes('OggS', size)],
] as const)('%s is known by its first bytes', (type, head) => {
  expect(sniffMediaType(head)).toBe(type);
});

test.each([
  ['nothing', bytes()],
  ['text', bytes('hello')],
  ['a page', bytes('<!doctype html>')],
  ['a PNG cut short', bytes([0x89], 'PNG')],
  ['another RIFF', bytes('RIFF', size, 'AVI ')],
  ['raw AAC', bytes([0xff, 0xf1, 0x50, 0x80])],
  ['set bits', bytes([0xff, 0xff, 0xff, 0xff])],
  ['a signature that comes too late', bytes('x', [0xff, 0xd8, 0xff])],
] as const)('%s is no kind we know', (_name, head) => {
  expect(sniffMediaType(head)).toBeUndefined();
});

test('an ending is that of the type, whatever its case and parameters', () => {
  expect(extensionOf('Audio/MPEG; rate=44100')).toBe('.mp3');
  expect(extensionOf('application/x-odd')).toBe('');
  expect(extensionOf('')).toBe('');
});
