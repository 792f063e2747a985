// What a user has to spend, and what became of the rest.
import { formatMoney } from '../billing/money-text.ts';
import { button, type RenderedScreen } from './keyboard.ts';
import type { BalanceMove, ScreenData } from './screens.ts';
import type { View } from './view.ts';

export function renderBalance({ available, held, moves }: ScreenData['BALANCE'], view: View): RenderedScreen {
  const { t, locale } = view;
  const lines = [
    t('balance', { available: formatMoney(available, locale) }),
    ...(held > 0 ? [t('balance-held', { held: formatMoney(held, locale) })] : []),
    '',
    ...(moves.length > 0 ? moves.map(move => moveLine(move, view)) : [t('balance-no-moves')]),
  ];
  return {
    text: lines.join('\n'),
    rows: [[button(t('button-back'), 'back'), button(t('button-menu'), 'menu')]],
  };
}

function moveLine({ kind, amount, at }: BalanceMove, { t, locale }: View): string {
  const sign = amount < 0 ? '−' : '+';
  const day = at.toISOString().slice(0, 10);
  return t('balance-move', {
    day,
    kind: t(`move-${kind}`),
    amount: `${sign}${formatMoney(Math.abs(amount), locale)}`,
  });
}
