// The clock of the machine is off by more than any limit of a generation: what is old is judged by the database's clock.
import { expect, test } from 'vitest';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { startProgram, startSurroundings } from '../support/process.ts';
import { walkToConfirm } from '../support/walk.ts';

const skewedClock = new URL('../../sandbox/chaos/skewed-clock.ts', import.meta.url).href;

test.for([1_000, -1_000])(
  'a generation is made, its callback taken and its result delivered where the clock is off by %i s',
  { timeout: testLimitMs },
  async seconds => {
    // Slow enough that the bot asks at least once while it is not finished.
    await using surroundings = await startSurroundings({
      kie: { stepMs: 1_500 },
      telegram: { callbackLifetimeMs: 60_000 },
    });
    await using program = await startProgram({
      ...surroundings.environment,
      NODE_OPTIONS: `--import ${skewedClock}`,
      CHAOS_CLOCK_SKEW_SECONDS: String(seconds),
    });
    const user = surroundings.user();
    await walkToConfirm(user, patienceMs);
    user.click('🚀 Run');
    await user.waitForMessage(({ kind }) => kind === 'photo', patienceMs);
    const [line] = program.lines;
    expect(Math.abs(Date.parse(String(line?.ts)) - Date.now())).toBeGreaterThan(900_000);
    await surroundings.kie.callbacksSettled();
    expect(surroundings.kie.callbacks()).toMatchObject([{ status: 200 }]);
    expect(program.lines.filter(({ name }) => name === 'TASK_FAILED')).toEqual([]);
    expect(await surroundings.database.query('select state from holds')).toEqual([{ state: 'charged' }]);
  },
);
