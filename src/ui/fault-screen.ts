// What a user sees of a fault: the sentence with its cid, and the button that brings it to the administrators. Drawn
// from the words alone, so that it can be shown while the database or the catalogue is what has failed.
import { button, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import { escapeHtml } from './texts.ts';
import type { View } from './view.ts';

export function renderFault({ notice }: ScreenData['FAULT'], { t }: Pick<View, 't'>): RenderedScreen {
  return { text: escapeHtml(notice), rows: [[button(t('button-report'), 'report')]] };
}
