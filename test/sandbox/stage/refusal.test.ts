// Where a sandbox may not be: anywhere but on this machine.
import { expect, test } from 'vitest';
import { refuseOutside } from '../../../sandbox/stage/refusal.ts';
import { parseConfig } from '../../../src/config/config.ts';

const inside = {
  TELEGRAM_BOT_TOKEN: '7000000001:no-real-bot',
  TELEGRAM_API_ROOT: 'http://127.0.0.1:1',
  KIE_API_URL: 'http://127.0.0.1:2',
  KIE_UPLOAD_URL: 'http://127.0.0.1:2',
  WEBHOOK_BASE_URL: 'http://127.0.0.1:0',
  KIE_API_KEY: 'none',
  HASH_SECRET: 'none-at-all-0123456789',
  DATABASE_URL: 'postgres:///sandbox',
  USD_RUB_RATE: '100',
  NODE_ENV: 'development',
} as const;

test('a bot whose addresses are all of this machine may start', () => {
  expect(() => refuseOutside(parseConfig(inside))).not.toThrow();
});

test.each([
  ['TELEGRAM_API_ROOT', 'https://api.telegram.org'],
  ['KIE_API_URL', 'https://api.kie.ai'],
  ['KIE_UPLOAD_URL', 'https://kieai.redpandaai.co'],
  ['WEBHOOK_BASE_URL', 'https://bot.example.com'],
  ['HOST', '0.0.0.0'],
])('with %s=%s it may not, and the address is not repeated', (name, value) => {
  const refusal = (): void => refuseOutside(parseConfig({ ...inside, [name]: value }));
  expect(refusal).toThrow(expect.objectContaining({ code: 'SANDBOX_REFUSED' }));
  expect(refusal).not.toThrow(value);
});
