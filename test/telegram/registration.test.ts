// What is said of an address that Telegram does not take: nothing that opens it.
import { type Api, GrammyError } from 'grammy';
import { expect, test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { registerWebhook } from '../../src/telegram/registration.ts';

test('an address that Telegram refuses is named without its password and without its key', async () => {
  const refused = new GrammyError(
    'refused',
    { ok: false, error_code: 400, description: 'Bad Request: bad webhook' },
    'setWebhook',
    {},
  );
  // SAFETY: nothing else of the Bot API is called to set a webhook.
  const api = { setWebhook: () => Promise.reject(refused) } as unknown as Api;
  const url = 'https://proxy:pass-of-the-proxy@bot.example/tenant?key=key-of-the-tenant';
  const bot = {
    mode: 'webhook',
    baseUrl: url,
    secretToken: new Secret('s'),
    previousSecretToken: undefined,
  } as const;
  const error = await registerWebhook(api, url, bot).catch((cause: unknown) => cause);
  expect(error).toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'Correct WEBHOOK_BASE_URL: Telegram refuses https://bot.example/tenant/webhook: Bad Request: bad webhook',
  });
});
