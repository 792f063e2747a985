// `npm run chaos -- --minutes 10 --seed 7`: two or three instances of the bot under users, while processes, Postgres,
// Telegram, KIE.ai and the ways to them break as the seed says; then the whole history is checked. Loopback only, ends by
// itself with everything stopped and removed; exit code 1 when a law was broken, with all that is needed to try again.
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { errorMessage } from '../../src/errors.ts';
import { createLifecycle } from '../../src/lifecycle.ts';
import { forgetDatabaseVariables, refuseRealBot } from '../stage/refusal.ts';
import { handleSignals } from '../stage/signals.ts';
import { type ChaosArguments, commandOf, readArguments } from './arguments.ts';
import { faultLine, reportOf } from './report.ts';
import { runChaos } from './run.ts';

/** What comes before and after the storm takes at most so long; beyond it the run has failed. */
const aroundMs = 12 * 60_000;
const stopDeadlineMs = 60_000;

const lifecycle = createLifecycle();
const interruption = new AbortController();

function say(...lines: string[]): void {
  process.stdout.write(lines.map(line => `${line}\n`).join(''));
}

async function run(given: ChaosArguments): Promise<boolean> {
  refuseRealBot(process.env, 'chaos');
  forgetDatabaseVariables(process.env);
  const durationMs = given.minutes * 60_000;
  setTimeout(() => {
    say(`✘ the run was not over in time: ${commandOf(given)}`);
    process.exit(1);
  }, durationMs + aroundMs).unref();
  const write = given.lines === undefined ? () => undefined : createLineFiles(given.lines);
  const startedAt = Date.now();
  const running = runChaos({
    ...given,
    durationMs,
    onStop: lifecycle.onStop,
    signal: interruption.signal,
    announce: what => say(`${elapsed(startedAt)} ${what}`),
    onFault: fault =>
      say(`${elapsed(startedAt)} ${fault.to === undefined ? '▶' : '■'} ${faultLine(fault, startedAt)}`),
    onLine: write,
  });
  handleSignals({ interruption, starting: Promise.resolve(), stop: lifecycle.stop });
  const result = await running;
  await lifecycle.stop();
  say(...reportOf(result, commandOf(given)));
  return result.breaches.length === 0;
}

function createLineFiles(folder: string): (instance: number, line: string) => void {
  mkdirSync(folder, { recursive: true });
  const files = new Map<number, WriteStream>();
  return (instance, line) => {
    const file = files.get(instance) ?? createWriteStream(path.join(folder, `instance-${instance}.log`));
    files.set(instance, file);
    file.write(`${line}\n`);
  };
}

function elapsed(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s`;
}

try {
  const passed = await run(readArguments(process.argv.slice(2)));
  // Everything is stopped: whatever a library might still hold open must not keep anybody waiting.
  process.exit(passed ? 0 : 1);
} catch (error) {
  // What was interrupted fails while it is taken down; the signal decides how the process ends.
  if (!interruption.signal.aborted) {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : errorMessage(error)}\n`,
    );
    setTimeout(() => process.exit(1), stopDeadlineMs).unref();
    await lifecycle.stop();
    process.exit(1);
  }
}
