// The circuit breaker before one host of KIE.ai. After so many calls in a row without a usable answer it opens:
// nothing is sent for a while, then one call at a time probes. A refusal is an answer: the host is well. One
// event says that it opened and one that it closed, however many probes fail in between.
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  noJitterGenerator,
} from 'cockatiel';
import { errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Answer } from './answer-envelope.ts';
import { meaningOf } from './codes.ts';
import { ConnectFailure, Withheld } from './connection.ts';

/** `open` lasts until the next call that may probe, so it can outlive its pause where nobody calls. */
export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerLimits {
  readonly failuresToOpen: number;
  /** Until the first probe; doubles with each probe that fails. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export interface BreakerOptions extends Partial<BreakerLimits> {
  /** For the operator. */
  readonly host: string;
  readonly telemetry: Pick<Telemetry, 'emit'>;
}

export interface Breaker {
  /** Runs `call`, or rejects with CircuitOpen without running it. */
  guard(call: () => Promise<Answer | undefined>): Promise<Answer | undefined>;
  state(): BreakerState;
}

/** The host is known to be down: nothing was sent. */
export class CircuitOpen extends Error {
  constructor(host: string) {
    super(`${host} is not called: its circuit is open`);
    this.name = 'CircuitOpen';
  }
}

const production: BreakerLimits = { failuresToOpen: 10, firstPauseMs: 5_000, longestPauseMs: 30_000 };

const stateNames: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
};

export function createBreaker(options: BreakerOptions): Breaker {
  const { host, telemetry } = options;
  const limits = { ...production, ...options };
  const policy = circuitBreaker(handleWhen(isOfHost), {
    breaker: new ConsecutiveBreaker(limits.failuresToOpen),
    halfOpenAfter: new ExponentialBackoff({
      generator: noJitterGenerator,
      initialDelay: limits.firstPauseMs,
      maxDelay: limits.longestPauseMs,
    }),
  });

  let downSince: number | undefined;
  policy.onBreak(last => {
    if (downSince !== undefined) return;
    downSince = performance.now();
    const why = 'error' in last ? rootType(last.error) : 'isolated';
    telemetry.emit('SUPPLIER_DOWN', {
      reason_code: 'DOWNSTREAM_ERROR',
      error_type: why,
      error_message: `${host} failed ${limits.failuresToOpen} times in a row, last with ${why}; nothing is sent to it until a probe succeeds`,
    });
  });
  policy.onReset(() => {
    telemetry.emit('SUPPLIER_UP', {
      reason_detail: `${host} answers again`,
      duration_ms: Math.round(performance.now() - (downSince ?? performance.now())),
    });
    downSince = undefined;
  });

  return {
    async guard(call) {
      // The policy would let others wait for the probe, as long as that takes.
      if (policy.state === CircuitState.HalfOpen) throw new CircuitOpen(host);
      try {
        return await policy.execute(async () => {
          const answer = await call();
          if (isOutage(answer)) throw new Outage(answer);
          return answer;
        });
      } catch (error) {
        if (error instanceof Outage) return error.answer;
        throw error instanceof BrokenCircuitError ? new CircuitOpen(host) : error;
      }
    },
    state: () => stateNames[policy.state],
  };
}

/** Carries an answer that shows a broken host through the policy, which counts errors. */
class Outage extends Error {
  readonly answer: Answer | undefined;

  constructor(answer: Answer | undefined) {
    super('The answer is that of a broken server');
    this.name = answer ? `code_${answer.code}` : 'NoEnvelope';
    this.answer = answer;
  }
}

/** No envelope of KIE, or one that reports an error of its server. */
function isOutage(answer: Answer | undefined): boolean {
  if (!answer) return true;
  const { kind } = meaningOf(answer.code, answer.text);
  return kind === 'server' || (kind === 'undocumented' && answer.code >= 500);
}

/** What we did not send says nothing of the host. */
function isOfHost(error: unknown): boolean {
  return !(error instanceof Withheld);
}

function rootType(error: unknown): string {
  return errorType(error instanceof ConnectFailure ? error.cause : error);
}
