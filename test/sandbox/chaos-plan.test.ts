// The plan of faults: the seed alone decides it.
import { expect, test } from 'vitest';
import { commandOf, readArguments } from '../../sandbox/chaos/arguments.ts';
import { faultNames, faults } from '../../sandbox/chaos/faults.ts';
import { planFaults } from '../../sandbox/chaos/plan.ts';

const options = { seed: 7, durationMs: 600_000, instances: 3, names: faultNames };

test('the same seed plans the same, another one something else', () => {
  expect(planFaults(options)).toEqual(planFaults(options));
  expect(planFaults({ ...options, seed: 8 })).not.toEqual(planFaults(options));
});

test('every fault ends within the time, and no two strike the same target at once', () => {
  const plan = planFaults(options);
  const targets = Map.groupBy(plan, ({ name, instance }) =>
    faults[name].touches === 'instance' ? `instance ${instance}` : faults[name].touches,
  );
  for (const planned of targets.values())
    for (const [index, { atMs, durationMs }] of planned.entries()) {
      expect(atMs + durationMs).toBeLessThanOrEqual(options.durationMs);
      expect(atMs + durationMs).toBeLessThan(planned[index + 1]?.atMs ?? Number.POSITIVE_INFINITY);
    }
});

test('ten seeds strike with every fault there is', () => {
  const struck = new Set(
    Array.from({ length: 10 }, (_, seed) => planFaults({ ...options, seed }).map(({ name }) => name)).flat(),
  );
  expect([...struck].toSorted()).toEqual(faultNames.toSorted());
});

test('the command of a run gives the same run', () => {
  const given = readArguments([
    '--seed',
    '3',
    '--minutes',
    '0.5',
    '--mode',
    'cluster',
    '--source',
    'polling',
    '--faults',
    'kill,freeze',
  ]);
  expect(given).toMatchObject({
    seed: 3,
    minutes: 0.5,
    mode: 'cluster',
    source: 'polling',
    names: ['kill', 'freeze'],
  });
  expect(readArguments(commandOf(given).split(' ').slice(4))).toEqual(given);
});

test.each([
  [['--faults', 'rain'], 'There is no fault rain'],
  [['--mode', 'both'], '--mode must be single or cluster'],
  [['--source', 'pigeons'], '--source must be webhook or polling'],
  [['--minutes', 'ten'], '--minutes must be a number'],
])('%j is refused in a sentence', (given, sentence) => {
  expect(() => readArguments(given)).toThrow(sentence);
});
