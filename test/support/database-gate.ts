// A door between the program and its Postgres, on the wire: it can be shut, so that what is sent in either
// direction stays in front of it and connections hang, as behind a network that is gone; and it counts what passes.
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import path from 'node:path';
import pg from 'pg';

export interface DatabaseGate extends AsyncDisposable {
  /** Leads to the same database, through the gate. */
  readonly url: string;
  /** Shut until it is disposed; what came meanwhile is passed on then. */
  shut(): Disposable;
  /** How often this text was sent to the database, in statements. */
  sent(text: string): number;
}

export async function startDatabaseGate(databaseUrl: string): Promise<DatabaseGate> {
  const target = new pg.Client({ connectionString: databaseUrl });
  const sockets = new Set<Socket>();
  const statements: Buffer[] = [];
  let held: (() => void)[] | undefined;

  const pass = (action: () => void): void => {
    if (held) held.push(action);
    else action();
  };

  function join(from: Socket, to: Socket): void {
    sockets.add(from);
    from.on('data', data => pass(() => to.write(data)));
    // Whatever ended one side ends the other; both are told by their own ends.
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      pass(() => to.destroy());
    });
  }

  const server = createServer(client => {
    const database = target.host.startsWith('/')
      ? createConnection(path.join(target.host, `.s.PGSQL.${target.port}`))
      : createConnection(target.port, target.host);
    client.on('data', data => statements.push(data));
    join(client, database);
    join(database, client);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  const credentials = `${encodeURIComponent(target.user ?? '')}:${encodeURIComponent(String(target.password ?? ''))}`;
  return {
    url: `postgres://${credentials}@127.0.0.1:${port}/${target.database}`,
    shut() {
      held = [];
      return {
        [Symbol.dispose]() {
          const actions = held ?? [];
          held = undefined;
          for (const action of actions) action();
        },
      };
    },
    sent: text => Buffer.concat(statements).toString('latin1').split(text).length - 1,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
