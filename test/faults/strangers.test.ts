// Anybody can send requests to a public address, in any number: they are counted, all of them, and neither the lines nor
// the journal grow with them, and a user beside them is served.
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { type BotUnderTest, type Line, startBot, webhookSecret } from '../support/bot.ts';
import { testLimitMs } from '../support/patience.ts';

const requestsPerKind = 1_500;
const connections = 50;

test(
  'thousands of requests of strangers make a line per second and kind, which count every one of them',
  async () => {
    await using bot = await startBot();
    const user = bot.user();
    const startedAt = performance.now();
    const served = user.waitForMessage(/What shall we create/, { after: user.start() });
    const secret = { 'x-telegram-bot-api-secret-token': webhookSecret };
    const kinds = [
      { path: '/webhook', body: '{"update_id":1}', status: 401, event: 'UPDATE_REFUSED PERMISSION_DENIED' },
      {
        path: '/webhook',
        body: '{}',
        headers: secret,
        status: 400,
        event: 'UPDATE_REFUSED VALIDATION_FAILED',
      },
      {
        path: `/callbacks/kie/${'0'.repeat(32)}`,
        body: '{}',
        status: 404,
        event: 'KIE_CALLBACK UNKNOWN_ACTION',
      },
      { path: '/callbacks/kie/guess', body: '{}', status: 404, event: 'KIE_CALLBACK UNKNOWN_ACTION' },
      { path: '/wp-login.php', body: 'x', status: 404, event: 'REQUEST_REFUSED UNKNOWN_ACTION' },
      { path: '/health', body: 'x', status: 404, event: 'REQUEST_REFUSED UNKNOWN_ACTION' },
    ];
    await pour(bot, kinds);
    await served;
    await bot.app.stop();
    const seconds = (performance.now() - startedAt) / 1_000;

    const expected: Record<string, number> = {};
    for (const { event } of kinds) expected[event] = (expected[event] ?? 0) + requestsPerKind;
    const refusals = bot.lines.filter(isRefusal);
    const counted: Record<string, number> = {};
    for (const line of refusals)
      counted[kindOf(line)] = (counted[kindOf(line)] ?? 0) + Number(line.refused_count);
    expect(counted).toEqual(expected);
    const mostLines = Object.keys(expected).length * (seconds + 2);
    expect(refusals.length).toBeLessThan(mostLines);
    const [journal] = await bot.database.query<{ rows: string }>(
      `select count(*) as rows from journal where lines ~ 'UPDATE_REFUSED|KIE_CALLBACK|REQUEST_REFUSED'`,
    );
    expect(Number(journal?.rows)).toBe(refusals.length);
  },
  testLimitMs,
);

interface Kind {
  readonly path: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
}

/** So many of each kind, one kind beside the other. */
async function pour(bot: BotUnderTest, kinds: readonly Kind[]): Promise<void> {
  const pool = new Pool(bot.app.url(), { connections });
  const waiting = Array.from({ length: requestsPerKind }, () => kinds)
    .flat()
    .values();
  const send = async (): Promise<void> => {
    for (const { path, body, headers, status } of waiting) {
      const answer = await pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      await answer.body.dump();
      expect(answer.statusCode).toBe(status);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, send));
  } finally {
    await pool.close();
  }
}

function isRefusal({ name, result }: Line): boolean {
  return (
    name === 'UPDATE_REFUSED' ||
    name === 'REQUEST_REFUSED' ||
    (name === 'KIE_CALLBACK' && result === 'rejected')
  );
}

function kindOf({ name, reason_code: reason }: Line): string {
  return `${name} ${reason}`;
}
