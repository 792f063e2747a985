// The three ways to upload a file, and that it can be fetched and ordered with afterwards.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { KieSandbox } from '../../../sandbox/kie/index.ts';
import { closedUrl } from '../../kie/loopback-server.ts';
import { call, create, download, start } from './support.ts';

const answerSchema = z.object({
  success: z.boolean(),
  code: z.int(),
  msg: z.string(),
  data: z.record(z.string(), z.unknown()).nullable(),
});
const place = { uploadPath: 'bot/inputs', fileName: 'fox 1.png' };

async function stream(kie: KieSandbox, fields: Readonly<Record<string, string | Blob>>, limitMs = 10_000) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const response = await fetch(`${kie.uploadUrl}/api/file-stream-upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${kie.apiKey}` },
    body: form,
    signal: AbortSignal.timeout(limitMs),
  });
  return answerSchema.parse(await response.json());
}

const uploadBase64 = (kie: KieSandbox, body: object) => call(kie, 'POST', '/api/file-base64-upload', body);
const uploadUrl = (kie: KieSandbox, body: object) => call(kie, 'POST', '/api/file-url-upload', body);
const picture = (size = 300) => new Blob([new Uint8Array(size).fill(7)], { type: 'image/png' });

describe('a stream', () => {
  test('is stored byte by byte and served back with its type', async () => {
    const kie = await start({ now: () => 0 });
    const bytes = new Uint8Array(2_000_000).map((_, index) => index % 256);
    const answer = await stream(kie, { ...place, file: new Blob([bytes], { type: 'image/png' }) });
    const downloadUrl = `${kie.uploadUrl}/uploads/bot/inputs/fox%201.png`;
    expect(answer).toEqual({
      success: true,
      code: 200,
      msg: expect.any(String),
      data: {
        fileName: 'fox 1.png',
        filePath: 'bot/inputs/fox 1.png',
        downloadUrl,
        fileSize: 2_000_000,
        mimeType: 'image/png',
        uploadedAt: '1970-01-01T00:00:00.000Z',
      },
    });
    const file = await download(downloadUrl);
    expect(file).toMatchObject({ status: 200, type: 'image/png' });
    expect(file.bytes.equals(bytes)).toBe(true);
    expect(kie.uploads()).toMatchObject([{ filePath: 'bot/inputs/fox 1.png' }]);
  });

  test('can be ordered with', async () => {
    const kie = await start();
    const { data } = await stream(kie, { ...place, file: picture() });
    const order = { model: 'recraft/crisp-upscale', input: { image: data?.downloadUrl } };
    expect(await create(kie, order)).toMatchObject({ code: 200 });
  });

  test('keeps the name of its file when it is given no other', async () => {
    const kie = await start();
    const { data } = await stream(kie, { uploadPath: 'bot', file: new File(['x'], 'own.png') });
    expect(data).toMatchObject({ filePath: 'bot/own.png' });
  });

  test.each([
    ['file', { uploadPath: 'bot' }],
    ['uploadPath', { file: picture() }],
    ['uploadPath', { uploadPath: '/bot', file: picture() }],
    ['uploadPath', { uploadPath: 'bot/', file: picture() }],
  ])('is refused for a missing or bad %s', async (field, fields) => {
    const kie = await start();
    expect(await stream(kie, fields)).toMatchObject({
      success: false,
      code: 400,
      msg: expect.stringContaining(field),
    });
    expect(kie.uploads()).toEqual([]);
  });

  test('is refused when it is no form', async () => {
    const kie = await start();
    const response = await fetch(`${kie.uploadUrl}/api/file-stream-upload`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${kie.apiKey}`,
        'content-type': 'multipart/form-data; boundary=x',
      },
      body: 'not a form',
    });
    expect(await response.json()).toMatchObject({ success: false, code: 400 });
  });
});

describe('base64', () => {
  test.each([
    ['plain', Buffer.from('fox').toString('base64'), 'application/octet-stream'],
    ['in a data URL', `data:image/webp;base64,${Buffer.from('fox').toString('base64')}`, 'image/webp'],
  ])('%s is decoded', async (_name, base64Data, mimeType) => {
    const kie = await start();
    expect(await uploadBase64(kie, { ...place, base64Data })).toMatchObject({
      success: true,
      data: { mimeType, fileSize: 3 },
    });
    expect(kie.uploads()[0]?.bytes.toString()).toBe('fox');
  });

  test('that is none is refused', async () => {
    const kie = await start();
    const answer = await uploadBase64(kie, { ...place, base64Data: 'a fox!' });
    expect(answer).toMatchObject({ success: false, code: 400, msg: 'base64Data: not base64' });
  });
});

describe('an address', () => {
  test('is fetched and kept', async () => {
    const kie = await start();
    const { data } = await stream(kie, { ...place, file: picture() });
    const answer = await uploadUrl(kie, { fileUrl: data?.downloadUrl, uploadPath: 'copies' });
    expect(answer).toMatchObject({ success: true, data: { fileSize: 300, mimeType: 'image/png' } });
    expect(kie.uploads()).toHaveLength(2);
  });

  test('that cannot be fetched is refused', async () => {
    const kie = await start();
    for (const fileUrl of [
      await closedUrl(),
      `${kie.apiUrl}/files/none.png`,
      'https://example.com/x',
      'ftp://x',
    ])
      expect(await uploadUrl(kie, { ...place, fileUrl })).toMatchObject({
        success: false,
        code: 400,
        msg: expect.stringContaining('fileUrl'),
      });
  });
});

describe('limits and faults', () => {
  test('401 answers a wrong key', async () => {
    const kie = await start();
    const body = { ...place, base64Data: 'Zm94' };
    expect(await call(kie, 'POST', '/api/file-base64-upload', body, 'wrong')).toMatchObject({ code: 401 });
  });

  test('the same place is written over', async () => {
    const kie = await start();
    for (const base64Data of ['Zm94', 'Zm94eA==']) await uploadBase64(kie, { ...place, base64Data });
    expect(kie.uploads().map(({ bytes }) => bytes.toString())).toEqual(['foxx']);
  });

  test('a file above the limit is refused, and the oldest make room for the newest', async () => {
    const kie = await start({ uploadLimitBytes: 1_000 });
    expect(await stream(kie, { ...place, file: picture(1_001) })).toMatchObject({
      code: 400,
      success: false,
    });
    for (const fileName of ['a', 'b', 'c', 'd'])
      expect((await stream(kie, { ...place, fileName, file: picture() })).code).toBe(200);
    expect(kie.uploads().map(({ fileName }) => fileName)).toEqual(['b', 'c', 'd']);
    expect((await download(`${kie.uploadUrl}/uploads/bot/inputs/a`)).status).toBe(404);
  });

  test('an upload can be answered with a code, cut off, or left hanging', async () => {
    const kie = await start();
    kie.failNext({ at: 'upload', does: 'answer', code: 500 });
    kie.failNext({ at: 'upload', does: 'refuse' });
    kie.failNext({ at: 'upload', does: 'hang' });
    expect(await stream(kie, { ...place, file: picture() })).toMatchObject({ success: false, code: 500 });
    await expect(stream(kie, { ...place, file: picture() })).rejects.toThrow();
    await expect(stream(kie, { ...place, file: picture() }, 200)).rejects.toThrow('timeout');
    expect(kie.uploads()).toEqual([]);
    expect((await stream(kie, { ...place, file: picture() })).code).toBe(200);
  });
});
