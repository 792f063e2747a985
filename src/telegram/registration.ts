// What the bot registers at Telegram when it starts: where updates are sent, which kinds of them, and the list of
// commands for each language.
import { type Api, GrammyError } from 'grammy';
import type { BotCommand } from 'grammy/types';
import type { Config } from '../config/config.ts';
import { AppError } from '../errors.ts';
import { defaultLocale, type Locale, locales } from '../locales.ts';
import { commands } from '../ui/registry.ts';
import type { Texts } from '../ui/texts.ts';
import { refusedBy } from './refusal.ts';

/** pre_checkout_query must be in: without it every payment would time out. */
export const allowedUpdates = ['message', 'callback_query', 'pre_checkout_query', 'my_chat_member'] as const;

/** The most Telegram opens; group commit makes many at once cheaper, not dearer. */
const maxConnections = 100;

/** `publicUrl` is where Telegram reaches this bot; undefined means polling. */
export async function registerWebhook(
  api: Api,
  publicUrl: string | undefined,
  bot: Config['bot'],
): Promise<void> {
  if (bot.mode === 'polling' || publicUrl === undefined) {
    // Updates that wait are kept: they are clicks of users.
    await api.deleteWebhook({ drop_pending_updates: false });
    return;
  }
  const address = webhookAddress(publicUrl);
  const setting = api.setWebhook(address, {
    allowed_updates: [...allowedUpdates],
    max_connections: maxConnections,
    drop_pending_updates: false,
    ...(bot.secretToken ? { secret_token: bot.secretToken.reveal() } : {}),
  });
  await setting.catch((cause: unknown) => {
    if (!(cause instanceof GrammyError) || cause.error_code !== 400) throw cause;
    throw new AppError({
      code: 'CONFIG_INVALID',
      message: `Correct WEBHOOK_BASE_URL: Telegram refuses ${shownWebhookAddress(publicUrl)}: ${cause.description}`,
      cause,
    });
  });
}

/** Where Telegram sends updates; `publicUrl` is where it reaches this bot. */
export function webhookAddress(publicUrl: string): string {
  return `${publicUrl}/webhook`;
}

/** The same as anybody may read it: an address may hold a name and a password, or a key after the question mark. */
export function shownWebhookAddress(publicUrl: string): string {
  const { origin, pathname } = new URL(publicUrl);
  return webhookAddress(`${origin}${pathname}`.replace(/\/$/, ''));
}

/** Administrators see their own commands too, once they have written to the bot: before that Telegram refuses. */
export async function registerCommands(api: Api, texts: Texts, adminIds: readonly number[]): Promise<void> {
  const all = Object.entries(commands);
  const everybodys = all.filter(([, command]) => !('admin' in command));
  const listOf = (locale: Locale, entries: typeof all): BotCommand[] =>
    entries.map(([command]) => ({ command, description: texts.for(locale)(`command-${command}`) }));
  for (const locale of locales) {
    // Without a language: what users of every other language see.
    if (locale === defaultLocale) await api.setMyCommands(listOf(locale, everybodys));
    await api.setMyCommands(listOf(locale, everybodys), { language_code: locale });
  }
  for (const adminId of adminIds)
    await refusedBy(
      api.setMyCommands(listOf(defaultLocale, all), { scope: { type: 'chat', chat_id: adminId } }),
    );
}
