// Screens of a generation: that it runs, its result, and why there is none.
import { reasons } from '../otel/reasons.ts';
import { button, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import { titleOf, type View } from './view.ts';

const barLength = 10;

export function renderProcessing(
  { model, progress }: ScreenData['PROCESSING'],
  view: Pick<View, 't' | 'catalogue'>,
): RenderedScreen {
  const text = view.t('processing', { title: titleOf(model, view) });
  return {
    text: progress === undefined ? text : `${text}\n\n${bar(progress)}`,
    rows: [[button(view.t('button-menu'), 'menu'), button(view.t('button-help'), 'help')]],
  };
}

export function renderResult({ task, model }: ScreenData['RESULT'], view: View): RenderedScreen {
  return {
    text: view.t('result-caption', { title: titleOf(model, view) }),
    rows: [
      [button(view.t('button-original'), 'original', task)],
      [button(view.t('button-again'), 'again', model), button(view.t('button-menu'), 'menu')],
    ],
  };
}

export function renderResultError(
  { task, model, reason, cid, money, hasResult }: ScreenData['RESULT_ERROR'],
  view: View,
): RenderedScreen {
  const { t, locale } = view;
  return {
    text: t('result-error', {
      title: titleOf(model, view),
      // Of a failed delivery the reason would speak of the generation, which went well.
      reason: hasResult ? t('result-unsent') : reasons[reason].text[locale],
      money: t(`money-${money}`),
      cid,
    }),
    rows: [
      [
        hasResult
          ? button(t('button-redeliver'), 'redeliver', task)
          : button(t('button-retry'), 'retry', task),
        button(t('button-menu'), 'menu'),
      ],
      [button(t('button-balance'), 'balance'), button(t('button-help'), 'help')],
      [button(t('button-report'), 'report')],
    ],
  };
}

function bar(progress: number): string {
  const done = Math.round((progress / 100) * barLength);
  return `${'▓'.repeat(done)}${'░'.repeat(barLength - done)} ${Math.round(progress)} %`;
}
