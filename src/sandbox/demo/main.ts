// `npm run demo`: the whole bot on a machine that has nothing but Node and npm. Starts the stage, lets a scripted
// user click through it, prints the conversation beside the event chains, and stays with a chat page for a real
// person. Options: --once ends after the script, with exit code 1 unless every chain is complete; --verbose prints
// the bot's own lines too. Ends with everything stopped and removed, also on Ctrl-C.
import { parseArgs } from 'node:util';
import { AppError } from '../../errors.ts';
import { createLifecycle, stopOnSignals } from '../../lifecycle.ts';
import { sdk } from '../../otel/register.ts';
import { startChatPage } from './chat-page.ts';
import { createChronicle } from './chronicle.ts';
import { type Line, paint, span } from './columns.ts';
import { drawExchange, drawHeading, layoutFor } from './drawing.ts';
import { type Exchange, play } from './player.ts';
import { refuseRealBot } from './refusal.ts';
import { script } from './script.ts';
import { startStage } from './stage.ts';
import { drawSummary, isComplete, type Summary } from './summary.ts';
import { watchTraceExport } from './traces.ts';

interface Options {
  readonly once: boolean;
  readonly verbose: boolean;
}

/** Longer than all parts need together. */
const stopDeadlineMs = 15_000;

/** Cells before what is told of a part that has started. */
const announcementWidth = 64;

const lifecycle = createLifecycle();
const interruption = new AbortController();

function print(...lines: readonly Line[]): void {
  for (const line of lines) process.stdout.write(`${paint(line)}\n`);
}

/** Prints what is told between the parts of a line on a line of its own, so that a program can read it. */
function createAnnouncer(): {
  announce(part: string): (where: string) => void;
  interject(line: string): void;
} {
  let isLineOpen = false;
  return {
    /** Says at once that a part is being started, and on the same line where it is once it is there. */
    announce(part) {
      const startedAt = performance.now();
      process.stdout.write(`  ${part} … `.padEnd(announcementWidth));
      isLineOpen = true;
      return where => {
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
        const indent = isLineOpen ? '' : ' '.repeat(announcementWidth);
        print([span(indent), span('✔', 'green'), span(` ${seconds} s  ${where}`, 'dim')]);
        isLineOpen = false;
      };
    },
    interject(line) {
      process.stdout.write(isLineOpen ? `\n${line}` : line);
      isLineOpen = false;
    },
  };
}

/** Node's own way to read options; an unknown one is told in a sentence. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: { once: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } },
  });
  return values;
}

/** libpq's variables would point the bot, and initdb, at another database than the embedded one. */
function forgetDatabaseVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
}

async function run({ once, verbose }: Options): Promise<boolean> {
  refuseRealBot(process.env);
  forgetDatabaseVariables();
  const traces = watchTraceExport(sdk, process.env);
  const { announce, interject } = createAnnouncer();
  const chronicle = createChronicle(line => {
    if (verbose) interject(line);
  });
  print(
    [span('A Telegram bot in which no click dies silently', 'bold')],
    [span('All of it on this machine: no token, no Docker, nothing leaves it.', 'dim')],
    [],
  );

  const starting = startStage({ chronicle, announce, onStop: lifecycle.onStop });
  // In the same turn: Postgres leaves alone the signals that are handled when it comes to be loaded.
  handleSignals(async () => {
    // What is being started can be stopped only once it is there.
    await starting.catch(() => undefined);
    await lifecycle.stop();
    await traces.flush();
  });
  const stage = await starting;

  const layout = layoutFor(process.stdout.columns);
  print([], ...drawHeading(layout));
  const startedAt = performance.now();
  const exchanges: Exchange[] = [];
  for await (const exchange of play(stage, chronicle, script)) {
    exchanges.push(exchange);
    print(...drawExchange(exchange, layout));
  }
  const summary: Summary = {
    exchanges,
    expectedCount: script.reduce((count, { acts }) => count + acts.length, 0),
    tookMs: performance.now() - startedAt,
    traces,
    exported: 'going',
  };

  if (once) {
    await lifecycle.stop();
    const flushed = await traces.flush();
    print(...drawSummary({ ...summary, exported: flushed ? 'done' : 'failed' }), []);
    return isComplete(summary);
  }
  print(...drawSummary(summary));
  const page = await startChatPage({ stage, chronicle });
  lifecycle.onStop('chat page', () => page.stop());
  print(
    [],
    [span('Try it yourself ', 'bold'), span(page.url, ['bold', 'cyan']), span('   Ctrl-C stops it', 'dim')],
    [],
  );
  return new Promise(() => {});
}

function handleSignals(stop: () => Promise<void>): void {
  // A closed terminal is a stop like any other.
  process.once('SIGHUP', () => process.kill(process.pid, 'SIGTERM'));
  stopOnSignals({
    deadlineMs: stopDeadlineMs,
    async stop() {
      interruption.abort();
      print([], [span('Stopping …', 'dim')]);
      await stop();
    },
    onDeadline: () => print([span('Not everything stopped in time.', 'red')]),
  });
}

function explain(error: unknown): string {
  if (error instanceof AppError || (error instanceof TypeError && 'code' in error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  const complete = await run(readOptions());
  // Everything is stopped: whatever a library might still hold open must not keep the visitor waiting.
  process.exit(complete ? 0 : 1);
} catch (error) {
  // What was interrupted fails while it is taken down; the signal decides how the process ends.
  if (!interruption.signal.aborted) {
    process.stderr.write(`${paint([span(explain(error), 'red')])}\n`);
    await lifecycle.stop();
    process.exit(1);
  }
}
