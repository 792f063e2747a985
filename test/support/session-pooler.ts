// A pooler in transaction mode, as far as the lock can notice it: every client logs in by itself, but all of them
// then speak to one and the same session of Postgres, statement by statement. Simple queries only.
import { createServer, connect as openSocket, type Socket } from 'node:net';
import path from 'node:path';

export interface SessionPooler extends AsyncDisposable {
  /** As `url`, through the pooler. */
  readonly url: string;
}

const readyForQuery = 'Z';

export async function startSessionPooler(url: string): Promise<SessionPooler> {
  const folder = decodeURIComponent(/host=([^&]+)/.exec(url)?.[1] ?? '');
  const socketFile = path.join(folder, `.s.PGSQL.${/port=(\d+)/.exec(url)?.[1] ?? '5432'}`);
  const sockets = new Set<Socket>();
  let shared: Socket | undefined;
  let turns = Promise.resolve();

  const server = createServer(client => {
    const upstream = openSocket(socketFile);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Both ends go at any moment, when a test ends.
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    const passOn = (data: Buffer): void => void upstream.write(data);
    client.on('data', passOn);
    void relay(upstream, client).then(() => {
      client.off('data', passOn);
      shared ??= upstream;
      const session = shared;
      client.on('data', statement => {
        // Terminate: this client goes, the session stays.
        if (statement[0] === 'X'.charCodeAt(0)) return;
        turns = turns.then(() => {
          session.write(statement);
          return relay(session, client);
        });
      });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: url.replace('@/', `@127.0.0.1:${port}/`).replace(/\?.*$/, ''),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Passes messages on until the session is ready for the next query. */
function relay(from: Socket, to: Socket): Promise<void> {
  return new Promise(resolve => {
    let rest = Buffer.alloc(0);
    const onData = (data: Buffer): void => {
      to.write(data);
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const type = String.fromCharCode(rest[0] ?? 0);
        rest = rest.subarray(rest.readUInt32BE(1) + 1);
        if (type === readyForQuery) {
          from.off('data', onData);
          resolve();
          return;
        }
      }
    };
    from.on('data', onData);
  });
}
