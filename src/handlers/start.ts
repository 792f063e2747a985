// /start, the menu button and /cancel: the main menu, whatever was going on. An open form is closed.
import type { CommandHandler, Handler } from '../bot/context.ts';
import { show } from '../ui/outcome.ts';

/** The welcome credit comes once the user is known, and only the first time. */
export const start: CommandHandler<'start'> = async () =>
  show('MAIN_MENU', {}, { followUps: [{ kind: 'welcome' }] });

export const cancelCommand: CommandHandler<'cancel'> = async () => show('MAIN_MENU', {});

export const menu: Handler<'menu'> = async () => show('MAIN_MENU', {});

export const cancel: Handler<'cancel'> = async () => show('MAIN_MENU', {});
