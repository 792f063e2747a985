// The platform in front of the instances, as Render or a load balancer is one: one address that Telegram and KIE.ai
// know, behind it whichever programs are up. A request goes to the instances in turns; where one cannot be reached
// it goes to the next, and where none can it is answered 502, and whoever sent it tries again.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** From now on this port gets requests. */
  add(port: number): void;
  remove(port: number): void;
  /** While true instances get requests, but their answers are lost: whoever sent one sees its connection end. */
  loseAnswers(isLost: boolean): void;
  /** How many were lost so. */
  readonly lostAnswers: number;
}

/** An instance that does not answer is as good as gone. */
const answerTimeoutMs = 2_000;

export async function startBalancer(): Promise<Balancer> {
  let ports: number[] = [];
  let turn = 0;
  let losesAnswers = false;
  let lostAnswers = 0;

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    turn += 1;
    const candidates = ports.map((_port, index) => ports[(index + turn) % ports.length] ?? 0);
    for (const port of candidates) if (await pass(incoming, outgoing, port, body)) return;
    outgoing.writeHead(502).end();
  }

  /** False when nothing of an answer has come. */
  function pass(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    port: number,
    body: Buffer,
  ): Promise<boolean> {
    return new Promise(resolve => {
      const attempt = request({
        host: '127.0.0.1',
        port,
        path: incoming.url,
        method: incoming.method,
        headers: incoming.headers,
        agent: false,
        timeout: answerTimeoutMs,
      });
      attempt.on('timeout', () => attempt.destroy());
      attempt.on('error', () => resolve(false));
      attempt.on('response', answer => {
        if (losesAnswers) {
          lostAnswers += 1;
          answer.resume();
          outgoing.destroy();
        } else {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        }
        resolve(true);
      });
      attempt.end(body);
    });
  }

  const server = createServer((incoming, outgoing) => void forward(incoming, outgoing));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    add: added => {
      ports = [...ports, added];
    },
    remove: removed => {
      ports = ports.filter(known => known !== removed);
    },
    loseAnswers(isLost) {
      losesAnswers = isLost;
    },
    get lostAnswers() {
      return lostAnswers;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
