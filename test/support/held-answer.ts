// A proxy in front of a stand-in that can keep answers to itself: the request is executed behind it, and who
// asked never hears of it. That is the moment in which a process can die without knowing what it has ordered.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';

export interface HeldAnswers extends AsyncDisposable {
  readonly url: string;
  /** From now on answers to paths that end so are kept back, for ever. */
  hold(pathEnding: string): void;
  /** From now on everything passes. */
  letPass(): void;
  /** How many requests to such paths have come, held or not. */
  count(pathEnding: string): number;
}

export async function startHeldAnswers(target: string): Promise<HeldAnswers> {
  let held: string | undefined;
  const paths: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const path = incoming.url ?? '/';
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const answer = await request(`${target}${path}`, {
      method: incoming.method === 'POST' ? 'POST' : 'GET',
      headers: {
        authorization: incoming.headers.authorization,
        'content-type': incoming.headers['content-type'],
      },
      body: chunks.length > 0 ? Buffer.concat(chunks) : null,
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    const { pathname } = new URL(path, target);
    paths.push(pathname);
    if (held !== undefined && pathname.endsWith(held)) return;
    outgoing
      .writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) })
      .end(body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hold(pathEnding) {
      held = pathEnding;
    },
    letPass() {
      held = undefined;
    },
    count: pathEnding => paths.filter(path => path.endsWith(pathEnding)).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
