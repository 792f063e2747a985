// What comes back from one call over real HTTP, whatever the other side does.
import type { RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Pool } from 'undici';
import { expect, onTestFinished, test, vi } from 'vitest';
import { postJson } from '../../src/telegram/json-post.ts';
import { closedUrl, startLoopbackServer } from '../kie/loopback-server.ts';
import { patienceMs } from '../support/patience.ts';

/** Far longer than anything here takes. */

async function openPool(answer: RequestListener, options: Pool.Options = {}): Promise<Pool> {
  const server = await startLoopbackServer(answer);
  const pool = new Pool(server.url, options);
  onTestFinished(async () => {
    await pool.destroy();
    await server.stop();
  });
  return pool;
}

test('the body arrives as JSON, and the answer comes back', async () => {
  const pool = await openPool((request, response) => {
    void text(request).then(body =>
      response.end(JSON.stringify({ type: request.headers['content-type'], path: request.url, body })),
    );
  });
  expect(await postJson(pool, '/bot1/sendMessage', '{"text":"Привет"}', patienceMs)).toEqual({
    type: 'application/json',
    path: '/bot1/sendMessage',
    body: '{"text":"Привет"}',
  });
});

test('an answer in pieces is put together, also where a piece ends inside a character', async () => {
  const pool = await openPool((_request, response) => {
    const bytes = Buffer.from('{"text":"Привет"}');
    const inside = bytes.indexOf('П') + 1;
    response.write(bytes.subarray(0, inside));
    setImmediate(() => response.end(bytes.subarray(inside)));
  });
  expect(await postJson(pool, '/', '{}', patienceMs)).toEqual({ text: 'Привет' });
});

test('an error of the server is an answer like any other', async () => {
  const pool = await openPool((_request, response) => response.writeHead(429).end('{"ok":false}'));
  expect(await postJson(pool, '/', '{}', patienceMs)).toEqual({ ok: false });
});

test.each([
  ['is no JSON', (response: ServerResponse) => response.writeHead(502).end('<html>Bad Gateway</html>')],
  ['has no body', (response: ServerResponse) => response.end()],
  [
    'breaks off',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"ok":true}', () => response.destroy());
    },
  ],
  ['never begins', (response: ServerResponse) => response.destroy()],
])('where the answer %s the call fails', async (_how, answer) => {
  const pool = await openPool((_request, response) => void answer(response));
  await expect(postJson(pool, '/', '{}', patienceMs)).rejects.toThrow();
});

test('where nobody listens the call fails with a reason that says so', async () => {
  const pool = new Pool(await closedUrl());
  onTestFinished(() => pool.destroy());
  await expect(postJson(pool, '/', '{}', patienceMs)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('an answer that does not come in time is a timeout, and its connection is not used again', async () => {
  const answers: ServerResponse[] = [];
  const pool = await openPool((_request, response) => void answers.push(response));
  await expect(postJson(pool, '/', '{}', 50)).rejects.toMatchObject({ code: 'TIMEOUT' });
  const second = postJson(pool, '/', '{}', patienceMs);
  await vi.waitFor(() => expect(answers).toHaveLength(2), patienceMs);
  answers[0]?.end('{"answer":1}');
  answers[1]?.end('{"answer":2}');
  expect(await second).toEqual({ answer: 2 });
});

test('the wait for a free connection counts, and what was all of it was not sent', async () => {
  const pool = await openPool(() => undefined, { connections: 1 });
  const first = postJson(pool, '/', '{}', patienceMs).catch(() => undefined);
  await expect(postJson(pool, '/', '{}', 50)).rejects.toMatchObject({ code: 'TELEGRAM_NOT_ASKED' });
  await pool.destroy();
  await first;
});
