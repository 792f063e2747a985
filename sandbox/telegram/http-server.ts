// Owns the HTTP side of the sandbox: `/bot<token>/<method>` and `/file/bot<token>/<path>` on an ephemeral loopback port.
// It is plain node:http, because the planned faults need the connection itself: a call that hangs, a reset, an answer
// that is cut off. Promises that stop() ends every connection, hanging ones included.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, notFound } from './api-error.ts';
import { type Dispatcher, errorReply, type Reply } from './dispatcher.ts';
import { readParameters } from './request-body.ts';

export interface HttpServer {
  /** `http://127.0.0.1:<port>`, as a Bot API client wants it. */
  readonly origin: string;
  stop(): Promise<void>;
}

export interface HttpServerOptions {
  readonly token: string;
  readonly dispatcher: Dispatcher;
  /** Told of an error that is neither a refusal nor a lost client. */
  readonly onCrash: (error: unknown) => void;
}

/** Longer than any client keeps an idle connection, so that no call meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 75_000;

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { token, dispatcher, onCrash } = options;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const [, prefix, bot, ...rest] = url.pathname.split('/');
    try {
      if (prefix === 'file') {
        checkToken(bot, token);
        send(response, await dispatcher.download(rest.join('/')));
        return;
      }
      checkToken(prefix, token);
      const methodName = bot ?? '';
      const parameters = await readParameters(request, url.searchParams);
      const scope = {
        onDisconnect(listener: () => void) {
          response.once('close', () => {
            if (!response.writableFinished) listener();
          });
        },
      };
      send(response, await dispatcher.call(methodName, parameters, scope));
    } catch (error) {
      if (error instanceof ApiError) {
        send(response, errorReply({ code: error.code, description: error.message }));
      } else {
        // A client that goes away while its request is read is normal; anything else is a bug to report.
        if (!request.errored) onCrash(error);
        response.destroy();
      }
    }
  }

  const server = createServer((request, response) => void handle(request, response));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // SAFETY: a server that listens on a TCP port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    stop() {
      return new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** The first part of a path is `bot<token>`: another word is 404, another token 401. */
function checkToken(segment: string | undefined, token: string): void {
  if (segment === undefined || !segment.startsWith('bot')) throw notFound();
  if (segment.slice('bot'.length) !== token) throw new ApiError(401, 'Unauthorized');
}

function send(response: ServerResponse, reply: Reply): void {
  switch (reply.kind) {
    case 'hang':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'close':
      response.socket?.destroy();
      return;
    case 'answer': {
      const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
      const headers: Record<string, string | number> = {
        'content-type': reply.contentType,
        'content-length': body.length,
      };
      if (reply.retryAfterSeconds !== undefined) headers['retry-after'] = reply.retryAfterSeconds;
      response.writeHead(reply.status, headers).end(body);
    }
  }
}
