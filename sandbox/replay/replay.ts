// Plays an update once more: the whole bot with stand-ins, in the state of then, gets it through its own webhook. Of the
// environment only the rates count, which decide what things cost; nothing of a real bot gets in. What the bot emits is
// kept here and goes nowhere else.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Chain, chainsOf, isUpdateEnd } from '../../src/diagnosis/chain.ts';
import { parseLines } from '../../src/diagnosis/lines.ts';
import { AppError } from '../../src/errors.ts';
import { createLifecycle, type Lifecycle } from '../../src/lifecycle.ts';
import { carryContext } from '../../src/otel/context-manager.ts';
import { Secret } from '../../src/secret.ts';
import type { Queryable } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createModelSettings } from '../../src/storage/model-settings.ts';
import { createEventLog, type EventLog } from '../stage/event-log.ts';
import { forgetDatabaseVariables } from '../stage/refusal.ts';
import { handleSignals } from '../stage/signals.ts';
import { type Stage, startStage } from '../stage/stage.ts';
import { impatientTimings } from '../stage/timings.ts';
import { connect } from './connection.ts';
import { disguised } from './disguise.ts';
import { createGround } from './ground.ts';
import type { Notes } from './notes.ts';
import type { Past } from './past.ts';
import { restore } from './restoration.ts';
import { type Environment, noteVariables, variablesOf } from './variables.ts';

export interface Replayed {
  /** Of the replay. */
  readonly chain: Chain;
  readonly notes: Notes;
}

/** Above those that the stand-in gives its users. */
const userId = 6_200_000_001;
const adminId = 6_200_000_002;
const outcomeDeadlineMs = 20_000;
const generationDeadlineMs = 60_000;
const lookEveryMs = 20;
const kieStepMs = 10;

/**
 * Resolves when the replay has ended, with all that it led to, and nothing of the sandbox is left. Throws AppError
 * SANDBOX_REFUSED where there is no sandbox, TIMEOUT when the update has no outcome in time.
 */
export async function replay(past: Past, environment: Environment): Promise<Replayed> {
  const lifecycle = createLifecycle();
  const lines: string[] = [];
  const eventLog = createEventLog(line => void lines.push(line));
  forgetDatabaseVariables(process.env);
  // And no SDK: nothing of this is exported.
  carryContext();
  const starting = startStage({
    eventLog,
    announce: () => () => undefined,
    onStop: lifecycle.onStop,
    kieStepMs,
    prepare: url => copySettings(past, url),
    environment: variablesOf(past, environment, { userId, adminId }),
    overrides: { timings: impatientTimings },
  });
  const interruption = new AbortController();
  const leaveSignals = handleSignals({ interruption, starting, stop: lifecycle.stop, isQuiet: true });
  try {
    const stage = await starting;
    if (interruption.signal.aborted) throw interrupted();
    const { cid, notes } = await play(past, stage, eventLog, lifecycle);
    // What follows an outcome is emitted by the time the bot has stopped; what comes later belongs to the shutdown.
    await stage.app.stop();
    const [chain] = chainsOf(parseLines(lines.join('\n')).events.filter(({ fields }) => fields.cid === cid));
    if (!chain) throw tooLate('The bot of the sandbox has emitted nothing of the update.');
    return { chain, notes };
  } catch (error) {
    // Whatever fails while it is taken down fails for that.
    if (interruption.signal.aborted) throw interrupted(error);
    throw isNotInstalled(error) ? withoutSandbox(error) : error;
  } finally {
    await lifecycle.stop();
    leaveSignals();
  }
}

/** Resolves when the update has its outcome and nothing that it started is under way. */
async function play(
  past: Past,
  stage: Stage,
  eventLog: EventLog,
  { onStop }: Pick<Lifecycle, 'onStop'>,
): Promise<{ readonly cid: string; readonly notes: Notes }> {
  const { telegram, databaseUrl } = stage;
  const database = await connect(databaseUrl);
  onStop('connection of the replay', () => database.stop());
  telegram.user({ id: adminId, started: true });
  const user = telegram.user({ id: userId, started: true });
  const ground = createGround(past, { ...stage, database }, user);
  noteVariables(past, stage.config, ground.notes);
  const tapped = await restore(ground);
  const sent = telegram.sendRaw(disguised(past.update.body, { userId, tapped }));
  const cidOf = (): string | undefined => eventLog.cidOf(sent.updateId);
  if (!(await eventLog.until(() => eventLog.chain(cidOf() ?? '').some(isUpdateEnd), outcomeDeadlineMs)))
    throw tooLate(`The update had no outcome within ${outcomeDeadlineMs / 1_000} s of its replay.`);
  await generationEnded(database);
  return { cid: cidOf() ?? '', notes: ground.notes };
}

async function generationEnded(database: Queryable): Promise<void> {
  const endsAt = Date.now() + generationDeadlineMs;
  for (;;) {
    const { rows } = await database.query<{ busy: boolean }>('select user_is_busy($1) as busy', [userId]);
    if (rows[0]?.busy === false) return;
    if (Date.now() > endsAt)
      throw tooLate(`The generation had not ended within ${generationDeadlineMs / 1_000} s of its replay.`);
    await sleep(lookEveryMs);
  }
}

async function copySettings({ settings }: Past, url: string): Promise<void> {
  await migrate(new Secret(url));
  const database = await connect(url);
  try {
    const store = createModelSettings(database);
    for (const { modelId, credits, disabledReason } of settings) {
      if (credits !== null) await store.setPrice(modelId, credits, 'replay');
      if (disabledReason !== null) await store.disable(modelId, disabledReason, 'replay');
    }
  } finally {
    await database.stop();
  }
}

/** The stand-ins are for development: an install for production leaves the embedded Postgres out. */
function isNotInstalled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(ERR_)?MODULE_NOT_FOUND$/.test(String(error.code));
}

function withoutSandbox(cause: unknown): AppError {
  return new AppError({
    code: 'SANDBOX_REFUSED',
    message:
      'There is no sandbox here, as in every install for production: replay from a checkout with `npm ci`, with the DATABASE_URL of the bot.',
    cause,
  });
}

function interrupted(cause?: unknown): AppError {
  return new AppError({ code: 'REPLAY_IMPOSSIBLE', message: 'The replay was interrupted.', cause });
}

function tooLate(message: string): AppError {
  return new AppError({ code: 'TIMEOUT', message });
}
