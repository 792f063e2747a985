// A session pooler as strict as PgBouncer is by itself: it refuses whoever asks at the login for a setting that it would
// have to keep per client.
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import path from 'node:path';
import pg from 'pg';

export interface StrictPooler extends AsyncDisposable {
  /** The same database, through the pooler. */
  readonly url: string;
}

/** What PgBouncer keeps for each client; ignore_startup_parameters is empty. */
const tracked: ReadonlySet<string> = new Set([
  'user',
  'database',
  'client_encoding',
  'datestyle',
  'timezone',
  'standard_conforming_strings',
  'application_name',
]);

export async function startStrictPooler(databaseUrl: string): Promise<StrictPooler> {
  const target = new pg.Client({ connectionString: databaseUrl });
  const sockets = new Set<Socket>();

  const server = createServer(client => {
    keep(client);
    client.once('data', login => {
      const refused = settingsOf(login).find(name => !tracked.has(name.toLowerCase()));
      if (refused !== undefined) {
        client.end(refusal(`unsupported startup parameter: ${refused}`));
        return;
      }
      const database = target.host.startsWith('/')
        ? createConnection(path.join(target.host, `.s.PGSQL.${target.port}`))
        : createConnection(target.port, target.host);
      keep(database);
      database.write(login);
      client.pipe(database).pipe(client);
    });
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    // Both ends go at any moment, when a test ends.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  const credentials = [target.user ?? '', String(target.password ?? '')].map(encodeURIComponent).join(':');
  return {
    url: `postgres://${credentials}@127.0.0.1:${port}/${target.database ?? ''}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Names of what the startup message asks for: its length, its version, and then names and values by turns. */
function settingsOf(login: Buffer): string[] {
  const texts = login.subarray(8, login.readUInt32BE(0)).toString().split('\0');
  return texts.filter((text, index) => index % 2 === 0 && text !== '');
}

function refusal(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${message}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
