// What platforms and people ask about this process. /livez: the event loop turns. /readyz: updates can be
// stored, whatever else is wrong, so that a deploy can finish. /health: the state in numbers. None of them
// calls Telegram or KIE.ai.
import type { FastifyInstance } from 'fastify';
import type { BotState } from '../otel/fields.ts';
import { service } from '../service.ts';
import type { Database } from '../storage/database.ts';
import type { UpdateStore } from '../storage/update-store.ts';

export interface HealthOptions {
  readonly database: Database;
  readonly updates: UpdateStore;
  readonly instanceId: string;
  readonly botMode: 'webhook' | 'polling';
  botState(): BotState;
}

const databaseTimeoutMs = 2_000;

export function registerHealthRoutes(server: FastifyInstance, options: HealthOptions): void {
  const startedAt = Date.now();

  server.get('/livez', async () => ({ ok: true }));

  server.get('/readyz', async (_request, reply) => {
    const database = await databaseState(options.database);
    return reply.code(database.ok ? 200 : 503).send({ ok: database.ok });
  });

  server.get('/health', async (_request, reply) => {
    const { queueDepth, ...database } = await queueState(options);
    return reply.code(database.ok ? 200 : 503).send({
      ok: database.ok,
      status: database.ok ? 'ok' : 'degraded',
      uptime: Math.round((Date.now() - startedAt) / 1_000),
      bot_state: options.botState(),
      bot_mode: options.botMode,
      instance_id: options.instanceId,
      queue_depth: queueDepth,
      database,
    });
  });

  server.get('/version', async () => ({
    name: service.name,
    version: service.version,
    node: process.version,
  }));
}

async function databaseState(database: Database): Promise<{ ok: boolean; latency_ms: number | null }> {
  try {
    const latencyMs = await database.ping(databaseTimeoutMs);
    return { ok: true, latency_ms: Math.round(latencyMs * 10) / 10 };
  } catch {
    // The reason is in the SYSTEM_WARNING lines; a probe is answered with the state only.
    return { ok: false, latency_ms: null };
  }
}

/** With the number of updates without an outcome; not well when they cannot be counted. */
async function queueState({
  database,
  updates,
}: HealthOptions): Promise<{ ok: boolean; latency_ms: number | null; queueDepth: number | null }> {
  const state = await databaseState(database);
  if (!state.ok) return { ...state, queueDepth: null };
  try {
    return { ...state, queueDepth: await updates.depth() };
  } catch {
    // As above: whoever asks for the health is told that it is bad, not why.
    return { ...state, ok: false, queueDepth: null };
  }
}
