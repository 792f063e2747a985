// A loopback host that answers as the test says, call by call, and remembers what it was sent. It shares no code
// with the client and knows nothing of tasks: what KIE.ai would make of a call is the test's business.
import { buffer } from 'node:stream/consumers';
import { startLoopbackServer } from './loopback-server.ts';

interface Envelope {
  readonly code: number;
  readonly msg?: string;
  readonly data?: unknown;
  /** 200 by default, as KIE likes to do it. */
  readonly httpStatus?: number;
}

/** `garble`: what a gateway answers when the application behind it is gone. */
export type Reply = Envelope | 'reset' | 'hang' | 'garble' | 'break-off';

export interface Received {
  readonly method: string | undefined;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface ScriptedHost {
  readonly url: string;
  /** The next calls are answered so, in this order, before `otherwise` counts again. */
  next(...replies: readonly Reply[]): void;
  /** How all other calls are answered; hanging until it is set. */
  otherwise(reply: Reply): void;
  received(): readonly Received[];
  connectionCount(): number;
  stop(): Promise<void>;
}

export async function startScriptedHost(): Promise<ScriptedHost> {
  const waiting: Reply[] = [];
  const received: Received[] = [];
  let usual: Reply = 'hang';
  const server = await startLoopbackServer(async (request, response) => {
    // Who goes away while speaking gets no answer.
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    const { method, headers } = request;
    received.push({ method, headers, body, url: new URL(request.url ?? '', 'http://127.0.0.1') });
    const reply = waiting.shift() ?? usual;
    if (reply === 'hang') return;
    if (reply === 'reset') request.socket.resetAndDestroy();
    else if (reply === 'garble') response.writeHead(502).end('<html>Bad gateway</html>');
    else if (reply === 'break-off') {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"code":200,', () => response.destroy());
    } else {
      const { httpStatus = 200, ...envelope } = reply;
      response.writeHead(httpStatus, { 'content-type': 'application/json' }).end(JSON.stringify(envelope));
    }
  });
  return {
    url: server.url,
    next: (...replies) => void waiting.push(...replies),
    otherwise(reply) {
      usual = reply;
    },
    received: () => received,
    connectionCount: server.connectionCount,
    stop: server.stop,
  };
}
