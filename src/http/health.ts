// What platforms and people ask about this process. /livez: the event loop turns. /readyz: updates are stored here, an
// instance that should work has shown that it does, and what is stored is not left undone by all of them, for want of an
// ACTIVE one or of what each of them needs; whatever else is wrong, so that a deploy can finish. /health: the state in
// numbers; docs/operations.md says what each means. /version: which code runs. Anybody may ask, in any number: none of
// them calls Telegram or KIE.ai, what the database is asked is shared by all who ask at about the same time, and no
// answer holds a secret.
import type { FastifyInstance } from 'fastify';
import type { Health, LockHealth } from '../health/instance-health.ts';
import type { InboxTotals } from '../inbox/inbox-totals.ts';
import type { BreakerState } from '../kie/breaker.ts';
import type { CurrentLease } from '../lock/lease.ts';
import type { BotState } from '../otel/fields.ts';
import { service } from '../service.ts';
import type { SourceStatus } from '../telegram/source-watch.ts';
import { type ReadinessOptions, readinessOf } from './readiness.ts';

export interface HealthOptions extends ReadinessOptions {
  readonly health: Health;
  readonly lease: CurrentLease;
  readonly totals: Pick<InboxTotals, 'read'>;
  readonly instanceId: string;
  readonly instanceMode: 'single' | 'cluster';
  readonly release: string;
  /** The number of the newest migration when this process started. */
  readonly schemaVersion: () => number;
  /** No update is taken while so many have no outcome. */
  readonly queueMax: number;
  botState(): BotState;
  /** Of the circuit before KIE.ai. */
  supplierState(): BreakerState;
  /** Where Telegram brings updates, as the instance that is their source saw it last. */
  source(): SourceStatus | undefined;
}

export function registerHealthRoutes(server: FastifyInstance, options: HealthOptions): void {
  const { health } = options;
  const startedAt = performance.now();

  server.get('/livez', async () => ({ ok: true }));

  server.get('/readyz', async (_request, reply) => {
    const { reason } = await readinessOf(options);
    return reply.code(reason ? 503 : 200).send({ ok: !reason, reason: reason ?? null });
  });

  server.get('/health', async (_request, reply) => {
    const [latencyMs, queueDepth, lock, intake, readiness] = await Promise.all([
      health.databaseLatencyMs(),
      health.queueDepth(),
      health.lock(),
      health.intake(),
      readinessOf(options),
    ]);
    const isAnswered = latencyMs !== undefined && queueDepth !== undefined && lock.isKnown;
    const work = health.work();
    const reason = readiness.reason ?? (isAnswered ? undefined : 'database');
    const ok = !reason;
    return reply.code(ok ? 200 : 503).send({
      ok,
      reason: reason ?? null,
      status: ok ? 'ok' : 'degraded',
      uptime: Math.floor((performance.now() - startedAt) / 1_000),
      bot_state: options.botState(),
      lock_state: options.botState(),
      ...lockFields(lock),
      intake: {
        ok: intake.isShown,
        waiting_age: intake.waitingMs === undefined ? null : inTenths(intake.waitingMs / 1_000),
      },
      work: {
        ok: work.isShown && !readiness.isLeftUndone,
        proof_age: work.proofAgeMs === undefined ? null : inTenths(work.proofAgeMs / 1_000),
      },
      epoch: options.lease().epoch,
      queue_size: queueDepth ?? null,
      queue_depth: queueDepth ?? null,
      queue_max: options.queueMax,
      totals: totalsFields(options.totals),
      database: { ok: isAnswered, latency_ms: latencyMs === undefined ? null : inTenths(latencyMs) },
      supplier: options.supplierState(),
      telegram: sourceFields(options.source()),
      schema_version: options.schemaVersion(),
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
    schema_version: options.schemaVersion(),
    node: process.version,
  }));
}

function lockFields({ holder, takeover, stateAgeMs }: LockHealth) {
  return {
    lock_holder_pid: holder?.pid ?? null,
    lock_holder_instance_id: holder?.sessionOf ?? null,
    lock_idle_duration: stateAgeMs === undefined ? null : inTenths(stateAgeMs / 1_000),
    lock_heartbeat_age: holder ? inTenths(holder.heartbeatAgeMs / 1_000) : null,
    lock_takeover_event: takeover
      ? { instance_id: takeover.instanceId, reason: takeover.reason, at: takeover.at }
      : null,
  };
}

function sourceFields(status: SourceStatus | undefined) {
  if (!status) return null;
  return {
    state: status.state,
    pending_update_count: status.pendingUpdates ?? null,
    last_error: status.lastError ?? null,
    last_error_at: status.lastErrorAt?.toISOString() ?? null,
    checked_at: status.checkedAt?.toISOString() ?? null,
  };
}

function totalsFields(totals: HealthOptions['totals']) {
  const { received, finished, refusedQueueFull } = totals.read();
  return { received, finished, refused_queue_full: refusedQueueFull };
}

function inTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
