// Puts a drawn screen in front of the user: edited into the tapped message where that is possible, sent as a
// new message otherwise.
import { type Api, GrammyError, InlineKeyboard } from 'grammy';
import type { InlineKeyboardButton } from 'grammy/types';
import type { RenderedScreen } from '../ui/keyboard.ts';
import { isUnchanged } from './api.ts';

export interface Presented {
  readonly messageId: number;
  readonly operation: 'send' | 'edit' | 'unchanged';
  readonly buttonsCount: number;
}

/**
 * Throws what grammY throws, except where sending anew fixes a message that cannot be edited. `beforeSending` is awaited
 * before a new message is sent: unlike an edit, that cannot be done twice.
 */
export async function present(
  api: Api,
  chatId: number,
  screen: RenderedScreen,
  editMessageId: number | undefined,
  beforeSending?: () => Promise<void> | void,
): Promise<Presented> {
  const buttonsCount = screen.rows.reduce((count, row) => count + row.length, 0);
  if (editMessageId !== undefined) {
    try {
      const operation = await edit(api, chatId, editMessageId, screen);
      return { messageId: editMessageId, operation, buttonsCount };
    } catch (error) {
      if (!(error instanceof GrammyError) || !cannotBeEdited(error)) throw error;
    }
  }
  await beforeSending?.();
  const message = await api.sendMessage(chatId, screen.text, optionsOf(screen));
  return { messageId: message.message_id, operation: 'send', buttonsCount };
}

/** Throws what grammY throws, also for a message that cannot be edited. */
export async function edit(
  api: Api,
  chatId: number,
  messageId: number,
  screen: RenderedScreen,
): Promise<'edit' | 'unchanged'> {
  try {
    await api.editMessageText(chatId, messageId, screen.text, optionsOf(screen));
    return 'edit';
  } catch (error) {
    if (error instanceof GrammyError && isUnchanged(error)) return 'unchanged';
    throw error;
  }
}

function optionsOf(screen: RenderedScreen) {
  return {
    parse_mode: 'HTML',
    reply_markup: keyboardOf(screen),
    link_preview_options: { is_disabled: true },
  } as const;
}

/** Rows of taps as they stand, and beneath them a button that copies a text, where there is one. */
export function keyboardOf({ rows, copy }: RenderedScreen): InlineKeyboard {
  const taps: InlineKeyboardButton[][] = rows.map(row =>
    row.map(button => InlineKeyboard.text(button.text, button.data)),
  );
  return InlineKeyboard.from(copy ? [...taps, [InlineKeyboard.copyText(copy.text, copy.value)]] : taps);
}

/** Deleted by the user, too old, or a message with media. */
export function cannotBeEdited(error: GrammyError): boolean {
  return (
    error.error_code === 400 &&
    /message to edit not found|message can't be edited|there is no text in the message/.test(
      error.description,
    )
  );
}
