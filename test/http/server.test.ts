// How the HTTP server ends while somebody is still being answered, over connections that their owners would keep.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createServer } from '../../src/http/server.ts';
import { recordTelemetry } from '../support/telemetry.ts';

/** Far less than the 72 s for which an idle connection is kept, and enough for a busy machine. */
const closeLimitMs = 5_000;

test('who is being answered when it closes gets the answer, and its connection is not waited for', async () => {
  const server = createServer(recordTelemetry().telemetry);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  server.get('/slow', async () => {
    asked.resolve();
    await answer.promise;
    return { ok: true };
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const asking = request({ host: '127.0.0.1', port, path: '/slow', agent }).end();
  const answering = once(asking, 'response') as Promise<[IncomingMessage]>;
  await asked.promise;

  const closing = server.close();
  // Until it is closing in earnest: then nobody is let in any more.
  await expect.poll(() => server.server.listening).toBe(false);
  const answeredAt = performance.now();
  answer.resolve();
  const [response] = await answering;
  response.resume();
  expect(response).toMatchObject({ statusCode: 200, headers: { connection: 'close' } });
  await closing;
  expect(performance.now() - answeredAt).toBeLessThan(closeLimitMs);
});
