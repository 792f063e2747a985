// Whether Telegram still brings its updates here: the instance that is their source asks once a minute where they go
// (getWebhookInfo). Somebody else who has the token can point the webhook elsewhere, delete it, change its secret or
// poll; what is ours to set right is set right, without dropping an update. Two bots with one token would take turns
// for ever, so each time is followed by a longer pause, and the line says what to do. A Telegram that does not answer is
// a state of its own: what was seen before says nothing of now.
import { type Api, GrammyError, HttpError } from 'grammy';
import type { WebhookInfo } from 'grammy/types';
import { errorMessage } from '../errors.ts';
import { underLease } from '../lock/lease.ts';
import type { Tenure } from '../lock/tenure.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { refusalOf } from './refusal.ts';
import { allowedUpdates } from './registration.ts';

export type SourceState =
  | 'ok'
  /** There is no webhook. */
  | 'webhook_lost'
  /** There is one, and it is not ours, or none should be. */
  | 'webhook_foreign'
  /** It is ours, with other kinds of updates or another secret. */
  | 'webhook_changed'
  /** It is ours, and Telegram cannot deliver. */
  | 'webhook_failing'
  /** Somebody else polls. */
  | 'poll_conflict'
  /** Telegram has not answered two looks in a row. */
  | 'unreachable'
  /** Telegram has refused two looks in a row: it does not know the token of this bot. */
  | 'token_refused';

/** As it was at the last look. While Telegram gives no answer all but the state is of the last answer. */
export interface SourceStatus {
  readonly state: SourceState;
  /** Updates that wait at Telegram; undefined before its first answer. */
  readonly pendingUpdates: number | undefined;
  /** What Telegram said of the last delivery that failed, which may be long ago. */
  readonly lastError: string | undefined;
  readonly lastErrorAt: Date | undefined;
  /** When Telegram answered last; undefined before its first answer. */
  readonly checkedAt: Date | undefined;
}

export interface SourceWatch {
  /** Once this instance has registered, and for as long as it is the source. */
  start(tenure: SourceTenure): Watching;
  /** A poll was refused with 409; `description` is Telegram's. */
  conflict(description: string): void;
  /** undefined where this instance is not the source, or has not looked yet. */
  status(): SourceStatus | undefined;
}

/** Of an instance that is the source. */
export type SourceTenure = Pick<Tenure, 'lease' | 'isLost'>;

export interface Watching {
  /** Nothing is concluded any more from what is asked now. */
  stop(): void;
  /** Resolves when a look that is under way has ended. */
  settled(): Promise<void>;
}

export interface SourceWatchOptions {
  readonly api: Pick<Api, 'getWebhookInfo'>;
  /** Where Telegram is to send updates; undefined while polling. */
  readonly address: () => string | undefined;
  /** Sets the webhook, or deletes it while polling; updates that wait are kept. */
  readonly restore: () => Promise<void>;
  readonly telemetry: Pick<Telemetry, 'emit' | 'warn' | 'scrub'>;
  readonly lookEveryMs?: number;
}

const minuteMs = 60_000;
const longestPauseMs = 15 * minuteMs;
const revoke = 'If it happens again, somebody else uses the token of this bot: revoke it at @BotFather';

export function createSourceWatch(options: SourceWatchOptions): SourceWatch {
  const { api, address, restore, telemetry, lookEveryMs = minuteMs } = options;
  let latest: SourceStatus | undefined;
  /** Of the source that this instance is now. */
  let current: SourceTenure | undefined;
  let looking: Promise<void> | undefined;
  /** Epoch milliseconds. An error that Telegram reports counts only when it is newer than this. */
  let restoredAt = 0;
  let restorations = 0;
  let nextRestorationAt = 0;
  /** When the error happened that was new at the look before; epoch milliseconds. */
  let failingSince: number | undefined;
  let conflicts: readonly number[] = [];
  let conflictEmittedAt = 0;
  /** Looks in a row without an answer. */
  let missed = 0;

  function emitWarning(state: SourceState, message: string): void {
    telemetry.emit('SYSTEM_WARNING', {
      operation: 'source of updates',
      error_type: state.toUpperCase(),
      error_message: telemetry.scrub(message),
    });
  }

  async function look(tenure: SourceTenure): Promise<void> {
    const answer = await api.getWebhookInfo().then(
      info => ({ info }),
      (error: unknown) => ({ error }),
    );
    // Another instance may have become the source meanwhile. What it has registered was not set by a stranger.
    if (tenure !== current || tenure.isLost()) return;
    if ('error' in answer) return miss(answer.error);
    missed = 0;
    const { info } = answer;
    const state = stateOf(info);
    latest = {
      state,
      pendingUpdates: info.pending_update_count,
      lastError: info.last_error_message && telemetry.scrub(info.last_error_message),
      lastErrorAt: info.last_error_date ? new Date(info.last_error_date * 1_000) : undefined,
      checkedAt: new Date(),
    };
    if (state === 'webhook_failing')
      emitWarning(
        state,
        `Telegram cannot deliver updates: ${info.last_error_message}; ${info.pending_update_count} wait`,
      );
    if (state === 'webhook_lost' || state === 'webhook_foreign' || state === 'webhook_changed')
      await setRight(state, info, tenure);
    else if (Date.now() - restoredAt > longestPauseMs) restorations = 0;
  }

  /** A single look may fail by chance. A state that lasts has one event, and ends by itself. */
  function miss(error: unknown): void {
    missed += 1;
    const state = missed > 1 ? silenceOf(error) : undefined;
    if (state === undefined) throw error;
    if (latest?.state === state) return;
    latest = {
      ...(latest ?? { pendingUpdates: undefined, lastError: undefined, lastErrorAt: undefined }),
      state,
      checkedAt: latest?.checkedAt,
    };
    const detail = refusalOf(error)?.detail ?? errorMessage(error);
    emitWarning(
      state,
      `${detail}, ${missed} times in a row; Telegram keeps the updates. It is asked again and again.`,
    );
  }

  function stateOf(info: WebhookInfo): SourceState {
    const ours = address();
    const { url = '' } = info;
    const errorAt = (info.last_error_date ?? 0) * 1_000;
    const isNew = errorAt > restoredAt && errorAt > (failingSince ?? 0);
    const failedBefore = failingSince !== undefined;
    failingSince = isNew && info.pending_update_count > 0 ? errorAt : undefined;
    if (url !== (ours ?? '')) return url === '' ? 'webhook_lost' : 'webhook_foreign';
    if (ours === undefined) return recentConflicts().length > 1 ? 'poll_conflict' : 'ok';
    if (!isSameSet(info.allowed_updates ?? [], allowedUpdates)) return 'webhook_changed';
    if (errorAt > restoredAt && / 401 /.test(`${info.last_error_message} `)) return 'webhook_changed';
    // A single failure is a restart, and 429 is the answer of this bot itself while it is full.
    const isFailing =
      failedBefore && failingSince !== undefined && !/ 429 /.test(`${info.last_error_message} `);
    return isFailing ? 'webhook_failing' : 'ok';
  }

  async function setRight(state: SourceState, info: WebhookInfo, tenure: SourceTenure): Promise<void> {
    const what = describe(state, info);
    const waitMs = nextRestorationAt - Date.now();
    if (waitMs > 0) {
      const until = new Date(nextRestorationAt).toISOString();
      emitWarning(
        state,
        `${what} again. It was set right ${restorations} times and is left so until ${until}. ${revoke}`,
      );
      return;
    }
    await underLease(tenure.lease, restore, tenure.isLost);
    restorations += 1;
    // Telegram's times are whole seconds.
    restoredAt = Date.now() + 1_000;
    nextRestorationAt = Date.now() + Math.min(longestPauseMs, lookEveryMs * (2 ** restorations - 2));
    emitWarning(state, `${what}; it was set right. ${revoke}`);
  }

  function recentConflicts(): readonly number[] {
    conflicts = conflicts.filter(at => Date.now() - at < minuteMs);
    return conflicts;
  }

  function lookAgain(): void {
    if (current === undefined || looking !== undefined) return;
    looking = look(current)
      .catch((error: unknown) => telemetry.warn('look where updates go', error))
      .finally(() => {
        looking = undefined;
      });
  }

  return {
    start(tenure) {
      current = tenure;
      // The caller has registered the source just before this.
      restoredAt = Date.now() + 1_000;
      const timer = setInterval(lookAgain, lookEveryMs);
      return {
        stop() {
          clearInterval(timer);
          if (current !== tenure) return;
          current = undefined;
          latest = undefined;
          missed = 0;
        },
        settled: async () => looking,
      };
    },
    conflict(description) {
      if (/webhook/.test(description)) {
        lookAgain();
        return;
      }
      conflicts = [...recentConflicts(), Date.now()];
      // A single conflict is the last poll of an instance that has just been succeeded.
      if (conflicts.length < 2 || Date.now() - conflictEmittedAt < minuteMs) return;
      conflictEmittedAt = Date.now();
      emitWarning(
        'poll_conflict',
        `Somebody else polls with the token of this bot and takes its updates. ${revoke}`,
      );
      lookAgain();
    },
    status: () => latest,
  };
}

/** Of a foreign address only the host is named, because its path may hold a token. */
function describe(state: SourceState, { url = '' }: WebhookInfo): string {
  if (state === 'webhook_lost') return 'The webhook was deleted';
  if (state === 'webhook_changed') return 'The kinds of updates or the secret of the webhook were changed';
  return `A webhook was set to ${URL.canParse(url) ? new URL(url).host : 'another address'}`;
}

/** undefined for an answer that says nothing of it, such as one that asks to wait. */
function silenceOf(error: unknown): 'unreachable' | 'token_refused' | undefined {
  if (error instanceof HttpError) return 'unreachable';
  if (!(error instanceof GrammyError)) return undefined;
  // Telegram answers 404 to what does not even have the form of a token.
  if (error.error_code === 401 || error.error_code === 404) return 'token_refused';
  return error.error_code >= 500 ? 'unreachable' : undefined;
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && others.every(other => some.includes(other));
}
