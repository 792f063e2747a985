// What a replay begins with: the chain of an update, the state it met, the update itself, and what of the bot's settings
// counts for everybody. Everything is read before anything is started; where something is missing it says what, and why.
import { type DispatchSnapshot, dispatchSnapshotSchema } from '../../src/bot/dispatch-snapshot.ts';
import type { ModelSetting } from '../../src/catalogue/catalogue.ts';
import { type Chain, numberOf, textOf, updateIdOf } from '../../src/diagnosis/chain.ts';
import { AppError } from '../../src/errors.ts';
import type { JournalRow } from '../../src/otel/journal-row.ts';
import type { Queryable } from '../../src/storage/database.ts';
import { createModelSettings } from '../../src/storage/model-settings.ts';
import {
  createPastStore,
  type PastTask,
  type PastUpdate,
  type PastWallet,
} from '../../src/storage/past-store.ts';
import { readIncoming } from '../../src/telegram/incoming.ts';
import { decodeButton } from '../../src/ui/codec.ts';

export interface Past {
  readonly chain: Chain;
  readonly snapshot: DispatchSnapshot;
  readonly update: PastUpdate;
  readonly wallet: PastWallet;
  /** The generation that the tapped button names, if it had ended by then. */
  readonly task: PastTask | undefined;
  /** Prices and switches of administrators as they are now. */
  readonly settings: readonly ModelSetting[];
  /** The models whose settings have been changed since. */
  readonly changedSettings: readonly string[];
  /** Of the bot that worked it. */
  readonly release: string;
  /** An administrator did it. */
  readonly isByAdmin: boolean;
}

/** `rows`: what the journal has of the chain. Throws AppError REPLAY_IMPOSSIBLE with a sentence that says why. */
export async function readPast(
  database: Queryable,
  chain: Chain,
  rows: readonly JournalRow[],
): Promise<Past> {
  const dispatch = dispatchOf(chain, rows);
  const snapshot = dispatchSnapshotOf(dispatch);
  const store = createPastStore(database);
  const update = await updateOf(chain, store);
  return {
    chain,
    snapshot,
    update,
    wallet: await store.wallet(update.lane, dispatch.at, {
      taskIds: [...new Set(chain.events.flatMap(event => textOf(event, 'task_id') ?? []))],
      welcome: welcomeCreditOf(chain) !== undefined,
    }),
    task: await taskOf(update, dispatch.at, store),
    settings: await createModelSettings(database).all(),
    changedSettings: await store.settingsChangedSince(dispatch.at),
    release: dispatch.release,
    isByAdmin: chain.events.some(({ name }) => name === 'DEBUG_COMMAND'),
  };
}

/** Of several attempts the last one, which led to the outcome. */
function dispatchOf(chain: Chain, rows: readonly JournalRow[]): JournalRow {
  const dispatch = rows.findLast(
    ({ traceId, spanName }) => traceId === chain.traceId && spanName === 'dispatch update',
  );
  if (dispatch) return dispatch;
  const refused = chain.events.some(event => textOf(event, 'reason_code') === 'PASSIVE_REJECT');
  throw impossible(
    refused
      ? `The update ${chain.cid} was refused because no instance was ACTIVE: no handler has seen it, there is nothing to replay.`
      : `The update ${chain.cid} has not been dispatched, or the journal has no row of that yet: ask \`trt trace ${chain.cid}\`.`,
  );
}

function dispatchSnapshotOf({ cid, before }: JournalRow): DispatchSnapshot {
  if (before === undefined)
    throw impossible(
      `The journal does not know the state that the update ${cid} met, so it cannot be restored.`,
    );
  const parsed = dispatchSnapshotSchema.safeParse(before);
  if (parsed.success) return parsed.data;
  throw impossible(
    `The state that the update ${cid} met is written in a way that this release does not read: replay it with the release that worked it.`,
  );
}

async function updateOf(chain: Chain, store: ReturnType<typeof createPastStore>): Promise<PastUpdate> {
  const updateId = updateIdOf(chain);
  const update = updateId === undefined ? undefined : await store.update(chain.traceId, updateId);
  if (!update)
    throw impossible(
      `The update ${chain.cid} is no longer stored: updates are deleted 7 days after they ended. What is known of it: \`trt trace ${chain.cid}\`.`,
    );
  const { update_id: _id, ...content } = Object(update.body);
  if (Object.keys(content).length === 0)
    throw impossible(`What the update ${chain.cid} held is no longer stored: its user was erased.`);
  return update;
}

async function taskOf(
  update: PastUpdate,
  at: Date,
  store: ReturnType<typeof createPastStore>,
): Promise<PastTask | undefined> {
  const id = taskIdOf(update);
  return id === undefined ? undefined : store.endedTask(id, update.lane, at);
}

/** In kopecks; undefined where the update gave none, as every one but a user's first. */
export function welcomeCreditOf({ events }: Chain): number | undefined {
  return numberOf(
    events.find(event => event.name === 'BALANCE_TOPUP' && textOf(event, 'operation') === 'welcome'),
    'amount',
  );
}

/** The generation that the tapped button names. */
export function taskIdOf({ body }: PastUpdate): string | undefined {
  const decoded = decodeButton(readIncoming(body)?.callbackData ?? '');
  if (!decoded.ok) return undefined;
  const { button, args } = decoded;
  return ['retry', 'original', 'redeliver'].includes(button) ? String(args[0]) : undefined;
}

function impossible(message: string): AppError {
  return new AppError({ code: 'REPLAY_IMPOSSIBLE', message });
}
