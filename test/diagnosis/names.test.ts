// The names that verdicts use are those that users see.
import { expect, test } from 'vitest';
import { buttonName, modelTitle, screenName, screenNamesIn } from '../../src/diagnosis/names.ts';
import { locales } from '../../src/locales.ts';
import { buttonId, buttons } from '../../src/ui/registry.ts';
import { screenIds } from '../../src/ui/screens.ts';
import { createTexts } from '../../src/ui/texts.ts';

/** Shown to administrators, who are told their own names. */
const forAdministrators = /^DEBUG/;

test.each(locales)('every screen has a name in %s', locale => {
  const unnamed = screenIds.filter(id => screenName(id, locale) === id && !forAdministrators.test(id));
  expect(unnamed).toEqual([]);
});

test.each(locales)('every button has a name in %s', locale => {
  const ids = Object.keys(buttons).map(name => buttonId(name as keyof typeof buttons, ['image', 1, 1]));
  expect(ids.filter(id => buttonName(id, locale) === undefined && !forAdministrators.test(id))).toEqual([]);
});

test.each([
  ['CREATE', 'button-create'],
  ['CONFIRM_RUN', 'button-generate'],
  ['AGAIN', 'button-again'],
  ['RETRY', 'button-retry'],
  ['BACK', 'button-back'],
  ['CANCEL', 'button-cancel'],
  ['MAIN_MENU', 'button-menu'],
  ['HELP', 'button-help'],
  ['BEST', 'button-best'],
  ['FREE', 'button-free'],
  ['SEARCH', 'button-search'],
  ['BALANCE', 'button-balance'],
  ['OPTIONS', 'button-change'],
  ['PROCEED', 'button-proceed'],
  ['DONE', 'button-done'],
  ['CLEAR', 'button-clear'],
  ['ORIGINAL', 'button-original'],
  ['REDELIVER', 'button-redeliver'],
  ['REPORT', 'button-report'],
])('%s is called as on the button', (id, key) => {
  for (const locale of locales) expect(buttonName(id, locale)).toBe(createTexts().for(locale)(key));
});

test('buttons with an argument name it', () => {
  expect(buttonName('CAT_IMAGE', 'ru')).toBe('раздел 🎨 Картинки');
  expect(buttonName('MODEL_ZIMAGE', 'en')).toBe('Z-Image');
  expect(buttonName('PARAM_0', 'en')).toBe('choice 1');
  expect(buttonName('NOSUCH', 'en')).toBeUndefined();
});

test('what nobody has named is shown as it is', () => {
  expect(screenName('NOSUCH', 'ru')).toBe('NOSUCH');
  expect(modelTitle('gone')).toBe('gone');
  expect(screenNamesIn('HELP | BALANCE', 'en')).toBe('«How it works», «Balance»');
});
