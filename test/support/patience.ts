// How long tests wait for what must come. A machine that does ten things at a time is no fault of the bot, so this is far
// above what anything takes; where the bot promises a time, the test says so itself.

/** For one thing that is waited for. */
export const patienceMs = 60_000;

/** For a test that waits for many, unless it says more: above `patienceMs`, so that it fails by what was missing. */
export const testLimitMs = 240_000;
