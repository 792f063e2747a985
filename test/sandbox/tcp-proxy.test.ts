// The proxy against real sockets: an echo that counts who is connected, and for Postgres the real one.
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startHttpProxy, startPostgresProxy, startTcpProxy, type TcpProxy } from '../../sandbox/tcp-proxy.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';

test('passes what is sent and how it ends, in both directions', async () => {
  await using ground = await prepare();
  const client = await ground.connect();
  client.write('one');
  await client.received('one');
  client.socket.end('two');
  await client.received('onetwo');
  await client.closed();
  await ground.clients(0);
  expect(ground.proxy.connections).toHaveLength(0);
});

test('a mute connection says nothing to either side, not even that the other has gone', async () => {
  await using ground = await prepare();
  const client = await ground.connect();
  const leaving = await ground.connect();
  await ground.clients(2);
  ground.proxy.setPassage({ kind: 'mute' }, { to: 'open' });

  client.write('lost?');
  leaving.socket.resetAndDestroy();
  const fresh = await ground.connect();
  fresh.write('through');
  await fresh.received('through');
  await ground.clients(3);
  expect(client.text).toBe('');
  expect(client.isOpen).toBe(true);

  ground.proxy.setPassage({ kind: 'pass' });
  await client.received('lost?');
  await ground.clients(2);
});

test('counts what it has hindered, and nothing while nobody sends anything', async () => {
  await using ground = await prepare();
  const client = await ground.connect();
  await ground.clients(1);
  const { proxy } = ground;
  proxy.setPassage({ kind: 'mute' });
  expect(proxy.hindrances).toBe(0);
  client.write('x');
  await waitFor('what waits', () => proxy.hindrances === 1 || undefined);
  proxy.setPassage({ kind: 'slow', latencyMs: 1 });
  client.write('y');
  await client.received('xy');
  expect(proxy.hindrances).toBeGreaterThan(0);

  proxy.setPassage({ kind: 'pass' });
  const before = proxy.hindrances;
  proxy.cut();
  expect(proxy.hindrances).toBe(before + 1);
  proxy.refuse();
  await (await ground.connect()).closed();
  expect(proxy.hindrances).toBe(before + 2);
});

test('mutes an even share of the open connections, and new ones when asked', async () => {
  await using ground = await prepare();
  const clients = await Promise.all(Array.from({ length: 6 }, () => ground.connect()));
  await ground.clients(6);
  ground.proxy.setPassage({ kind: 'mute' }, { to: 'open', share: 1 / 3 });
  for (const client of clients) client.write('x');
  await waitFor('four answers', () => clients.filter(({ text }) => text === 'x').length === 4 || undefined);
  const passing = clients.filter(({ text }) => text === 'x');

  ground.proxy.setPassage({ kind: 'mute' }, { to: 'new' });
  const late = await ground.connect();
  late.write('y');
  passing[0]?.write('y');
  await passing[0]?.received('xy');
  expect(clients.filter(({ text }) => text === '')).toHaveLength(2);
  expect(late.text).toBe('');
});

test('mutes only the answers: the request gets through', async () => {
  await using ground = await prepare();
  const client = await ground.connect();
  await ground.clients(1);
  ground.proxy.setPassage({ kind: 'mute', answersOnly: true });
  client.write('commit');
  await waitFor('the request', () => ground.heard().includes('commit') || undefined);
  expect(client.text).toBe('');
  ground.proxy.cut();
  await client.closed();
  expect(client.text).toBe('');
  expect(client.error).toMatchObject({ code: 'ECONNRESET' });
});

test('cuts connections, all or a share, and refuses new ones until they pass again', async () => {
  await using ground = await prepare();
  const first = await ground.connect();
  const second = await ground.connect();
  await ground.clients(2);
  ground.proxy.cut(0.5);
  await second.closed();
  expect(first.isOpen).toBe(true);
  await ground.clients(1);

  ground.proxy.refuse();
  const refused = await ground.connect();
  await refused.closed();
  first.write('still');
  await first.received('still');
  ground.proxy.setPassage({ kind: 'pass' }, { to: 'new' });
  const again = await ground.connect();
  again.write('in');
  await again.received('in');
});

test('slows down: nothing comes before its time, everything comes in order', async () => {
  await using ground = await prepare();
  ground.proxy.setPassage({ kind: 'slow', latencyMs: 60 });
  const client = await ground.connect();
  const startedAt = performance.now();
  client.write('a');
  await client.received('a');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119);

  ground.proxy.setPassage({ kind: 'slow', latencyMs: 0, bytesPerSecond: 1_000_000 });
  const text = '0123456789'.repeat(20_000);
  const sentAt = performance.now();
  client.write(text);
  await client.received(`a${text}`);
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(199);
});

test('holds no more of a mute connection than its bound, and loses none of it', async () => {
  await using ground = await prepare();
  const client = await ground.connect();
  await ground.clients(1);
  ground.proxy.setPassage({ kind: 'mute' });
  const text = 'much more than any buffer on the way holds'.repeat(400_000);
  client.write(text);
  await waitFor('a full way', () => client.socket.writableLength > 0 || undefined);
  ground.proxy.setPassage({ kind: 'pass' });
  await client.received(text);
});

test('a target that is not there breaks the connection', async () => {
  const target = await listen();
  const port = target.port;
  await target.stop();
  await using proxy = await startTcpProxy({ host: '127.0.0.1', port });
  const client = await connect(proxy);
  await client.closed();
  expect(client.error).toMatchObject({ code: 'ECONNRESET' });
});

test('stands before a Postgres: a commit whose answer is lost was made', async () => {
  const database = await createTestDatabase({ empty: true });
  await using proxy = await startPostgresProxy(database.url);
  await database.query('create table kept (id int)');
  const client = new pg.Client({ connectionString: proxy.url });
  client.on('error', () => undefined);
  await client.connect();
  proxy.setPassage({ kind: 'mute', answersOnly: true }, { to: 'open' });
  const lost = client.query('insert into kept values (1)').catch((error: unknown) => error);
  await waitFor('the row', async () => (await database.query('select 1 from kept')).length || undefined);
  proxy.cut();
  expect(await lost).toMatchObject({ message: expect.stringMatching(/ECONNRESET|terminated/) });
  await database.drop();
});

test('stands before an HTTP server, and keeps the path of its URL', async () => {
  const target = await listen();
  await using proxy = await startHttpProxy(`http://127.0.0.1:${target.port}/base/`);
  expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}/base`);
  await target.stop();
});

async function prepare() {
  await using stack = new AsyncDisposableStack();
  const target = await listen();
  stack.defer(target.stop);
  const proxy = stack.use(await startTcpProxy({ host: '127.0.0.1', port: target.port }));
  const owned = stack.move();
  return {
    proxy,
    connect: () => connect(proxy),
    /** What the target has been sent, whoever sent it. */
    heard: () => target.heard(),
    clients: (count: number) =>
      waitFor(`${count} clients at the target`, () => target.count() === count || undefined),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** An echo. */
async function listen() {
  const sockets = new Set<Socket>();
  let heard = '';
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', data => {
      heard += data;
    });
    socket.pipe(socket);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    heard: () => heard,
    count: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function connect(proxy: TcpProxy) {
  const socket = createConnection(proxy.port, '127.0.0.1');
  let text = '';
  let error: Error | undefined;
  let isOpen = true;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', cause => {
    error = cause;
  });
  socket.on('close', () => {
    isOpen = false;
  });
  await new Promise(resolve => socket.once('connect', resolve).once('close', resolve));
  return {
    socket,
    get text() {
      return text;
    },
    get error() {
      return error;
    },
    get isOpen() {
      return isOpen;
    },
    write: (chunk: string) => void socket.write(chunk),
    received: (expected: string) =>
      waitFor(`${expected.length} characters`, () => text === expected || undefined),
    closed: () => waitFor('the end of the connection', () => !isOpen || undefined),
  };
}
