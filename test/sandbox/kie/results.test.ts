// The files that tasks give, and what can be wrong with them.
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { KieSandbox } from '../../../sandbox/kie/index.ts';
import { createTask, download, record, start } from './support.ts';

const prompt = 'a red fox';
const video = { model: 'kling/v2-1-master-text-to-video', input: { prompt } };
const voice = { model: 'elevenlabs/text-to-speech-turbo-2-5', input: { text: prompt } };
const pictures = (max_images: number) => ({
  model: 'bytedance/seedream-v4-text-to-image',
  input: { prompt, max_images },
});

const resultSchema = z.object({ resultUrls: z.array(z.string()) });

async function resultUrls(kie: KieSandbox, order: object): Promise<string[]> {
  const taskId = await createTask(kie, undefined, order);
  await kie.advance(3);
  const { resultJson } = await record(kie, taskId);
  return resultSchema.parse(JSON.parse(z.string().parse(resultJson))).resultUrls;
}

/** The four-letter types of the outermost boxes, checking that their lengths add up to the file's. */
function boxesOf(bytes: Buffer): string[] {
  const types = [];
  let at = 0;
  for (; at < bytes.length; at += bytes.readUInt32BE(at))
    types.push(bytes.toString('latin1', at + 4, at + 8));
  expect(at).toBe(bytes.length);
  return types;
}

describe('files', () => {
  test('of videos are MP4', async () => {
    const kie = await start();
    const [url = ''] = await resultUrls(kie, video);
    const { type, bytes } = await download(url);
    expect(type).toBe('video/mp4');
    expect(boxesOf(bytes)).toEqual(['ftyp', 'moov', 'free', 'mdat', 'free']);
    expect(bytes.length).toBeLessThan(8_192);
  });

  test('of sounds are MP3 with a title', async () => {
    const kie = await start();
    const [url = ''] = await resultUrls(kie, voice);
    const { type, bytes } = await download(url);
    expect(type).toBe('audio/mpeg');
    expect(bytes.toString('latin1', 0, 3)).toBe('ID3');
    const tagLength = 10 + bytes.readUInt8(8) * 128 + bytes.readUInt8(9);
    // The eleven bits that every MPEG frame begins with.
    expect(bytes.readUInt16BE(tagLength) & 0xffe0).toBe(0xffe0);
    expect(bytes.toString('latin1', 0, tagLength)).toContain(url.split('/').at(-1));
  });

  test.each([
    [1, pictures(1)],
    [3, pictures(3)],
    [6, { model: 'grok-imagine/text-to-image', input: { prompt } }],
    [12, { model: 'wan/2-7-image', input: { prompt, n: 5_000 } }],
    [1, { model: 'wan/2-7-image', input: { prompt, n: 0 } }],
  ])('are %i where so many are ordered, each with bytes of its own', async (count, order) => {
    const kie = await start();
    const urls = await resultUrls(kie, order);
    const files = await Promise.all(urls.map(url => download(url)));
    expect(files.map(({ status }) => status)).toEqual(Array(count).fill(200));
    expect(new Set(files.map(({ bytes }) => bytes.toString('base64'))).size).toBe(count);
  });

  test('can be one fewer than ordered', async () => {
    const kie = await start();
    kie.failNext({ at: 'outcome', does: 'give-fewer-files' });
    expect(await resultUrls(kie, pictures(3))).toHaveLength(2);
  });

  test('with names that no task has do not exist', async () => {
    const kie = await start();
    const [url = ''] = await resultUrls(kie, pictures(2));
    for (const wrong of [
      url.replace('.png', '-3.png'),
      url.replace('.png', '.mp4'),
      `${kie.apiUrl}/files/x.png`,
    ])
      expect((await download(wrong)).status).toBe(404);
  });
});

test('records of videos state the progress, those of pictures do not', async () => {
  const kie = await start();
  const taskId = await createTask(kie, undefined, video);
  const picture = await createTask(kie, undefined, pictures(1));
  const progress = [];
  for (let step = 0; step < 4; step++) {
    progress.push((await record(kie, taskId)).progress);
    await kie.advance();
  }
  expect(progress).toEqual([0, 10, 60, 100]);
  expect(await record(kie, picture)).not.toHaveProperty('progress');
});

describe('faults', () => {
  test('can be those of one file alone', async () => {
    const kie = await start();
    kie.failNext({ at: 'file', does: 'miss', number: 2 });
    const files = await Promise.all((await resultUrls(kie, pictures(3))).map(url => download(url)));
    expect(files.map(({ status }) => status)).toEqual([200, 404, 200]);
  });

  test('a huge file states its length beforehand and has it', async () => {
    const kie = await start();
    kie.failNext({ at: 'file', does: 'huge', bytes: 3_000_001 });
    const [url = ''] = await resultUrls(kie, video);
    const response = await request(url, { reset: true });
    expect(response.headers['content-length']).toBe('3000001');
    expect((await response.body.arrayBuffer()).byteLength).toBe(3_000_001);
  });

  test('a huge file can keep its length to itself', async () => {
    const kie = await start();
    kie.failNext({ at: 'file', does: 'huge', bytes: 100_000, unannounced: true });
    const [url = ''] = await resultUrls(kie, video);
    const response = await request(url, { reset: true });
    expect(response.headers).not.toHaveProperty('content-length');
    expect((await response.body.arrayBuffer()).byteLength).toBe(100_000);
  });

  test('a file that never comes does not keep the stand-in from stopping', async () => {
    const kie = await start();
    kie.failNext({ at: 'file', does: 'hang' });
    const [url = ''] = await resultUrls(kie, video);
    await expect(download(url, 200)).rejects.toThrow('timeout');
    const broken = expect(download(url)).rejects.toThrow();
    await kie.stop();
    await broken;
  });
});
