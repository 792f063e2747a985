// What platforms and people ask about this process. /livez: the event loop turns. /readyz: updates can be
// stored, whatever else is wrong, so that a deploy can finish. /health: the state in numbers; docs/operations.md
// says what each means. /version: which code runs. Anybody may ask, in any number: none of them calls Telegram or
// KIE.ai, what the database is asked is shared by all who ask at about the same time, and no answer holds a secret.
import type { FastifyInstance } from 'fastify';
import type { InboxTotals } from '../inbox/inbox-totals.ts';
import type { BreakerState } from '../kie/breaker.ts';
import type { LockSnapshot } from '../lock/instance-lock.ts';
import type { Role } from '../lock/role.ts';
import type { BotState } from '../otel/fields.ts';
import { service } from '../service.ts';
import type { Database } from '../storage/database.ts';
import type { UpdateStore } from '../storage/update-store.ts';
import { createReading } from './reading.ts';

export interface HealthOptions {
  readonly database: Pick<Database, 'query'>;
  readonly updates: Pick<UpdateStore, 'depth'>;
  readonly role: Pick<Role, 'lease' | 'snapshot'>;
  readonly totals: Pick<InboxTotals, 'read'>;
  readonly instanceId: string;
  readonly instanceMode: 'single' | 'cluster';
  readonly botMode: 'webhook' | 'polling';
  readonly release: string;
  /** The number of the newest migration when this process started. */
  readonly schemaVersion: number;
  /** No update is taken while so many have no outcome. */
  readonly queueMax: number;
  botState(): BotState;
  /** Of the circuit before KIE.ai. */
  supplierState(): BreakerState;
}

/** A platform that asks gives up after some 5 s; before that it is to hear that the database does not answer. */
const readingLimits = { waitMs: 2_000, validMs: 500, abandonMs: 10_000 };

export function registerHealthRoutes(server: FastifyInstance, options: HealthOptions): void {
  const startedAt = performance.now();
  const latency = createReading(() => roundTripMs(options.database), readingLimits);
  const depth = createReading(() => options.updates.depth(), readingLimits);
  const lookAtLock = createLockView(options);

  server.get('/livez', async () => ({ ok: true }));

  server.get('/readyz', async (_request, reply) => {
    const ok = (await latency()) !== undefined;
    return reply.code(ok ? 200 : 503).send({ ok });
  });

  server.get('/health', async (_request, reply) => {
    const [latencyMs, queueDepth, lock] = await Promise.all([latency(), depth(), lookAtLock()]);
    const ok = latencyMs !== undefined && queueDepth !== undefined && lock.isKnown;
    return reply.code(ok ? 200 : 503).send({
      ok,
      status: ok ? 'ok' : 'degraded',
      uptime: Math.floor((performance.now() - startedAt) / 1_000),
      bot_state: options.botState(),
      ...lock.fields,
      queue_size: queueDepth ?? null,
      queue_depth: queueDepth ?? null,
      queue_max: options.queueMax,
      totals: totalsFields(options.totals),
      database: { ok, latency_ms: latencyMs === undefined ? null : inTenths(latencyMs) },
      supplier: options.supplierState(),
      schema_version: options.schemaVersion,
      instance_id: options.instanceId,
      instance_mode: options.instanceMode,
      bot_mode: options.botMode,
      release: options.release,
    });
  });

  server.get('/version', async () => ({
    name: service.name,
    version: service.version,
    release: options.release,
    schema_version: options.schemaVersion,
    node: process.version,
  }));
}

async function roundTripMs(database: HealthOptions['database']): Promise<number> {
  const askedAt = performance.now();
  await database.query('select 1');
  return performance.now() - askedAt;
}

/** What is known of the lock: of this instance at any time, of its holder while the database answers. */
function createLockView({ role, botState }: HealthOptions) {
  let latest: { readonly snapshot: LockSnapshot; readonly at: number } | undefined;
  const read = createReading(async () => {
    const snapshot = await role.snapshot();
    latest = { snapshot, at: performance.now() };
    return snapshot;
  }, readingLimits);

  /** undefined when the state has changed since the database last answered. */
  function stateAgeMs(): number | undefined {
    if (latest?.snapshot.state !== botState() || latest.snapshot.epoch !== role.lease().epoch)
      return undefined;
    return latest.snapshot.stateAgeMs + performance.now() - latest.at;
  }

  return async () => {
    const snapshot = await read();
    const holder = snapshot?.holder;
    const takeover = latest?.snapshot.takeover;
    const ageMs = stateAgeMs();
    const fields = {
      lock_state: botState(),
      lock_holder_pid: holder?.pid ?? null,
      lock_holder_instance_id: holder?.sessionOf ?? null,
      lock_idle_duration: ageMs === undefined ? null : inTenths(ageMs / 1_000),
      lock_heartbeat_age: holder ? inTenths(holder.heartbeatAgeMs / 1_000) : null,
      lock_takeover_event: takeover
        ? { instance_id: takeover.instanceId, reason: takeover.reason, at: takeover.at }
        : null,
      epoch: role.lease().epoch,
    };
    return { isKnown: snapshot !== undefined, fields };
  };
}

function totalsFields(totals: HealthOptions['totals']) {
  const { received, finished, refusedQueueFull } = totals.read();
  return { received, finished, refused_queue_full: refusedQueueFull };
}

function inTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
