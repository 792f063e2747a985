// The rules that hold for every tap before its handler is asked. A tap is judged by the screen of its own
// message, as we rendered it, and by the form that is open now; never by what the client claims.
import { type Rejected, rejected } from '../ui/outcome.ts';
import { type ButtonName, buttons } from '../ui/registry.ts';
import type { ScreenId } from '../ui/screens.ts';
import type { BotContext } from './bot-context.ts';

/** By our own record of the rendering: Telegram's date is that of the first sending. */
const expiryMs = 48 * 60 * 60 * 1_000;
/** The same button of the same drawing within this time of its acceptance is a double tap. */
const doubleTapMs = 2_000;

/** undefined when the handler may be called. `data` is the callback_data as it came. */
export function judge(
  context: BotContext,
  name: ButtonName,
  args: readonly (string | number)[],
  data: string,
): Rejected | undefined {
  const { screen, form } = context;
  const button = buttons[name];
  // First of all: the age of a message is no business of somebody who may not tap it.
  if ('admin' in button && !context.isAdmin) return rejected('PERMISSION_DENIED', { detail: name });
  const isLasting = 'lasting' in button;
  if (!screen) return isLasting ? undefined : expired('message_unknown', 'no record of this message');
  const tappedAt = context.picked.receivedAt.getTime();
  if (!isLasting && tappedAt - screen.renderedAt.getTime() > expiryMs) {
    return expired('message_expired', 'rendered over 48 hours ago');
  }
  // A second tap on the button that was accepted last is about what the first one started; it is no mistake.
  const repeated = screen.lastAction?.data === data;
  const orMismatch = (code: Mismatch, expected: string, actual: string): Rejected =>
    repeated ? rejected('DUPLICATE_ACTION') : mismatch(code, expected, actual);
  const from: readonly ScreenId[] = button.from;
  if (!from.includes(screen.id)) return orMismatch('screen_changed', from.join(' | '), screen.id);
  if (repeated && screen.lastAction) {
    const { at } = screen.lastAction;
    // Where the first tap drew a new screen, the same button on that screen is a new wish.
    if (at > screen.renderedAt && tappedAt - at.getTime() < doubleTapMs) return rejected('DUPLICATE_ACTION');
  }
  if ('draft' in button && (form?.draft !== args[0] || form?.revision !== args[1])) {
    return orMismatch(
      form ? 'form_changed' : 'form_closed',
      `draft ${args[0]} revision ${args[1]}`,
      form ? `draft ${form.draft} revision ${form.revision}` : 'no open form',
    );
  }
  return undefined;
}

type Mismatch = 'screen_changed' | 'form_changed' | 'form_closed';

function mismatch(code: Mismatch, expected: string, actual: string): Rejected {
  const because = { detail_code: code };
  const detail = `expected ${expected}, got ${actual}`;
  return rejected('STATE_MISMATCH', { expected, actual, detail, because });
}

function expired(code: 'message_unknown' | 'message_expired', detail: string): Rejected {
  return rejected('EXPIRED_MESSAGE', { detail, because: { detail_code: code } });
}
