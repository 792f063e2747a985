// A run in which next to nothing happened is not green: the least that is asked for, by its length and its users.
import { expect, test } from 'vitest';
import { effortsOf } from '../../sandbox/chaos/efforts.ts';
import { historyOf } from '../../sandbox/history/history.ts';
import { checkHistory } from '../../sandbox/history/laws.ts';

const none = { updates: 0, tasks: 0, 'samples of the processes': 0 };

test('an empty run is reported with what is missing', () => {
  const efforts = effortsOf({ durationMs: 60_000, users: 6 }, none);
  expect(checkHistory(historyOf({ efforts }))).toEqual(
    [
      ['updates', 60],
      ['tasks', 2],
      ['samples of the processes', 30],
    ].map(([subject, least]) => ({
      law: 'enough',
      subject,
      problem: `were 0, at least ${least} are asked for`,
    })),
  );
});

test('more is asked of a longer run, less of fewer users, and not more of many', () => {
  const leastOf = (minutes: number, users: number): number[] =>
    effortsOf({ durationMs: minutes * 60_000, users }, none).map(({ least }) => least);
  expect(leastOf(5, 6)).toEqual([300, 10, 150]);
  expect(leastOf(1, 3)).toEqual([30, 1, 30]);
  expect(leastOf(1, 100)).toEqual(leastOf(1, 6));
});
