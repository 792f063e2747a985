// Owns the sandbox's sense of "something happened": every visible change gets the next number (its moment), and whoever
// waits for a condition is woken by a change instead of by a timer.
// Promises that a wait ends: with the value, with an error at its deadline that explains what was there instead, or with
// an error when the sandbox stops. Deadlines are real time; the sandbox's clock (`now`) has no part in them.

export interface Changes {
  /** The number of the latest change; what happened later has a greater one. */
  readonly moment: number;
  /** Counts one more change, stamps what has changed with its number, wakes the waiting and returns the number. */
  record(changed?: { moment: number }): number;
  /**
   * Resolves with the first value of `check` that is not undefined. `check` is called now and after each change and
   * must be cheap. Rejects after `deadlineMs` with the text of `explain`.
   */
  until<T>(check: () => T | undefined, deadlineMs: number, explain: () => string): Promise<T>;
  /** Rejects everything that still waits. */
  stop(): void;
}

interface Waiter {
  attempt(): void;
  fail(reason: string): void;
}

export function createChanges(): Changes {
  const waiters = new Set<Waiter>();
  let moment = 0;
  let stopped = false;
  return {
    get moment() {
      return moment;
    },
    record(changed) {
      moment += 1;
      if (changed !== undefined) changed.moment = moment;
      for (const waiter of waiters) waiter.attempt();
      return moment;
    },
    until(check, deadlineMs, explain) {
      const now = check();
      if (now !== undefined) return Promise.resolve(now);
      if (stopped) return Promise.reject(new Error(`the sandbox was stopped: ${explain()}`));
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          attempt() {
            try {
              const value = check();
              if (value === undefined) return;
              leave();
              resolve(value);
            } catch (error) {
              leave();
              reject(error);
            }
          },
          fail(reason) {
            leave();
            reject(new Error(`${reason}: ${explain()}`));
          },
        };
        const timer = setTimeout(() => waiter.fail(`nothing after ${deadlineMs} ms`), deadlineMs);
        const leave = () => {
          clearTimeout(timer);
          waiters.delete(waiter);
        };
        waiters.add(waiter);
      });
    },
    stop() {
      stopped = true;
      for (const waiter of waiters) waiter.fail('the sandbox was stopped');
    },
  };
}
