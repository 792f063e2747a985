// `npm run demo`: the whole bot on a machine that has nothing but Node and npm. Starts the stage, lets a scripted
// user click through it, prints the conversation beside the event chains, and stays with a chat page for a real
// person. Options: --once ends after the script, with exit code 1 unless every chain is complete; --verbose prints
// the bot's own lines too. Ends with everything stopped and removed, also on Ctrl-C.
import { parseArgs } from 'node:util';
import { createLifecycle } from '../../src/lifecycle.ts';
import { sdk } from '../../src/otel/register.ts';
import { paint, span } from '../stage/columns.ts';
import { createEventLog } from '../stage/event-log.ts';
import { forgetDatabaseVariables, refuseRealBot } from '../stage/refusal.ts';
import { handleSignals } from '../stage/signals.ts';
import { startStage } from '../stage/stage.ts';
import { createAnnouncer, explain, print } from '../stage/terminal.ts';
import { startChatPage } from './chat-page.ts';
import { drawExchange, drawHeading, layoutFor } from './drawing.ts';
import { type Exchange, play } from './player.ts';
import { script } from './script.ts';
import { drawSummary, isComplete, type Summary } from './summary.ts';
import { watchTraceExport } from './traces.ts';

interface Options {
  readonly once: boolean;
  readonly verbose: boolean;
}

const lifecycle = createLifecycle();
const interruption = new AbortController();

/** Node's own way to read options; an unknown one is reported in a sentence. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: { once: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } },
  });
  return values;
}

async function run({ once, verbose }: Options): Promise<boolean> {
  refuseRealBot(process.env, 'demo');
  forgetDatabaseVariables(process.env);
  const traces = watchTraceExport(sdk, process.env);
  const { announce, interject } = createAnnouncer();
  const eventLog = createEventLog(line => {
    if (verbose) interject(line);
  });
  print(
    [span('A Telegram bot in which no click dies silently', 'bold')],
    [span('All of it on this machine: no token, no Docker, nothing leaves it.', 'dim')],
    [],
  );

  const starting = startStage({ eventLog, announce, onStop: lifecycle.onStop });
  handleSignals({
    interruption,
    starting,
    async stop() {
      await lifecycle.stop();
      await traces.flush();
    },
  });
  const stage = await starting;

  const layout = layoutFor(process.stdout.columns);
  print([], ...drawHeading(layout));
  const startedAt = performance.now();
  const exchanges: Exchange[] = [];
  for await (const exchange of play(stage, eventLog, script)) {
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
  const page = await startChatPage({ stage, eventLog });
  lifecycle.onStop('chat page', () => page.stop());
  print(
    [],
    [span('Try it yourself ', 'bold'), span(page.url, ['bold', 'cyan']), span('   Ctrl-C stops it', 'dim')],
    [],
  );
  return new Promise(() => {});
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
