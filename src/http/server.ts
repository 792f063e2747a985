// The HTTP server and what every route shares: bodies arrive as text (the webhook stores them as they are),
// at most 1 MiB, who is too slow is cut off, what leads nowhere is counted, an unexpected error is answered without its
// text, and when it closes it waits for nobody who has had his answer.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Refusals } from '../otel/refusals.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { UnreadyReason } from './readiness.ts';

const bodyLimitBytes = 1_048_576;
/** Slow senders are cut off; Telegram and KIE.ai send at once. Node looks after this interval, every 30 s by itself. */
const timeouts = { requestTimeout: 15_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };

export interface ServerOptions {
  readonly refusals: Refusals;
  readonly telemetry: Pick<Telemetry, 'warn'>;
  /** Until then only /livez is answered: the process lives, and nothing should be sent to it yet. Always, by default. */
  readonly isStarted?: () => boolean;
  /** Milliseconds that a sender has; for tests. */
  readonly limits?: Partial<typeof timeouts>;
}

export function createServer({ refusals, telemetry, limits, isStarted }: ServerOptions): FastifyInstance {
  const { requestTimeout, ...http } = { ...timeouts, ...limits };
  const server = Fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout,
    http,
    forceCloseConnections: 'idle',
  });
  const refuse = (reason: 'UNKNOWN_ACTION' | 'VALIDATION_FAILED', detail: string): void =>
    refusals.refused('REQUEST_REFUSED', { reason_code: reason, reason_detail: detail });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  endConnectionsWhenClosing(server);
  if (isStarted)
    server.addHook('onRequest', async (request, reply) => {
      if (isStarted() || request.url === '/livez') return;
      await reply
        .code(503)
        .send({ ok: false, reason: 'starting' satisfies UnreadyReason, status: 'starting' });
    });
  server.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) telemetry.warn('http request', error);
    else refuse('VALIDATION_FAILED', error.code);
    await reply.code(status).send({ ok: false, error: status < 500 ? error.code : 'internal error' });
  });
  server.setNotFoundHandler(async (_request, reply) => {
    refuse('UNKNOWN_ACTION', 'no such route');
    await reply.code(404).send({ ok: false });
  });
  // What never becomes a request: no HTTP, or too slow. Fastify answers it. Who hangs up is not refused.
  server.server.on('clientError', (error: NodeJS.ErrnoException) => {
    if (error.code !== undefined && error.code !== 'ECONNRESET') refuse('VALIDATION_FAILED', error.code);
  });
  return server;
}

/** For who is still sending a request when the server closes: Telegram and KIE.ai send at once, and again. */
const lastSendingMs = 1_000;

/**
 * Only connections that are idle when it begins to close are closed by the server itself. Of the others the sender keeps
 * most, and the server would wait for more than a minute: longer than a process has that is asked to end. Node does not
 * look after slow senders any more then, so one of them alone would hold the stop for as long as it likes.
 */
function endConnectionsWhenClosing(server: FastifyInstance): void {
  let isClosing = false;
  const sockets = new Set<Socket>();
  const asking = new Map<Socket, IncomingMessage>();
  server.server.on('connection', socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.server.on('request', (request, response) => {
    const { socket } = request;
    asking.set(socket, request);
    response.once('close', () => {
      if (asking.get(socket) === request) asking.delete(socket);
    });
  });
  server.addHook('preClose', done => {
    isClosing = true;
    setTimeout(() => {
      // Whoever has sent all of a request is being answered.
      for (const socket of sockets) if (asking.get(socket)?.complete !== true) socket.destroy();
    }, lastSendingMs).unref();
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
}
