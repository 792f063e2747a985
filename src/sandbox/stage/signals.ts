// How the demo and the smoke test end early: on Ctrl-C, SIGTERM and a closed terminal everything that was started is
// stopped first, and the signal then decides how the process ends.
import { stopOnSignals } from '../../lifecycle.ts';
import { span } from './columns.ts';
import { print } from './terminal.ts';

/** Longer than all parts need together. */
const stopDeadlineMs = 15_000;

/**
 * Aborts `interruption` before it stops: what is interrupted fails while it is taken down. Must be called in the turn in
 * which Postgres is started, because that leaves alone the signals that are handled when it comes to be loaded.
 */
export function handleSignals(interruption: AbortController, stop: () => Promise<void>): void {
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
