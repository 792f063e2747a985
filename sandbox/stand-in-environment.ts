// The variables that lead a bot to stand-ins and nowhere else, with secrets made for this one time. Whoever plays on them
// adds where the bot listens and how it runs.
import { randomBytes } from 'node:crypto';
import type { KieSandbox } from './kie/index.ts';
import type { TelegramSandbox } from './telegram/index.ts';

export interface StandIns {
  readonly telegram: Pick<TelegramSandbox, 'token' | 'apiRoot'>;
  readonly kie: Pick<KieSandbox, 'apiKey' | 'apiUrl' | 'uploadUrl' | 'webhookHmacKey'>;
  readonly databaseUrl: string;
}

/** The stand-in of KIE.ai must sign its callbacks. Throws where it does not. */
export function standInEnvironment({ telegram, kie, databaseUrl }: StandIns) {
  const { webhookHmacKey } = kie;
  if (webhookHmacKey === undefined) throw new Error('The KIE stand-in has no key to sign callbacks with');
  return {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    WEBHOOK_SECRET_TOKEN: randomBytes(16).toString('hex'),
    DATABASE_URL: databaseUrl,
    HASH_SECRET: randomBytes(16).toString('hex'),
    KIE_API_KEY: kie.apiKey,
    KIE_API_URL: kie.apiUrl,
    KIE_UPLOAD_URL: kie.uploadUrl,
    KIE_WEBHOOK_HMAC_KEY: webhookHmacKey,
    USD_RUB_RATE: '100',
  };
}
