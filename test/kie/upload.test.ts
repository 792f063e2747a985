import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apiKey, useClient } from './client-fixture.ts';
import { closedUrl } from './loopback-server.ts';
import { rejectionOf } from './rejection.ts';
import type { Received } from './scripted-host.ts';

const kie = useClient();
const picture = { content: Buffer.from([0x89, 0, 255, 13, 10]), mimeType: 'image/png' };
const url = 'https://files.example/inputs/a.png';
const stored = {
  code: 200,
  msg: 'ok',
  data: { downloadUrl: url, fileUrl: 'https://other.example/a' },
} as const;

/** The form as a browser would read it. */
function formOf(received: Received | undefined): Promise<FormData> {
  const contentType = String(received?.headers['content-type']);
  return new Response(new Uint8Array(received?.body ?? []), {
    headers: { 'content-type': contentType },
  }).formData();
}

describe('an upload', () => {
  test('sends bytes, type and a random name to the file host, and gives the URL', async () => {
    kie.files.otherwise(stored);
    expect(await kie.client.upload(picture)).toEqual({ url });
    const [received] = kie.files.received();
    expect(received).toMatchObject({ method: 'POST', headers: { authorization: `Bearer ${apiKey}` } });
    expect(received?.url.pathname).toBe('/api/file-stream-upload');
    const form = await formOf(received);
    const file = form.get('file');
    if (!(file instanceof File)) throw new Error('The form holds no file');
    expect(Buffer.from(await file.arrayBuffer())).toEqual(picture.content);
    expect(file.type).toBe('image/png');
    expect(file.name).toMatch(/^[0-9a-f]{32}\.png$/);
    expect(form.get('fileName')).toBe(file.name);
    expect(form.get('uploadPath')).toMatch(/^[^/].*[^/]$/);
    expect(kie.api.received()).toEqual([]);
  });

  test('never uses a name twice', async () => {
    kie.files.otherwise(stored);
    for (let count = 0; count < 3; count++) await kie.client.upload(picture);
    const forms = await Promise.all(kie.files.received().map(formOf));
    expect(new Set(forms.map(form => form.get('fileName'))).size).toBe(3);
  });

  test('takes a file from disk', async () => {
    kie.files.next('reset');
    kie.files.otherwise(stored);
    const folder = await mkdtemp(join(tmpdir(), 'upload-'));
    try {
      await writeFile(join(folder, 'song'), 'sound');
      const content = await openAsBlob(join(folder, 'song'));
      await kie.client.upload({ content, mimeType: 'audio/mpeg' });
    } finally {
      await rm(folder, { recursive: true });
    }
    for (const received of kie.files.received()) {
      const file = (await formOf(received)).get('file');
      expect(file instanceof File && [file.name.slice(32), await file.text()]).toEqual(['.mp3', 'sound']);
    }
    expect(kie.files.received()).toHaveLength(2);
  });

  test('of an unknown type has a name without an ending', async () => {
    kie.files.otherwise(stored);
    await kie.client.upload({ content: picture.content, mimeType: 'application/x-odd' });
    expect((await formOf(kie.files.received()[0])).get('fileName')).toMatch(/^[0-9a-f]{32}$/);
  });

  test('takes fileUrl where there is no downloadUrl', async () => {
    kie.files.otherwise({ code: 200, data: { fileUrl: url } });
    expect(await kie.client.upload(picture)).toEqual({ url });
  });

  test.each([['reset'], ['garble'], [{ code: 500 }], [{ code: 200, data: {} }]] as const)(
    'is made again after %j',
    async reply => {
      kie.files.next(reply);
      kie.files.otherwise(stored);
      expect(await kie.client.upload(picture)).toEqual({ url });
      expect(kie.files.received()).toHaveLength(2);
    },
  );

  test('is not made again after a refusal that cannot pass', async () => {
    kie.files.otherwise({ code: 400, httpStatus: 400 });
    const error = await rejectionOf(kie.client.upload(picture));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: false, details: { code: 400 } });
    expect(kie.files.received()).toHaveLength(1);
  });

  test('to a host where nobody listens ends as not reached, and leaves the circuit of the API alone', async () => {
    const client = kie.clientOf({ uploadUrl: await closedUrl(), breaker: { failuresToOpen: 1 } });
    expect((await rejectionOf(client.upload(picture))).code).toBe('KIE_NOT_REACHED');
    expect(client.breakerState()).toBe('closed');
  });
});

describe('the credits', () => {
  test('are the number that KIE gives', async () => {
    kie.api.otherwise({ code: 200, msg: 'success', data: 99.5 });
    expect(await kie.client.creditsLeft()).toBe(99.5);
    expect(kie.api.received().map(({ method, url: { pathname } }) => [method, pathname])).toEqual([
      ['GET', '/api/v1/chat/credit'],
    ]);
  });

  test('are asked again after trouble that passes', async () => {
    kie.api.next('reset', { code: 200, data: 'many' });
    kie.api.otherwise({ code: 200, data: 0 });
    expect(await kie.client.creditsLeft()).toBe(0);
  });

  test('of a wrong key are refused', async () => {
    kie.api.otherwise({ code: 401, httpStatus: 401 });
    const error = await rejectionOf(kie.client.creditsLeft());
    expect(error).toMatchObject({ code: 'KIE_REFUSED', details: { kind: 'account' } });
  });
});
