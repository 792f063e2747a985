// What happens to processes: crashes, deploys, pauses, wrong clocks, a stdout that nobody reads.
import { rename, rm, writeFile } from 'node:fs/promises';
import { defineFaults, type Occasion, type Strike } from './fault.ts';
import type { Slot } from './slot.ts';

const stopDeadlineMs = 40_000;
const skewModule = new URL('./skewed-clock.ts', import.meta.url).href;

export const processFaults = defineFaults({
  kill: {
    weight: 3,
    seconds: [0.5, 5],
    touches: 'instance',
    async begin(_ground, { slot }) {
      const hits = hitsOf(slot);
      await slot.kill();
      return { hits, end: () => slot.start() };
    },
  },
  deploy: {
    weight: 3,
    seconds: [0.1, 3],
    touches: 'instance',
    async begin(_ground, { slot, number }) {
      const hits = hitsOf(slot);
      await slot.stop(stopDeadlineMs);
      return { hits, end: () => slot.start({ environment: { RELEASE: `chaos-${number}` } }) };
    },
  },
  freeze: {
    weight: 3,
    seconds: [1, 12],
    touches: 'instance',
    begin(_ground, { slot }) {
      const hits = hitsOf(slot);
      slot.signal('SIGSTOP');
      return { hits, end: () => slot.signal('SIGCONT') };
    },
  },
  'clock-ahead': { weight: 1, seconds: [5, 15], touches: 'instance', begin: skew(1_000) },
  'clock-behind': { weight: 1, seconds: [5, 15], touches: 'instance', begin: skew(-1_000) },
  /** Files on their way are kept there. */
  'no-temporary-folder': {
    weight: 1,
    seconds: [2, 10],
    touches: 'supplier',
    async begin(_ground, { slot }) {
      const aside = `${slot.temporaryFolder}.aside`;
      await rename(slot.temporaryFolder, aside);
      // A folder that is only gone could be made again.
      await writeFile(slot.temporaryFolder, '');
      return {
        hits: () => 1,
        async end() {
          await rm(slot.temporaryFolder);
          await rename(aside, slot.temporaryFolder);
        },
      };
    },
  },
  'stdout-blocked': {
    weight: 2,
    seconds: [3, 15],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, { slot }) {
      const hits = hitsOf(slot);
      slot.readOutput(false);
      return { hits, end: () => slot.readOutput(true) };
    },
  },
});

/** A clock cannot be changed in a process that runs, so it is started again with one that is off. */
function skew(seconds: number): (ground: unknown, occasion: Occasion) => Promise<Strike> {
  return async (_ground, { slot }) => {
    await slot.stop(stopDeadlineMs);
    slot.start({
      environment: { CHAOS_CLOCK_SKEW_SECONDS: String(seconds) },
      nodeArguments: ['--import', skewModule],
    });
    return {
      hits: () => (Math.abs(slot.clockOffMs ?? 0) > Math.abs(seconds) * 500 ? 1 : 0),
      async end() {
        await slot.stop(stopDeadlineMs);
        slot.start();
      },
    };
  };
}

/** Whether there is a process now that can be hit. */
function hitsOf({ isRunning }: Slot): () => number {
  return () => (isRunning ? 1 : 0);
}
