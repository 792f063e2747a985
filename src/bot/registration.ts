// What Telegram is told about this bot when it starts: where to send updates, which kinds, and the command
// list per language.
import type { Api } from 'grammy';
import type { Config } from '../config.ts';
import { commands } from '../ui/registry.ts';
import { locales, type Texts } from '../ui/texts.ts';

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
  await api.setWebhook(`${publicUrl}/webhook`, {
    allowed_updates: [...allowedUpdates],
    max_connections: maxConnections,
    drop_pending_updates: false,
    ...(bot.secretToken ? { secret_token: bot.secretToken.reveal() } : {}),
  });
}

export async function registerCommands(api: Api, texts: Texts): Promise<void> {
  const names = Object.keys(commands);
  for (const locale of locales) {
    const list = names.map(command => ({ command, description: texts.for(locale)(`command-${command}`) }));
    // Russian is also what users of every other language see.
    if (locale === 'ru') await api.setMyCommands(list);
    await api.setMyCommands(list, { language_code: locale });
  }
}
