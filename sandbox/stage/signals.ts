// How everything that starts a stage ends early: on Ctrl-C, SIGTERM and a closed terminal what was started is stopped
// first, and the signal then decides how the process ends.
import { stopOnSignals } from '../../src/lifecycle.ts';
import { span } from './columns.ts';
import { print } from './terminal.ts';

/** Longer than all parts need together. */
const stopDeadlineMs = 15_000;

export interface SignalHandling {
  /** Aborted before anything stops: what is interrupted fails while it is taken down. */
  readonly interruption: AbortController;
  /** What is being started can be stopped only once it is there. */
  readonly starting: Promise<unknown>;
  readonly stop: () => Promise<void>;
  /** The output is not for people who wait at a terminal. */
  readonly isQuiet?: boolean;
}

/**
 * Must be called in the turn in which Postgres is started, because that leaves alone the signals that are handled when it
 * comes to be loaded. Returns the way to end this, for what ends before its process does.
 */
export function handleSignals({ interruption, starting, stop, isQuiet = false }: SignalHandling): () => void {
  // A closed terminal is a stop like any other.
  const onHangUp = (): void => void process.kill(process.pid, 'SIGTERM');
  process.once('SIGHUP', onHangUp);
  const leaveSignals = stopOnSignals({
    deadlineMs: stopDeadlineMs,
    async stop() {
      interruption.abort();
      if (!isQuiet) print([], [span('Stopping …', 'dim')]);
      await starting.catch(() => undefined);
      await stop();
    },
    onDeadline() {
      if (!isQuiet) print([span('Not everything stopped in time.', 'red')]);
    },
  });
  return () => {
    leaveSignals();
    process.off('SIGHUP', onHangUp);
  };
}
