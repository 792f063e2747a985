// What an instance can say of its own condition at any time, asked for by probes and by metrics. The database is asked
// on behalf of all who ask at about the same time; where it does not answer, what is known without it is still answered.
import type { IntakeProof } from '../inbox/intake-proof.ts';
import type { Holder } from '../lock/holder.ts';
import type { LockSnapshot } from '../lock/instance-lock.ts';
import type { Role } from '../lock/role.ts';
import type { WorkProof } from '../lock/work-proof.ts';
import type { BotState } from '../otel/fields.ts';
import type { Database } from '../storage/database.ts';
import { readFollowedLanes, readWaitingLanes } from '../storage/stalled-lanes.ts';
import type { UpdateStore } from '../storage/update-store.ts';
import { createReading, type Reading } from './reading.ts';

export interface LockHealth {
  /** False where the database did not answer; then only what this instance knows by itself is given. */
  readonly isKnown: boolean;
  readonly holder: Holder | undefined;
  /** The last one by this instance. */
  readonly takeover: LockSnapshot['takeover'];
  /** Since this instance became what it is; undefined when that was after the database last answered. */
  readonly stateAgeMs: number | undefined;
}

export interface Health {
  /** Of one round trip, a free connection included. */
  readonly databaseLatencyMs: Reading<number>;
  /** Updates without an outcome, of all instances. */
  readonly queueDepth: Reading<number>;
  /**
   * Updates wait for longer than the limit for somebody to work them, and nobody has worked any within it. False where
   * the database does not say how long they wait: `intake` says that.
   */
  isStalled(): Promise<boolean>;
  lock(): Promise<LockHealth>;
  /** Asks nobody. */
  work(): WorkHealth;
  intake(): Promise<IntakeHealth>;
}

export interface IntakeHealth {
  /** False where updates cannot be stored here, by what became of the last ones and by a question put now. */
  readonly isShown: boolean;
  /** Of the update that has waited the longest for being stored; undefined while none waits. */
  readonly waitingMs: number | undefined;
}

export interface WorkHealth {
  /** False where this instance should work and cannot show that it does, or gave its lease up for that reason last. */
  readonly isShown: boolean;
  /** Since it was shown last; undefined where nothing has to be, because this instance is PASSIVE. */
  readonly proofAgeMs: number | undefined;
}

export interface InstanceHealthOptions {
  readonly database: Pick<Database, 'query'>;
  readonly updates: Pick<UpdateStore, 'depth' | 'checkInsert'>;
  readonly intakeProof: Pick<IntakeProof, 'isShown' | 'waitingMs'>;
  readonly role: Pick<Role, 'lease' | 'snapshot' | 'proof'>;
  /** So long an update may wait for being worked while no other one ends; more than one alone may take to its end. */
  readonly stallLimitMs: number;
  botState(): BotState;
}

/** A platform that asks gives up after some 5 s; before that it is to hear that the database does not answer. */
const readingLimits = { waitMs: 2_000, validMs: 500, abandonMs: 10_000 };

/** Readings never reject; what has no answer in time is undefined. */
export function createHealth(options: InstanceHealthOptions): Health {
  const { updates, intakeProof } = options;
  const insertCheck = createReading(async () => {
    await updates.checkInsert();
    return true;
  }, readingLimits);
  return {
    databaseLatencyMs: createReading(() => roundTripMs(options.database), readingLimits),
    queueDepth: createReading(() => updates.depth(), readingLimits),
    isStalled: createStallReading(options),
    lock: createLockReading(options),
    work: () => workHealthOf(options.role.proof),
    async intake() {
      const isPossible = (await insertCheck()) === true;
      return { isShown: isPossible && intakeProof.isShown(), waitingMs: intakeProof.waitingMs() };
    },
  };
}

function createStallReading({ database, stallLimitMs }: InstanceHealthOptions): Health['isStalled'] {
  const waitingLanes = createReading(() => readWaitingLanes(database, stallLimitMs), readingLimits);
  const followedLanes = createReading(() => readFollowedLanes(database), readingLimits);
  return async () => {
    const lanes = await waitingLanes();
    if (!lanes?.length) return false;
    // Where this is not answered, what would be done in these lanes cannot be done either.
    const followed = new Set(await followedLanes());
    return lanes.some(lane => !followed.has(lane));
  };
}

function workHealthOf(proof: WorkProof): WorkHealth {
  return { isShown: proof.missing() === undefined && !proof.hasFailed(), proofAgeMs: proof.ageMs() };
}

async function roundTripMs(database: InstanceHealthOptions['database']): Promise<number> {
  const askedAt = performance.now();
  await database.query('select 1');
  return performance.now() - askedAt;
}

function createLockReading({ role, botState }: InstanceHealthOptions): Health['lock'] {
  let latest: { readonly snapshot: LockSnapshot; readonly at: number } | undefined;
  const read = createReading(async () => {
    const snapshot = await role.snapshot();
    latest = { snapshot, at: performance.now() };
    return snapshot;
  }, readingLimits);

  function stateAgeMs(): number | undefined {
    if (latest?.snapshot.state !== botState() || latest.snapshot.epoch !== role.lease().epoch)
      return undefined;
    return latest.snapshot.stateAgeMs + performance.now() - latest.at;
  }

  return async () => {
    const snapshot = await read();
    return {
      isKnown: snapshot !== undefined,
      holder: snapshot?.holder,
      takeover: latest?.snapshot.takeover,
      stateAgeMs: stateAgeMs(),
    };
  };
}
