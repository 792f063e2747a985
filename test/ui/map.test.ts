import { describe, expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { startForm } from '../../src/pipeline/form.ts';
import { decodeButton } from '../../src/ui/codec.ts';
import { buttons } from '../../src/ui/registry.ts';
import { type RenderedScreen, renderScreen } from '../../src/ui/render.ts';
import { type ScreenId, screenIds } from '../../src/ui/screens.ts';
import { createTexts, locales } from '../../src/ui/texts.ts';

const catalogue = createCatalogue();
const model = catalogue.byKey('zimage');
if (!model) throw new Error('the catalogue has no z-image');
const form = startForm(model);
const answered = { ...form, step: 2, values: { prompt: 'a <b>bird</b> & co', aspect_ratio: '1:1' } };
const task = { task: 'task-1', model: model.key };

/** Every screen, drawn; the form also at its question with choices. */
function drawAll(locale: (typeof locales)[number]): readonly [ScreenId, RenderedScreen][] {
  const view = { locale, t: createTexts().for(locale), catalogue };
  return [
    ['MAIN_MENU', renderScreen('MAIN_MENU', {}, view)],
    ['CATEGORY_PICK', renderScreen('CATEGORY_PICK', { category: 'image' }, view)],
    ['MODEL_PICK', renderScreen('MODEL_PICK', { model: model?.key ?? '' }, view)],
    ['PARAMS_FORM', renderScreen('PARAMS_FORM', { form }, view)],
    ['PARAMS_FORM', renderScreen('PARAMS_FORM', { form: { ...form, step: 1 } }, view)],
    ['CONFIRM', renderScreen('CONFIRM', { form: answered }, view)],
    ['PROCESSING', renderScreen('PROCESSING', task, view)],
    ['RESULT', renderScreen('RESULT', task, view)],
    [
      'RESULT_ERROR',
      renderScreen('RESULT_ERROR', { ...task, reason: 'DOWNSTREAM_ERROR', cid: 'a1b2c3d4' }, view),
    ],
    ['HELP', renderScreen('HELP', {}, view)],
    ['UPDATING', renderScreen('UPDATING', {}, view)],
  ];
}

describe.each(locales)('drawn in %s', locale => {
  const drawn = drawAll(locale);

  test('every screen of the map is drawn', () => {
    expect(new Set(drawn.map(([screen]) => screen))).toEqual(new Set(screenIds));
  });

  test('every button stands on a screen that the map names for it, and every such screen has it', () => {
    const standing = new Map<string, Set<ScreenId>>();
    for (const [screen, { rows }] of drawn) {
      for (const { data } of rows.flat()) {
        const decoded = decodeButton(data);
        expect(decoded.ok, data).toBe(true);
        if (decoded.ok) standing.set(decoded.button, (standing.get(decoded.button) ?? new Set()).add(screen));
      }
    }
    const declared = Object.entries(buttons).map(
      ([name, { from }]) => [name, new Set<ScreenId>(from)] as const,
    );
    expect(standing).toEqual(new Map(declared));
  });

  test('what a user wrote is escaped for HTML', () => {
    const confirm = drawn.find(([screen]) => screen === 'CONFIRM')?.[1];
    expect(confirm?.text).toContain('a &lt;b&gt;bird&lt;/b&gt; &amp; co');
  });
});
