// One run: instances, users and faults for so long, then calm, then the history.
import type { createLifecycle } from '../../src/lifecycle.ts';
import { historyOf } from '../history/history.ts';
import { type Breach, checkHistory, countQueries } from '../history/laws.ts';
import { readJobless } from '../history/owed-work.ts';
import { readLeftovers, readStored } from '../history/stored.ts';
import { answersOf, ordersOf } from '../history/suppliers.ts';
import { effortsOf } from './efforts.ts';
import { type FaultName, faults } from './faults.ts';
import { prepareGround } from './ground.ts';
import { startLoad } from './load.ts';
import { startMonitor } from './monitor.ts';
import { planFaults } from './plan.ts';
import { settle, untilWorked, upDeadlineMs } from './settling.ts';
import { type DoneFault, startStorm, struckFaults } from './storm.ts';

export interface RunOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly instances: number;
  readonly mode: 'single' | 'cluster';
  /** How updates come. */
  readonly source: 'webhook' | 'polling';
  readonly users: number;
  readonly names: readonly FaultName[];
  readonly onStop: ReturnType<typeof createLifecycle>['onStop'];
  /** What is being done now. */
  readonly announce: (what: string) => void;
  /** Told when a fault begins and when it ends. */
  readonly onFault: (fault: DoneFault) => void;
  readonly onLine: (instance: number, line: string) => void;
  /** Aborted: the storm ends at once, and the rest goes on. */
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly startedAt: number;
  readonly breaches: readonly Breach[];
  readonly faults: readonly DoneFault[];
  readonly figures: Readonly<Record<string, number>>;
}

const stopDeadlineMs = 60_000;
/** The bot looks every two seconds for what has no job, and what it works meanwhile ends within seconds. */
const joblessDeadlineMs = 30_000;
const helpDeadlineMs = 30_000;
/** Telegram shows a spinner for so long. */
const answerLimitMs = 15_000;

export async function runChaos(options: RunOptions): Promise<RunResult> {
  const { seed, durationMs, instances, mode, announce } = options;
  announce(`starting Postgres, the stand-ins and ${instances} instances (${mode}, ${options.source})`);
  const ground = await prepareGround(options);
  const { slots, telegram, kie, ask } = ground;
  for (const slot of slots) {
    slot.start();
    // One after the other, as a platform does it, and because two cores are few.
    await slot.whenUp(upDeadlineMs);
  }

  const startedAt = Date.now();
  announce(`${options.users} users, faults for ${Math.round(durationMs / 1_000)} s`);
  const load = startLoad({ telegram, sent: ground.sent, users: options.users, seed, canary: ground.canary });
  options.onStop('users', () => load.stop());
  const storm = startStorm({
    ground,
    plan: planFaults({
      seed,
      durationMs,
      instances,
      names: options.names.filter(name => isFor(options, name)),
    }),
    onChange: options.onFault,
  });
  const monitor = startMonitor({ ground, isStruck: storm.isStruck });
  options.onStop('monitor', () => monitor.stop());
  options.signal.addEventListener('abort', storm.stop);
  await Promise.all([storm.over, sleep(durationMs, options.signal)]);

  announce('the storm is over: users end what they are at, and what is left is worked');
  await load.stop();
  await untilWorked(ground);
  // Before anything is started again: a start gives a job to everything that is open.
  const jobless = await readJobless(ask, joblessDeadlineMs);
  await settle(ground);
  const lastRequests = load.lastRequests();
  announce('everybody asks for help once more');
  const helped = await load.askForHelp(helpDeadlineMs);
  await untilWorked(ground);
  await monitor.stop();
  const leftovers = await readLeftovers(ask);
  await Promise.all(slots.map(slot => slot.stop(stopDeadlineMs, 'calm')));

  const stored = await readStored(ask);
  const silences = storm.silences();
  const history = historyOf({
    ...stored,
    isCluster: mode === 'cluster',
    acknowledged: ground.sent.filter(({ isQueued }) => isQueued).map(({ updateId }) => updateId),
    answers: answersOf(telegram),
    answerLimitMs,
    // A crash of the one who works, too, may take a tap longer than its spinner turns.
    excused: silences,
    orders: ordersOf(kie),
    leftovers,
    jobless,
    bursts: load.bursts,
    requests: { seen: load.seen, unseen: load.unseen },
    lastRequests: [...lastRequests, ...helped],
    lines: ground.lineCheck.findings,
    processes: [...monitor.findings, ...slots.flatMap(({ findings }) => findings)],
    memory: monitor.peaks,
    // One that was interrupted had no time for either.
    faults: options.signal.aborted ? [] : struckFaults(storm.done),
    efforts: options.signal.aborted
      ? []
      : effortsOf(options, {
          updates: stored.updates.length,
          tasks: stored.tasks.length,
          'samples of the processes': monitor.samples,
        }),
  });
  const queries = countQueries(history);
  return {
    startedAt,
    breaches: checkHistory(history),
    faults: storm.done,
    figures: {
      updates: stored.updates.length,
      'requests seen': load.seen,
      'requests not seen in time': load.unseen,
      bursts: load.bursts.length,
      'taps judged': queries.judged,
      'taps excused': queries.excused,
      'taps excused and not answered in time': queries.excusedAndLate,
      tasks: stored.tasks.length,
      'tasks succeeded': stored.tasks.filter(({ state }) => state === 'succeeded').length,
      'orders at KIE.ai': kie.createdCount(),
      faults: storm.done.length,
      'faults that could not be begun or ended': storm.done.filter(({ failure }) => failure !== undefined)
        .length,
      'faults that hit nothing': storm.done.filter(({ hits }) => hits === 0).length,
      'parts of faults done in vain': storm.done.reduce((sum, { failures }) => sum + failures, 0),
      'longest owed, ms': Math.round(monitor.longestOwedMs),
      'samples of the processes': monitor.samples,
      ...Object.fromEntries(
        monitor.peaks.map(({ process, megabytes }) => [`${process}, peak MB`, Math.round(megabytes)]),
      ),
    },
  };
}

function isFor({ mode, source }: RunOptions, name: FaultName): boolean {
  const { onlyIn } = faults[name];
  return onlyIn === undefined || onlyIn === mode || onlyIn === source;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
