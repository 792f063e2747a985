// Postgres is gone: whoever reads the lines learns which one, at once, and is not flooded while it lasts.
import { expect, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { type Line, waitFor } from '../support/bot.ts';
import { startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';

/** Of 10 s; lines have their time from another clock than timers. */
const leastPauseMs = 9_000;

test.each([
  { mode: 'single', operations: ['hold the lock'] },
  { mode: 'cluster', operations: ['hold the lock', 'join the cluster'] },
])(
  'a database that is gone is logged with its address, and the same once in a while, with how often ($mode)',
  async ({ mode, operations }) => {
    await using fleet = await startFleet({ environment: { INSTANCE_MODE: mode } });
    await using proxy = await startPostgresProxy(fleet.surroundings.database.url);
    const instance = await fleet.start({ DATABASE_URL: proxy.url });
    proxy.refuse();
    proxy.cut();
    const repeated = await waitFor(
      'a line of what was met again',
      () => warningsOf(instance.lines).find(line => line.repeat_count !== undefined),
      () => instance.output.join('\n'),
    );
    expect(repeated.repeat_count).toBeGreaterThan(1);
    proxy.setPassage({ kind: 'pass' }, { to: 'new' });
    await waitFor('that it is over', () =>
      instance.lines.findLast(line => line.name === 'LOCK_ACQUIRED' && String(line.ts) > String(repeated.ts)),
    );

    const warnings = warningsOf(instance.lines);
    for (const operation of operations)
      expect(warnings).toContainEqual(
        expect.objectContaining({
          operation,
          reason_code: 'DB_ERROR',
          error_message: expect.stringContaining(
            `the database at 127.0.0.1:${new URL(proxy.url).port} (DATABASE_URL): `,
          ),
        }),
      );
    for (const kind of Map.groupBy(warnings, kindOf).values())
      for (const [place, line] of kind.slice(1).entries())
        expect(Date.parse(String(line.ts)) - Date.parse(String(kind[place]?.ts))).toBeGreaterThan(
          leastPauseMs,
        );
  },
  testLimitMs,
);

test(
  'an update whose commit waits for the database logs it once, however often it is asked for',
  async () => {
    await using fleet = await startFleet();
    await using proxy = await startPostgresProxy(fleet.surroundings.database.url);
    const instance = await fleet.start({ DATABASE_URL: proxy.url });
    fleet.surroundings.telegram.failNext({ kind: 'delay', method: 'sendMessage', ms: 1_500 });
    fleet.surroundings.user().start();
    await instance.waitForEvent('COMMAND_START');
    proxy.refuse();
    proxy.cut();
    // After ten seconds of asking it is given up.
    const failed = await instance.waitForLine(({ error_message: message }) =>
      String(message).startsWith('Failed task'),
    );
    expect(instance.lines.filter(({ operation }) => operation === 'finish update')).toHaveLength(1);
    // Nor does a line say where in a library it came from.
    expect(failed.error_message).toMatch(/^Failed task .* with error '/);
    expect(failed.error_message).not.toMatch(/\bat .*node_modules|node:internal/);
    proxy.setPassage({ kind: 'pass' }, { to: 'new' });
    await instance.waitForEvent('DISPATCH_OK');
  },
  testLimitMs,
);

const warningsOf = (lines: readonly Line[]): Line[] =>
  lines.filter(
    ({ name, operation }) =>
      name === 'SYSTEM_WARNING' && /^(hold|look at the|join|renew|count the inbox)/.test(String(operation)),
  );

const kindOf = ({ operation, error_type: type, error_message: message }: Line): string =>
  [operation, type, String(message).replaceAll(/\d+/g, '#')].join(' ');
