// Waits at the start for what the bot cannot begin without: the database, Telegram. A platform starts everything at the
// same time, and a database that is restarted comes back within seconds: ending the process would only make the platform
// start it again. What no waiting can pass (a wrong token, a wrong password) is refused at once, by the name of the
// variable to correct.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, errorMessage, errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';

/** Something that must answer before the bot can begin. */
export interface Needed<T> {
  /** What and where it is, and the variable that leads to it, without secrets. */
  readonly name: string;
  /** `limitMs`: how long one asking may take, so that the wait is logged and can end. */
  readonly ask: (limitMs: number) => Promise<T>;
  /** Why that can never pass and what to correct, as a sentence; undefined where it may pass by itself. */
  readonly refusal: (error: unknown) => string | undefined;
}

export interface StartWait {
  /**
   * Resolves to its answer; logs each time what is waited for. Rejects with AppError CONFIG_INVALID when it can never
   * pass, TIMEOUT when the time for all waits is over, and an AbortError when the start is given up.
   */
  until<T>(needed: Needed<T>): Promise<T>;
}

export interface StartWaitOptions {
  /** For all waits together, from now. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly telemetry: Pick<Telemetry, 'emit' | 'scrub'>;
}

const firstPauseMs = 250;
const lastPauseMs = 5_000;
const shortestAskMs = 2_000;
const longestAskMs = 5_000;

export function createStartWait({ timeoutMs, signal, telemetry }: StartWaitOptions): StartWait {
  const endsAt = performance.now() + timeoutMs;
  return {
    async until({ name, ask, refusal }) {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, lastPauseMs)) {
        signal.throwIfAborted();
        try {
          return await ask(Math.max(shortestAskMs, Math.min(longestAskMs, endsAt - performance.now())));
        } catch (error) {
          const refused = refusal(error);
          if (refused !== undefined)
            throw new AppError({ code: 'CONFIG_INVALID', message: refused, cause: error });
          const leftMs = endsAt - performance.now();
          const reason = reasonOf(error);
          if (leftMs <= 0)
            throw new AppError({
              code: 'TIMEOUT',
              message: `${name.charAt(0).toUpperCase()}${name.slice(1)} did not answer within ${inSeconds(timeoutMs)} s (BOOT_TIMEOUT_SECONDS): ${reason}`,
              cause: error,
            });
          const waitMs = Math.min(pauseMs, leftMs);
          telemetry.emit('SYSTEM_WARNING', {
            operation: 'start',
            error_type: errorType(error),
            error_message: telemetry.scrub(
              `Waiting for ${name}: ${reason}. It is asked again in ${inSeconds(waitMs)} s, for ${inSeconds(leftMs)} s more`,
            ),
          });
          await sleep(waitMs, undefined, { signal });
        }
      }
    },
  };
}

/** Node tries several addresses of one name, and then says nothing itself. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map(errorMessage).join(', ');
  return errorMessage(error);
}

function inSeconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
