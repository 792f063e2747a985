// Watches the instances from outside, as a platform and an operator do: what they say of themselves, how long work has
// been owed, how much memory they take. An instance that nothing keeps from working, and that says it is ready all the
// time while work is owed for longer than the limit, breaks the promise that nothing is ever healthy and idle.
import type { Finding, MemoryPeak } from '../history/history.ts';
import { type OwedWork, readOwed } from '../history/owed-work.ts';
import type { Ground } from './ground.ts';
import { staleIdleSeconds, updateDeadlineSeconds } from './ground.ts';
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
  /** How long one and the same piece of work may be owed while an instance says that it is ready. */
  readonly owedLimitMs?: number;
}

type WatchedSlot = Pick<Slot, 'number' | 'port' | 'isUp' | 'peakMegabytes'>;

const memoryLimitMegabytes = 400;
const everyMs = 250;
/** From one sample to the next at most so much counts: when this process itself was kept waiting, so were the others. */
const countedMs = 400;
const answerLimitMs = 2_000;
/** Where nobody can work, /readyz has to say so after the two limits, by a reading and a question that take their time. */
const sayingSeconds = 2;
const defaultOwedLimitMs = (staleIdleSeconds + updateDeadlineSeconds + sayingSeconds) * 1_000;

interface Watched {
  readonly slot: WatchedSlot;
  peakMegabytes: number;
}

/** The oldest work of one kind, as long as it stays the same. */
interface Owed {
  readonly subject: string;
  /** How long each instance has said meanwhile that it is ready, with nothing in its way; in their order. */
  readonly ableMs: number[];
  isEnabled: boolean;
}

export function startMonitor({
  ground,
  isStruck,
  owedLimitMs = defaultOwedLimitMs,
}: MonitorOptions): Monitor {
  const findings: Finding[] = [];
  const watched: Watched[] = ground.slots.map(slot => ({ slot, peakMegabytes: 0 }));
  let oldest = new Map<OwedWork['kind'], Owed>();
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
      each.peakMegabytes = Math.max(each.peakMegabytes, each.slot.peakMegabytes() ?? 0);
    const [owed, ready] = await Promise.all([
      // While Postgres is away nobody can work.
      readOwed(ground.ask).catch(() => []),
      Promise.all(watched.map(({ slot }) => isReady(slot))),
    ]);
    const before = oldest;
    oldest = new Map();
    for (const { kind, subject, ageMs } of owed) {
      if (kind === 'update') longestOwedMs = Math.max(longestOwedMs, ageMs);
      const known = before.get(kind);
      const work =
        known?.subject === subject ? known : { subject, ableMs: watched.map(() => 0), isEnabled: false };
      oldest.set(kind, work);
      for (const [index, { slot }] of watched.entries())
        work.ableMs[index] = ready[index] && !isStruck(slot) ? (work.ableMs[index] ?? 0) + passedMs : 0;
      await judge(work, ageMs);
    }
  }

  async function judge(work: Owed, ageMs: number): Promise<void> {
    const idle = work.ableMs.findIndex(ableMs => ableMs > owedLimitMs);
    if (idle < 0 || work.isEnabled) return;
    work.isEnabled = true;
    findings.push({
      subject: work.subject,
      problem:
        `was owed for ${Math.round(ageMs)} ms, while instance ${watched[idle]?.slot.number} said for ` +
        `${Math.round(work.ableMs[idle] ?? 0)} ms that it was ready. /health: ${await healthOf(watched)}`,
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

async function isReady(slot: WatchedSlot): Promise<boolean> {
  if (!slot.isUp) return false;
  const response = await ask(slot, '/readyz');
  await response?.body?.cancel();
  return response?.ok === true;
}

async function healthOf(watched: readonly Watched[]): Promise<string> {
  const states = watched.map(async ({ slot }) => {
    const response = await ask(slot, '/health');
    return `${slot.number}: ${(await response?.text().catch(() => '')) ?? 'no answer'}`;
  });
  return (await Promise.all(states)).join('; ');
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
