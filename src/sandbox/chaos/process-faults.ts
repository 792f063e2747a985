// What happens to processes: crashes, deploys, pauses, wrong clocks, a stdout that nobody reads.
import { defineFaults, type End, type Occasion } from './fault.ts';

const stopDeadlineMs = 40_000;
const skewModule = new URL('./skewed-clock.ts', import.meta.url).href;

export const processFaults = defineFaults({
  kill: {
    weight: 3,
    seconds: [0.5, 5],
    touches: 'instance',
    async begin(_ground, { slot }) {
      await slot.kill();
      return () => slot.start();
    },
  },
  deploy: {
    weight: 3,
    seconds: [0.1, 3],
    touches: 'instance',
    async begin(_ground, { slot, number }) {
      await slot.stop(stopDeadlineMs);
      return () => slot.start({ environment: { RELEASE: `chaos-${number}` } });
    },
  },
  freeze: {
    weight: 3,
    seconds: [1, 12],
    touches: 'instance',
    begin(_ground, { slot }) {
      slot.signal('SIGSTOP');
      return () => slot.signal('SIGCONT');
    },
  },
  'clock-ahead': { weight: 1, seconds: [5, 15], touches: 'instance', begin: skew(1_000) },
  'clock-behind': { weight: 1, seconds: [5, 15], touches: 'instance', begin: skew(-1_000) },
  'stdout-blocked': {
    weight: 2,
    seconds: [3, 15],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, { slot }) {
      slot.readOutput(false);
      return () => slot.readOutput(true);
    },
  },
});

/** A clock cannot be changed in a process that runs, so it is started again with one that is off. */
function skew(seconds: number): (ground: unknown, occasion: Occasion) => Promise<End> {
  return async (_ground, { slot }) => {
    await slot.stop(stopDeadlineMs);
    slot.start({
      environment: { CHAOS_CLOCK_SKEW_SECONDS: String(seconds) },
      nodeArguments: ['--import', skewModule],
    });
    return async () => {
      await slot.stop(stopDeadlineMs);
      slot.start();
    };
  };
}
