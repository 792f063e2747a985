// What the user has, and the last moves of it.
import type { CommandHandler, Handler, HandlerContext } from '../bot/context.ts';
import { type Show, show } from '../ui/outcome.ts';

const movesShown = 5;

export const balance: Handler<'balance'> = async context => balanceScreen(context);

export const balanceCommand: CommandHandler<'balance'> = async context => balanceScreen(context);

async function balanceScreen({ account, user }: HandlerContext): Promise<Show<'BALANCE'>> {
  const { available, held } = await account.balance(user.chatId);
  // A paid order is two moves, and one line: shown as both it would read as paid twice.
  const entries = await account.moves(user.chatId, 2 * movesShown);
  const paid = new Set(entries.filter(({ kind }) => kind === 'charge').map(({ taskId }) => taskId));
  const moves = entries
    .filter(({ kind, taskId }) => kind !== 'hold' || !paid.has(taskId))
    .slice(0, movesShown)
    .map(({ kind, availableDelta, heldDelta, at }) => ({
      kind,
      // What was reserved has left the balance already; a charge is shown as what it took.
      amount: availableDelta === 0 ? heldDelta : availableDelta,
      at,
    }));
  return show('BALANCE', { available, held, moves });
}
