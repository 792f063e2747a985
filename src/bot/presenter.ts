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

/** Throws what grammY throws, except where sending anew mends a message that cannot be edited. */
export async function present(
  api: Api,
  chatId: number,
  screen: RenderedScreen,
  editMessageId: number | undefined,
): Promise<Presented> {
  const options = {
    parse_mode: 'HTML',
    reply_markup: keyboardOf(screen),
    link_preview_options: { is_disabled: true },
  } as const;
  const buttonsCount = screen.rows.reduce((count, row) => count + row.length, 0);
  if (editMessageId !== undefined) {
    try {
      await api.editMessageText(chatId, editMessageId, screen.text, options);
      return { messageId: editMessageId, operation: 'edit', buttonsCount };
    } catch (error) {
      if (!(error instanceof GrammyError)) throw error;
      if (isUnchanged(error)) return { messageId: editMessageId, operation: 'unchanged', buttonsCount };
      if (!cannotBeEdited(error)) throw error;
    }
  }
  const message = await api.sendMessage(chatId, screen.text, options);
  return { messageId: message.message_id, operation: 'send', buttonsCount };
}

export function keyboardOf({ rows, copy }: RenderedScreen): InlineKeyboard {
  const taps: InlineKeyboardButton[][] = rows.map(row =>
    row.map(button => InlineKeyboard.text(button.text, button.data)),
  );
  return InlineKeyboard.from(copy ? [...taps, [InlineKeyboard.copyText(copy.text, copy.value)]] : taps);
}

/** Deleted by the user, too old, or a message with media. */
function cannotBeEdited(error: GrammyError): boolean {
  return (
    error.error_code === 400 &&
    /message to edit not found|message can't be edited|there is no text in the message/.test(
      error.description,
    )
  );
}
