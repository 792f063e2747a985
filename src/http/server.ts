// The HTTP server and what every route shares: bodies arrive as text (the webhook stores them as they are),
// at most 1 MiB, an unexpected error is answered without its text, and when it closes it waits for nobody who has
// had his answer.
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Telemetry } from '../otel/telemetry.ts';

const bodyLimitBytes = 1_048_576;
/** Slow senders are cut off; Telegram and KIE.ai send at once. */
const requestTimeoutMs = 15_000;

export function createServer(telemetry: Telemetry): FastifyInstance {
  const server = Fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  endConnectionsWhenClosing(server);
  server.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      telemetry.warn('http request', error);
    }
    await reply.code(status).send({ ok: false, error: status < 500 ? error.code : 'internal error' });
  });
  return server;
}

/**
 * Only connections that are idle when it begins to close are closed by the server itself. Of the others the sender keeps
 * most, and the server would wait for more than a minute: longer than a process has that is asked to end.
 */
function endConnectionsWhenClosing(server: FastifyInstance): void {
  let isClosing = false;
  server.addHook('preClose', done => {
    isClosing = true;
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
}
