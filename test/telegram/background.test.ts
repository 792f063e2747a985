import { expect, test } from 'vitest';
import { createBackground } from '../../src/telegram/background.ts';

interface Held {
  readonly work: () => Promise<void>;
  end(): void;
  readonly begun: boolean;
}

function held(): Held {
  const { promise, resolve } = Promise.withResolvers<void>();
  let begun = false;
  return {
    work() {
      begun = true;
      return promise;
    },
    end: resolve,
    get begun() {
      return begun;
    },
  };
}

function openBackground(options: { capacity?: number; stopLimitMs?: number } = {}) {
  const warnings: unknown[] = [];
  const background = createBackground({
    capacity: 10,
    stopLimitMs: 10_000,
    ...options,
    telemetry: {
      emit: (_name, fields) => void warnings.push(fields),
      warn: (operation, error) => void warnings.push({ operation, error }),
    },
  });
  return { background, warnings };
}

test('work beyond the capacity is left out with an event, and there is room again when some has ended', async () => {
  const { background, warnings } = openBackground({ capacity: 1 });
  const [first, second, third] = [held(), held(), held()];
  background.start('answer a checkout', first.work);
  background.start('look for stuck taps', second.work);
  expect(second.begun).toBe(false);
  expect(warnings).toEqual([
    expect.objectContaining({ operation: 'look for stuck taps', error_type: 'TOO_MANY' }),
  ]);

  first.end();
  await background.stop();
  background.start('answer a waiting tap', third.work);
  expect(third.begun).toBe(true);
  third.end();
});

test('work that fails has an event and hurts nobody', async () => {
  const { background, warnings } = openBackground();
  const error = new TypeError('no such thing');
  background.start('passive notice', () => Promise.reject(error));
  await background.stop();
  expect(warnings).toEqual([{ operation: 'passive notice', error }]);
});

test('stop waits for what is under way', async () => {
  const { background } = openBackground();
  const notice = held();
  background.start('passive notice', notice.work);
  let stopped = false;
  const stopping = background.stop().then(() => {
    stopped = true;
  });
  await new Promise(resolve => setImmediate(resolve));
  expect(stopped).toBe(false);
  notice.end();
  await stopping;
});

test('stop does not wait for ever, and says how much it leaves', async () => {
  const { background, warnings } = openBackground({ stopLimitMs: 20 });
  const notice = held();
  background.start('passive notice', notice.work);
  await background.stop();
  expect(warnings).toEqual([
    expect.objectContaining({
      error_type: 'UNFINISHED',
      error_message: expect.stringMatching(/^1 of these/),
    }),
  ]);
  notice.end();
});
