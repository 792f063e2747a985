// A TCP proxy on loopback that stands between the bot and what it needs: Postgres, the Bot API, KIE.ai, file hosts.
// It breaks connections the way networks do. A mute one says nothing more to either side, not even that the other
// has gone: no data, no FIN, no RST, until it passes again or is cut.
import { type AddressInfo, createConnection, createServer, type NetConnectOpts, type Socket } from 'node:net';
import path from 'node:path';
import pg from 'pg';

/** What a connection lets through. A request is what the client sends, an answer what comes back. */
export type Passage =
  | { readonly kind: 'pass' }
  /** Nothing in either direction, or with `answersOnly` all but what comes back. It is held, not lost. */
  | { readonly kind: 'mute'; readonly answersOnly?: boolean }
  /** Everything, so much later in each direction, and at most so many bytes a second. */
  | { readonly kind: 'slow'; readonly latencyMs: number; readonly bytesPerSecond?: number };

export interface ProxyConnection {
  /** Counts from 1 in the order in which connections were taken. */
  readonly number: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** It is mute, and somebody has sent something that does not pass. */
  readonly isWaitedFor: boolean;
  setPassage(passage: Passage): void;
  /** RST to both sides; what is held is lost. */
  cut(): void;
}

export interface Selection {
  /** `open` ones, `new` ones, or both. `both` by default. */
  readonly to?: 'open' | 'new' | 'both';
  /** Only this part of the open ones, evenly spread over them in the order of their age: 0.33 for a third. */
  readonly share?: number;
}

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Those that are open, the oldest first. A mute one counts as open until it is cut, whoever has left it. */
  readonly connections: readonly ProxyConnection[];
  /**
   * How often it has delayed what somebody sent, cut a connection, or refused one, and how many connections are mute at
   * this moment although somebody has sent something.
   */
  readonly hindrances: number;
  /** From now on connections pass in this way. For new ones it also ends `refuse`. */
  setPassage(passage: Passage, selection?: Selection): void;
  /** Open ones get a RST, all or this part of them. */
  cut(share?: number): void;
  /** New ones get a RST as soon as they are taken, until a passage is set for new ones. */
  refuse(): void;
  /** Cuts all connections and stops listening. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Held in the proxy at most for one direction; more stays with its sender. */
const heldBytesLimit = 256 * 1024;

export async function startTcpProxy(target: NetConnectOpts): Promise<TcpProxy> {
  const connections = new Set<ProxyConnection>();
  let counted = 0;
  let hindrances = 0;
  let forNew: Passage | 'refuse' = { kind: 'pass' };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    if (forNew === 'refuse') {
      hindrances += 1;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    counted += 1;
    const upstream = createConnection({ ...target, allowHalfOpen: true, noDelay: true });
    const connection = join(counted, client, upstream, {
      onClose: () => connections.delete(connection),
      onDelayed: () => {
        hindrances += 1;
      },
    });
    connection.setPassage(forNew);
    connections.add(connection);
  });
  const select = (share = 1): ProxyConnection[] =>
    // Rounding down twice takes each third, half or whole at the same distance.
    [...connections].filter((_, index) => Math.floor((index + 1) * share) > Math.floor(index * share));

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get connections() {
      return [...connections];
    },
    get hindrances() {
      return hindrances + [...connections].filter(({ isWaitedFor }) => isWaitedFor).length;
    },
    setPassage(passage, { to = 'both', share } = {}) {
      if (to !== 'new') for (const connection of select(share)) connection.setPassage(passage);
      if (to !== 'open') forNew = passage;
    },
    cut(share) {
      for (const connection of select(share)) {
        hindrances += 1;
        connection.cut();
      }
    },
    refuse() {
      forNew = 'refuse';
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.cut();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** A proxy before a Postgres, and the URL that leads to the same database through it. */
export async function startPostgresProxy(databaseUrl: string): Promise<TcpProxy & { readonly url: string }> {
  // It reads the URL as the bot's own clients do, a folder of Unix sockets as host included.
  const target = new pg.Client({ connectionString: databaseUrl });
  const proxy = await startTcpProxy(
    target.host.startsWith('/')
      ? { path: path.join(target.host, `.s.PGSQL.${target.port}`) }
      : { host: target.host, port: target.port },
  );
  const credentials = [target.user ?? '', String(target.password ?? '')].map(encodeURIComponent).join(':');
  // Not by spreading: `connections` must be read when it is asked for.
  return Object.assign(proxy, {
    url: `postgres://${credentials}@127.0.0.1:${proxy.port}/${target.database ?? ''}`,
  });
}

/** A proxy before an HTTP server of loopback, and its URL with the path of the given one. */
export async function startHttpProxy(targetUrl: string): Promise<TcpProxy & { readonly url: string }> {
  const url = new URL(targetUrl);
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  return Object.assign(proxy, { url: url.href.replace(/\/$/, '') });
}

interface Listeners {
  readonly onClose: () => void;
  /** Told of each piece of data that passes later. */
  readonly onDelayed: () => void;
}

function join(
  number: number,
  client: Socket,
  upstream: Socket,
  { onClose, onDelayed }: Listeners,
): ProxyConnection {
  let open = true;
  const cut = (): void => {
    if (!open) return;
    open = false;
    requests.stop();
    answers.stop();
    client.resetAndDestroy();
    // A Unix socket knows no RST.
    if (upstream.remoteAddress === undefined) upstream.destroy();
    else upstream.resetAndDestroy();
    onClose();
  };
  const ended = (): void => {
    // Both directions have passed their FIN on, so that there is nothing left to do.
    if (!open || !requests.ended || !answers.ended) return;
    open = false;
    onClose();
  };
  const requests = createFlow(client, upstream, ended, onDelayed);
  const answers = createFlow(upstream, client, ended, onDelayed);
  // A side that breaks off breaks the other off, but only where something of it would get through.
  const broken = (flow: Flow) => (): void => flow.whenPassing(cut);
  client.on('error', broken(requests));
  upstream.on('error', broken(answers));
  client.on('close', hadError => !hadError && !requests.ended && broken(requests)());
  upstream.on('close', hadError => !hadError && !answers.ended && broken(answers)());
  return {
    number,
    get requestBytes() {
      return requests.bytes;
    },
    get answerBytes() {
      return answers.bytes;
    },
    get isWaitedFor() {
      return requests.isWaitedFor || answers.isWaitedFor;
    },
    setPassage(passage) {
      answers.setPassage(passage);
      requests.setPassage(
        passage.kind === 'mute' && passage.answersOnly === true ? { kind: 'pass' } : passage,
      );
    },
    cut,
  };
}

interface Flow {
  readonly bytes: number;
  /** The FIN has been passed on. */
  readonly ended: boolean;
  /** It is mute, and something has come that does not pass. */
  readonly isWaitedFor: boolean;
  setPassage(passage: Passage): void;
  /** Does this now, or when the flow is mute as soon as it passes again. */
  whenPassing(action: () => void): void;
  stop(): void;
}

/** One direction of a connection. */
function createFlow(from: Socket, to: Socket, onEnded: () => void, onDelayed: () => void): Flow {
  const held: { readonly data: Buffer | 'FIN'; readonly dueAt: number }[] = [];
  const waiting: (() => void)[] = [];
  let passage: Passage = { kind: 'pass' };
  let bytes = 0;
  let heldBytes = 0;
  let freeAt = 0;
  let ended = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function hold(data: Buffer | 'FIN'): void {
    const length = data === 'FIN' ? 0 : data.length;
    if (passage.kind === 'slow' && length > 0) onDelayed();
    let dueAt = 0;
    if (passage.kind === 'slow') {
      const { latencyMs, bytesPerSecond } = passage;
      freeAt =
        Math.max(freeAt, performance.now()) +
        (bytesPerSecond === undefined ? 0 : (length / bytesPerSecond) * 1_000);
      dueAt = freeAt + latencyMs;
    }
    held.push({ data, dueAt });
    heldBytes += length;
    pump();
  }

  function pump(): void {
    clearTimeout(timer);
    if (stopped) return;
    while (passage.kind !== 'mute' && !to.writableNeedDrain) {
      const next = held[0];
      if (next === undefined) break;
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pump, waitMs);
        break;
      }
      held.shift();
      if (next.data === 'FIN') {
        ended = true;
        to.end();
        onEnded();
      } else {
        heldBytes -= next.data.length;
        bytes += next.data.length;
        to.write(next.data);
      }
    }
    if (passage.kind === 'mute' || to.writableNeedDrain || heldBytes > heldBytesLimit) from.pause();
    else from.resume();
  }

  from.on('data', hold);
  from.on('end', () => hold('FIN'));
  to.on('drain', pump);
  return {
    get bytes() {
      return bytes;
    },
    get ended() {
      return ended;
    },
    get isWaitedFor() {
      // Nobody reads a mute one any more: what comes is kept by its socket.
      return passage.kind === 'mute' && (held.length > 0 || from.readableLength > 0);
    },
    setPassage(next) {
      passage = next;
      if (next.kind !== 'slow') freeAt = 0;
      if (next.kind !== 'mute') for (const action of waiting.splice(0)) action();
      pump();
    },
    whenPassing(action) {
      if (passage.kind === 'mute') waiting.push(action);
      else action();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
