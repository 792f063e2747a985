// How the HTTP server treats those who are too slow, and how it ends while somebody is still being answered, over
// connections that their owners would keep.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createServer } from '../../src/http/server.ts';
import { createRefusals } from '../../src/otel/refusals.ts';
import { recordTelemetry } from '../support/telemetry.ts';

/** Far less than the 72 s for which an idle connection is kept, and enough for a busy machine. */
const closeLimitMs = 30_000;

test('who is being answered when it closes gets the answer, and its connection is not waited for', async () => {
  const { telemetry } = recordTelemetry();
  const server = createServer({ telemetry, refusals: createRefusals(telemetry) });
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

test.each([
  { sender: 'never ends its headers', sent: 'POST /webhook HTTP/1.1\r\nhost: x\r\n' },
  {
    sender: 'never ends its body',
    sent: 'POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nhalf',
  },
  {
    sender: 'was refused before its body has ended',
    sent: 'POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nhalf',
  },
])('who $sender does not keep the server from closing', async ({ sent }) => {
  const { telemetry } = recordTelemetry();
  const server = createServer({ telemetry, refusals: createRefusals(telemetry) });
  server.post('/webhook', async () => ({ ok: true }));
  server.post(
    '/refused',
    { onRequest: async (_request, reply) => void (await reply.code(401).send({ ok: false })) },
    async () => ({ ok: true }),
  );
  await server.listen({ host: '127.0.0.1', port: 0 });
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined).resume();
  onTestFinished(() => void socket.destroy());
  const connected = once(server.server, 'connection') as Promise<[Socket]>;
  socket.write(sent);
  const [ofServer] = await connected;
  await expect.poll(() => ofServer.bytesRead).toBe(sent.length);
  const ended = once(socket, 'close');
  await server.close();
  await ended;
});

test.each([
  { sender: 'says nothing', sent: '', limits: { headersTimeout: 300 } },
  {
    sender: 'never ends its headers',
    sent: 'POST /webhook HTTP/1.1\r\nhost: x\r\n',
    limits: { headersTimeout: 300 },
  },
  {
    sender: 'never ends its body',
    sent: 'POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nhalf',
    limits: { headersTimeout: 200, requestTimeout: 300 },
  },
])('who $sender is cut off, and counted', async ({ sent, limits }) => {
  const recorded = recordTelemetry();
  const refusals = createRefusals(recorded.telemetry);
  const server = createServer({
    telemetry: recorded.telemetry,
    refusals,
    limits: { ...limits, connectionsCheckingInterval: 50 },
  });
  onTestFinished(() => server.close());
  server.post('/webhook', async () => ({ ok: true }));
  await server.listen({ host: '127.0.0.1', port: 0 });
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.server.address() as AddressInfo;
  const sockets = Array.from({ length: 3 }, () => connect({ host: '127.0.0.1', port }));
  onTestFinished(() => void sockets.map(socket => socket.destroy()));
  await Promise.all(
    sockets.map(socket => {
      socket.write(sent);
      socket.on('error', () => undefined);
      return once(socket.resume(), 'close');
    }),
  );
  refusals.stop();
  const lines = recorded.lines.filter(({ reason_detail }) => reason_detail === 'ERR_HTTP_REQUEST_TIMEOUT');
  expect(lines[0]).toMatchObject({
    name: 'REQUEST_REFUSED',
    level: 'INFO',
    reason_code: 'VALIDATION_FAILED',
  });
  expect(lines.reduce((sum, { refused_count }) => sum + Number(refused_count), 0)).toBe(3);
});
