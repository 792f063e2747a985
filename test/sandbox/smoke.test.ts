// The smoke test as a deploy runs it, in a process of its own.
import { expect, test } from 'vitest';
import { placesOfButtons } from '../../sandbox/smoke/leftovers.ts';
import { commands } from '../../src/ui/registry.ts';
import { startCommand } from '../support/command.ts';

const deadlineMs = 200_000;

test(
  'every button, command and rule is tried, everything ends as it must, and nothing is left behind',
  async () => {
    await using smoke = await startCommand('smoke');
    expect(await smoke.ended(), smoke.output()).toEqual({ code: 0, signal: null });

    const output = smoke.output();
    expect(output).toMatch(/✔ smoke test passed .* \d+ updates, each with its outcome/);
    for (const { screen, button } of placesOfButtons())
      expect(output).toMatch(new RegExp(`✔ ${screen}: ${button} .* [0-9a-f]{8}$`, 'm'));
    for (const name of Object.keys(commands)) expect(output).toMatch(new RegExp(`✔ /${name} `));
    for (const reason of [
      'STATE_MISMATCH',
      'EXPIRED_MESSAGE',
      'UNKNOWN_CALLBACK',
      'CALLBACK_PARSE_ERROR',
      'UNKNOWN_ACTION',
      'DUPLICATE_ACTION',
      'VALIDATION_FAILED',
      'BALANCE_INSUFFICIENT',
      'MODEL_DISABLED',
      'PERMISSION_DENIED',
      'RATE_LIMIT',
      'PASSIVE_REJECT',
      'CONTENT_REJECTED',
      'DOWNSTREAM_ERROR',
    ])
      expect(output).toContain(reason);
    expect(await smoke.remains()).toEqual([]);
    expect(smoke.hasProcesses()).toBe(false);
  },
  deadlineMs,
);

test(
  'a real token is refused in one sentence that does not hold it, before anything is started',
  async () => {
    const token = '123456789:canary-token-of-a-real-bot-000000000';
    await using smoke = await startCommand('smoke', [], { TELEGRAM_BOT_TOKEN: token });
    expect(await smoke.ended()).toEqual({ code: 1, signal: null });
    expect(smoke.output()).toMatch(
      /^The smoke test never uses a real bot, but TELEGRAM_BOT_TOKEN is set: .*\n$/,
    );
    expect(smoke.output()).not.toContain('canary');
    expect(await smoke.remains()).toEqual([]);
  },
  deadlineMs,
);
