// Owns the failures that a test has planned: each waits for the first call that it matches and strikes it.
// Promises that a plan is never lost in silence: what has never struck is listed in `unmet`.
// It does not carry a fault out; that is done where calls are answered (http-server.ts).

interface FaultTarget {
  /**
   * Strikes only calls of this method; `file` is the download of a file. Without it any method but getUpdates, which a
   * poller repeats all the time.
   */
  readonly method?: string;
  /** Strikes only calls that concern this chat. */
  readonly chatId?: number;
  /** How many calls it strikes; 1 if not given. */
  readonly times?: number;
}

export type Fault = FaultTarget &
  (
    | {
        /** The method is not executed and this error is answered. */
        readonly kind: 'error';
        readonly code: number;
        readonly description: string;
        /** Seconds; fills `parameters.retry_after` and the Retry-After header. */
        readonly retryAfter?: number;
        /** 'html' is what a proxy in front of a broken server sends. */
        readonly body?: 'json' | 'html';
      }
    /** Not executed, and answered with these bytes, whatever they are, under a 200. */
    | { readonly kind: 'nonsense'; readonly body: string }
    /** Not executed and never answered. */
    | { readonly kind: 'hang' }
    /** Not executed; the connection is reset. */
    | { readonly kind: 'reset' }
    /** Executed; then the connection is closed without an answer. */
    | { readonly kind: 'lost-answer' }
    /** Executed after a wait. */
    | { readonly kind: 'delay'; readonly ms: number }
  );

/** The name under which faults know the download of a file. */
export const FILE_DOWNLOAD = 'file';

export interface Faults {
  /** What was planned and has never struck. */
  readonly unmet: readonly Fault[];
  /** How many calls were struck so far. */
  readonly struck: number;
  plan(fault: Fault): void;
  /** Drops all plans, also as unmet. */
  clear(): void;
  /** Finds the oldest plan for this call and uses it up by one. */
  take(method: string, chatId: number | undefined): Fault | undefined;
}

interface Plan {
  readonly fault: Fault;
  left: number;
  hasStruck: boolean;
}

export function createFaults(): Faults {
  let plans: Plan[] = [];
  let struck = 0;
  return {
    get unmet() {
      return plans.filter(plan => !plan.hasStruck).map(plan => plan.fault);
    },
    get struck() {
      return struck;
    },
    plan(fault) {
      plans.push({ fault, left: fault.times ?? 1, hasStruck: false });
    },
    clear() {
      plans = [];
    },
    take(method, chatId) {
      const plan = plans.find(({ fault }) => matches(fault, method, chatId));
      if (plan === undefined) return undefined;
      plan.hasStruck = true;
      struck += 1;
      plan.left -= 1;
      if (plan.left <= 0) plans = plans.filter(other => other !== plan);
      return plan.fault;
    },
  };
}

function matches(fault: Fault, method: string, chatId: number | undefined): boolean {
  const isMethod =
    fault.method === undefined
      ? method !== 'getUpdates' && method !== FILE_DOWNLOAD
      : fault.method.toLowerCase() === method.toLowerCase();
  return isMethod && (fault.chatId === undefined || fault.chatId === chatId);
}
