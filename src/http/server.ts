// The HTTP server and what every route shares: bodies arrive as text (the webhook stores them as they are),
// at most 1 MiB, and an unexpected error is answered without its text.
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
  server.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      telemetry.warn('http request', error);
    }
    await reply.code(status).send({ ok: false, error: status < 500 ? error.code : 'internal error' });
  });
  return server;
}
