// The outbox without the rest of the bot: a real database, the real sender, the stand-in of Telegram,
// and a host that serves the files of results. `await using given = await openOutbox()` stops everything.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, vi } from 'vitest';
import {
  type SandboxUser,
  startTelegramSandbox,
  type TelegramSandbox,
} from '../../sandbox/telegram/index.ts';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { createTelegramSender } from '../../src/delivery/telegram-sender.ts';
import { createDownloader } from '../../src/kie/download.ts';
import { createSpool } from '../../src/kie/spool.ts';
import { workOutbox } from '../../src/pipeline/outbox.ts';
import { createStages, type Stages } from '../../src/pipeline/stages.ts';
import { type PipelineTimings, productionTimings } from '../../src/pipeline/timings.ts';
import { Secret } from '../../src/secret.ts';
import { createDatabase } from '../../src/storage/database.ts';
import { insertResults } from '../../src/storage/delivery-requests.ts';
import { createDeliveryStore, type DeliveryStore } from '../../src/storage/delivery-store.ts';
import { createMessageStore } from '../../src/storage/message-store.ts';
import { createTaskStore } from '../../src/storage/task-store.ts';
import { createTelegramApi } from '../../src/telegram/api.ts';
import { createTexts } from '../../src/ui/texts.ts';
import type { Line } from './bot.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { takeLease } from './lease.ts';
import { patienceMs } from './patience.ts';
import { recordTelemetry } from './telemetry.ts';

export interface ServedFile {
  readonly bytes?: Buffer;
  readonly type?: string;
  /** 200 if not given. */
  readonly status?: number;
}

export interface OutboxUnderTest extends AsyncDisposable {
  readonly telegram: TelegramSandbox;
  readonly user: SandboxUser;
  readonly database: TestDatabase;
  readonly deliveries: DeliveryStore;
  /** What the host serves, by path; may be changed at any time. */
  readonly served: Map<string, ServedFile>;
  /** What happens before the host answers for it. */
  onHit(path: string, happens: () => Promise<unknown>): void;
  /** How often anybody asked the host for it. */
  hits(path: string): number;
  /** The task has succeeded with these files: paths of the host, or whole URLs. */
  succeed(...paths: string[]): Promise<void>;
  /** One look at the task, as its job takes it. */
  look(): Promise<void>;
  /** Looks until nothing is owed any more. */
  settle(): Promise<void>;
  /** What administrators were called for. */
  readonly alarms: readonly string[];
  /** Events in their order. */
  readonly lines: readonly Line[];
  linesOf(name: string): Line[];
  rows(): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const taskId = 'task-1';
const taskTrace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const instanceId = 'test';
const quickTimings = { deliveryAttempts: 3, deliveryRetryMs: 20, deliveryClaimMs: 2_000 };

export async function openOutbox(
  options: {
    readonly timings?: Partial<PipelineTimings>;
    readonly stages?: Stages;
    readonly temporaryFolder?: string;
  } = {},
): Promise<OutboxUnderTest> {
  const timings = { ...productionTimings, ...quickTimings, ...options.timings };
  const testDatabase = await createTestDatabase();
  const alarms: string[] = [];
  const telegram = await startTelegramSandbox();
  const user = telegram.user({ started: true });
  const { telemetry, lines } = recordTelemetry();
  const database = createDatabase({
    url: new Secret(testDatabase.url),
    instanceId,
    poolSize: 4,
    telemetry,
  });
  const lease = await takeLease(database);
  const tasks = createTaskStore(database, lease);
  const deliveries = createDeliveryStore({ database, lease, instanceId });
  const api = createTelegramApi({ token: new Secret(telegram.token), apiRoot: telegram.apiRoot, telemetry });
  const spool = createSpool(options.temporaryFolder);
  const downloader = createDownloader({
    allowLoopback: true,
    timeoutMs: 5_000,
    spool,
  });
  const sender = createTelegramSender({
    telegram: api,
    messages: createMessageStore(database),
    catalogue: createCatalogue(),
    texts: createTexts(),
    startingPrice: () => undefined,
    downloader,
    telemetry,
  });
  const { stages = createStages() } = options;
  const alarm = {
    givenUp: async (detail: string) => void alarms.push(detail),
    diskRefused: async (detail: string) => void alarms.push(detail),
  };
  const host = await startFileHost();
  await database.query(`insert into users (chat_id, language) values ($1, 'en')`, [user.chatId]);
  await database.query(
    `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs, state,
       callback_token, traceparent)
     values ($1, $2, 'draft', 1, 'z-image', 'zimage', '2026-01-01', '{}', 'waiting', 'token', $3)`,
    [taskId, user.chatId, taskTrace],
  );
  const look = () => workOutbox(taskId, { tasks, deliveries, sender, alarm, stages, telemetry, timings });

  return {
    telegram,
    user,
    database: testDatabase,
    deliveries,
    served: host.files,
    onHit: (path, happens) => void host.happenings.set(path, happens),
    hits: path => host.hits.get(path) ?? 0,
    alarms,
    lines,
    linesOf: name => lines.filter(line => line.name === name),
    look,
    async succeed(...paths) {
      await database.transaction(async transaction => {
        await transaction.query(`update tasks set state = 'succeeded', finished_at = now() where id = $1`, [
          taskId,
        ]);
        const urls = paths.map(path => (path.startsWith('/') ? `${host.origin}${path}` : path));
        await insertResults(transaction, taskId, urls);
      });
    },
    async settle() {
      await vi.waitFor(
        async () => {
          await look();
          expect(await deliveries.next(taskId, timings.deliveryClaimMs)).toBeUndefined();
        },
        { timeout: patienceMs, interval: 5 },
      );
    },
    rows: () =>
      testDatabase.query(
        `select kind, position, attempts, message_id is not null as sent, file_id, reason_code from deliveries
         order by array_position(array['result', 'closing', 'failure', 'original'], kind), position`,
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all([host.stop(), downloader.close(), api.stop(), database.stop()]);
      await spool.stop();
      await telegram.stop();
      await testDatabase.drop();
      telegram.assertHealthy();
    },
  };
}

async function startFileHost() {
  const files = new Map<string, ServedFile>();
  const hits = new Map<string, number>();
  const happenings = new Map<string, () => Promise<unknown>>();
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const file = files.get(path);
    hits.set(path, (hits.get(path) ?? 0) + 1);
    await happenings.get(path)?.();
    response
      .writeHead(file?.status ?? (file ? 200 : 404), { 'content-type': file?.type ?? 'text/plain' })
      .end(file?.bytes ?? '');
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // SAFETY: a server that listens on a TCP port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    files,
    happenings,
    hits,
    origin: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
