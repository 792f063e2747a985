// Watches the instances from outside, as a platform and an operator do: what they say of themselves, how long work has
// been owed, how much memory they take. An instance that nothing keeps from working, and that says it is ready all the
// time while work is owed for longer than the limit, breaks the promise that nothing is ever healthy and idle.
import type { Finding, MemoryPeak } from '../history/history.ts';
import type { Ground } from './ground.ts';
import { staleIdleSeconds } from './ground.ts';
import type { Slot } from './slot.ts';

export interface Monitor {
  readonly findings: readonly Finding[];
  readonly peaks: readonly MemoryPeak[];
  /** The longest that an update has waited for its outcome, in milliseconds. */
  readonly longestOwedMs: number;
  readonly samples: number;
  stop(): Promise<void>;
}

export interface MonitorOptions {
  readonly ground: Pick<Ground, 'ask'> & { readonly slots: readonly WatchedSlot[] };
  /** Whether a fault keeps this instance from working now. */
  readonly isStruck: (slot: WatchedSlot) => boolean;
  /** How long one and the same update may be owed while an instance says that it is ready. */
  readonly owedLimitMs?: number;
}

type WatchedSlot = Pick<Slot, 'number' | 'port' | 'isUp' | 'residentMegabytes'>;

const memoryLimitMegabytes = 400;
const everyMs = 250;
/** From one sample to the next at most so much counts: when this process itself was kept waiting, so were the others. */
const countedMs = 400;
const answerLimitMs = 2_000;
const defaultOwedLimitMs = (staleIdleSeconds + 5) * 1_000;

interface Watched {
  readonly slot: WatchedSlot;
  /** How long it has said that it is ready, with nothing in its way, while the oldest work was owed. */
  ableMs: number;
  peakMegabytes: number;
}

export function startMonitor({
  ground,
  isStruck,
  owedLimitMs = defaultOwedLimitMs,
}: MonitorOptions): Monitor {
  const findings: Finding[] = [];
  const watched: Watched[] = ground.slots.map(slot => ({ slot, ableMs: 0, peakMegabytes: 0 }));
  let oldest: string | undefined;
  let isTold = false;
  let longestOwedMs = 0;
  let samples = 0;
  let lastAt = performance.now();
  let stopping = false;

  async function sample(): Promise<void> {
    samples += 1;
    const now = performance.now();
    const passedMs = Math.min(now - lastAt, countedMs);
    lastAt = now;
    for (const each of watched)
      each.peakMegabytes = Math.max(each.peakMegabytes, each.slot.residentMegabytes() ?? 0);
    const [owed, ready] = await Promise.all([
      readOldest(ground),
      Promise.all(watched.map(({ slot }) => isReady(slot))),
    ]);
    if (owed !== undefined) longestOwedMs = Math.max(longestOwedMs, owed.ageMs);
    if (owed === undefined || owed.subject !== oldest) {
      oldest = owed?.subject;
      isTold = false;
      for (const each of watched) each.ableMs = 0;
    }
    if (owed === undefined) return;
    for (const [index, each] of watched.entries())
      each.ableMs = ready[index] && !isStruck(each.slot) ? each.ableMs + passedMs : 0;
    const idle = watched.find(({ ableMs }) => ableMs > owedLimitMs);
    if (idle === undefined || isTold) return;
    isTold = true;
    findings.push({
      subject: owed.subject,
      problem:
        `was owed for ${Math.round(owed.ageMs)} ms, while instance ${idle.slot.number} said for ` +
        `${Math.round(idle.ableMs)} ms that it was ready. /health: ${await healthOf(watched)}`,
    });
  }

  const watching = (async () => {
    while (!stopping) {
      await sample();
      await new Promise(resolve => setTimeout(resolve, everyMs));
    }
  })();

  return {
    findings,
    get peaks() {
      return watched.map(({ slot, peakMegabytes }) => ({
        process: `instance ${slot.number}`,
        megabytes: peakMegabytes,
        limitMegabytes: memoryLimitMegabytes,
      }));
    },
    get longestOwedMs() {
      return longestOwedMs;
    },
    get samples() {
      return samples;
    },
    async stop() {
      stopping = true;
      await watching;
    },
  };
}

async function readOldest({
  ask,
}: Pick<Ground, 'ask'>): Promise<{ subject: string; ageMs: number } | undefined> {
  try {
    const [row] = await ask<{ subject: string; age_ms: number }>(
      `select 'update ' || update_id || ' (cid ' || substr(traceparent, 4, 8) || ')' as subject,
         extract(epoch from clock_timestamp() - received_at)::float8 * 1000 as age_ms
       from updates where outcome is null order by received_at limit 1`,
    );
    return row && { subject: row.subject, ageMs: row.age_ms };
  } catch {
    // Postgres is away: nobody can work.
    return undefined;
  }
}

async function isReady(slot: WatchedSlot): Promise<boolean> {
  if (!slot.isUp) return false;
  const response = await ask(slot, '/readyz');
  await response?.body?.cancel();
  return response?.ok === true;
}

async function healthOf(watched: readonly Watched[]): Promise<string> {
  const told = watched.map(async ({ slot }) => {
    const response = await ask(slot, '/health');
    return `${slot.number}: ${(await response?.text().catch(() => '')) ?? 'no answer'}`;
  });
  return (await Promise.all(told)).join('; ');
}

/** Undefined when it does not answer in time. */
async function ask(slot: WatchedSlot, path: string): Promise<Response | undefined> {
  try {
    return await fetch(`http://127.0.0.1:${slot.port}${path}`, {
      signal: AbortSignal.timeout(answerLimitMs),
    });
  } catch {
    return undefined;
  }
}
