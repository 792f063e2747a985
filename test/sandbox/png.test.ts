import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createPng } from '../../sandbox/png.ts';

describe('createPng', () => {
  it('writes the signature, the size and pixels of the colour that was asked for', () => {
    const png = createPng(3, 2, [10, 20, 30]);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([3, 2]);
    const dataLength = png.readUInt32BE(33);
    expect(png.subarray(37, 41).toString()).toBe('IDAT');
    const pixels = inflateSync(png.subarray(41, 41 + dataLength));
    const row = [0, 10, 20, 30, 10, 20, 30, 10, 20, 30];
    expect([...pixels]).toEqual([...row, ...row]);
  });

  it('ends with the chunk and the checksum that every PNG ends with', () => {
    expect(createPng(1, 1, [0, 0, 0]).subarray(-12).toString('hex')).toBe('0000000049454e44ae426082');
  });

  it('refuses sides and colours that no picture has', () => {
    expect(() => createPng(0, 1, [0, 0, 0])).toThrow(RangeError);
    expect(() => createPng(1, 1.5, [0, 0, 0])).toThrow(RangeError);
    expect(() => createPng(1, 1, [0, 256, 0])).toThrow(RangeError);
  });
});
