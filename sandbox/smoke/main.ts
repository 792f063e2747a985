// `npm run smoke`: does the whole bot still do what it says? Starts it with an embedded Postgres and the stand-ins,
// presses every button on every screen, sends every command, breaks every rule once, and checks the events of each. Ends
// by itself with everything stopped; exit code 1 and the names of what is not as expected, so that a deploy can be
// stopped by it.
import { createLifecycle } from '../../src/lifecycle.ts';
import { sdk } from '../../src/otel/register.ts';
import { paint, span } from '../stage/columns.ts';
import { createEventLog } from '../stage/event-log.ts';
import { forgetDatabaseVariables, refuseRealBot } from '../stage/refusal.ts';
import { handleSignals } from '../stage/signals.ts';
import { startStage } from '../stage/stage.ts';
import { createAnnouncer, explain, print } from '../stage/terminal.ts';
import { impatientTimings } from '../stage/timings.ts';
import { hasOutcome, unfinishedUpdates, untouchedButtons } from './leftovers.ts';
import { drawCheck, drawHeading, drawSummary, isPassed } from './table.ts';
import { type Check, createWalk } from './walk.ts';
import { adminId, createSwitchableState, openWorld, setPrices } from './world.ts';

const flushDeadlineMs = 4_000;
/** The last net for a bot that neither starts nor stops: a deploy must not wait for it. */
const wholeDeadlineMs = 160_000;
/** For what is still under way after the last check. */
const restDeadlineMs = 3_000;

const lifecycle = createLifecycle();
const interruption = new AbortController();

async function run(): Promise<boolean> {
  refuseRealBot(process.env, 'smoke test');
  forgetDatabaseVariables(process.env);
  const startedAt = performance.now();
  const { announce } = createAnnouncer();
  const eventLog = createEventLog(() => {});
  const instance = createSwitchableState();
  const starting = startStage({
    eventLog,
    announce,
    onStop: lifecycle.onStop,
    kieStepMs: 10,
    prepare: setPrices,
    environment: { ADMIN_IDS: String(adminId) },
    overrides: { timings: { ...impatientTimings, deliveryAttempts: 2 }, state: instance },
  });
  handleSignals({ interruption, starting, stop: lifecycle.stop });
  const world = await openWorld(await starting, instance);
  lifecycle.onStop('connection of the smoke test', () => world.stop());

  print([], drawHeading());
  const walk = createWalk(world, eventLog);
  const checks: Check[] = [];
  for await (const check of walk.checks()) {
    checks.push(check);
    print(...drawCheck(check));
  }
  await eventLog.until(() => eventLog.chains().every(hasOutcome), restDeadlineMs);
  const chains = eventLog.chains();
  const updates = await world.query<{ outcome: string | null }>('select outcome from updates', []);
  const open = updates.filter(({ outcome }) => outcome === null).length;
  const leftovers = [
    ...unfinishedUpdates(chains),
    ...walk.unanswered(),
    ...untouchedButtons(chains),
    ...(open > 0 ? [`${open} stored updates have no outcome`] : []),
  ];
  const summary = { checks, leftovers, steps: walk.steps(), updates: updates.length };
  await lifecycle.stop();
  await sdk.shutdown(flushDeadlineMs);
  print(...drawSummary({ ...summary, tookMs: performance.now() - startedAt }));
  return isPassed(summary);
}

setTimeout(() => {
  print([span(`✘ smoke test failed: it was not over within ${wholeDeadlineMs / 1_000} s`, ['bold', 'red'])]);
  process.exit(1);
}, wholeDeadlineMs).unref();

try {
  const passed = await run();
  // Everything is stopped: whatever a library might still hold open must not keep a deploy waiting.
  process.exit(passed ? 0 : 1);
} catch (error) {
  // What was interrupted fails while it is taken down; the signal decides how the process ends.
  if (!interruption.signal.aborted) {
    process.stderr.write(`${paint([span(explain(error), 'red')])}\n`);
    await lifecycle.stop();
    process.exit(1);
  }
}
