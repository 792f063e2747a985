// What is stored about the user, and the question before it is erased.
import { formatMoney } from '../billing/money-text.ts';
import { button, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import type { View } from './view.ts';

export function renderPrivacy({ consent, journalDays }: ScreenData['PRIVACY'], { t }: View): RenderedScreen {
  const lines = [
    t('privacy'),
    ...(journalDays > 0 ? [t('privacy-journal', { days: journalDays })] : []),
    '',
    t(consent ? 'privacy-consent-given' : 'privacy-consent-none'),
  ];
  return {
    text: lines.join('\n'),
    rows: [
      [
        consent
          ? button(t('button-consent-off'), 'consent', 'off')
          : button(t('button-consent-on'), 'consent', 'on'),
      ],
      [button(t('button-export'), 'exportData'), button(t('button-erase'), 'eraseAsk')],
      [button(t('button-back'), 'back'), button(t('button-menu'), 'menu')],
    ],
  };
}

export function renderPrivacyErase(
  { available }: ScreenData['PRIVACY_ERASE'],
  { t, locale }: View,
): RenderedScreen {
  const lines = [
    t('privacy-erase'),
    ...(available > 0 ? [t('privacy-erase-balance', { available: formatMoney(available, locale) })] : []),
  ];
  return {
    text: lines.join('\n\n'),
    rows: [[button(t('button-erase-all'), 'erase')], [button(t('button-keep'), 'privacy')]],
  };
}
