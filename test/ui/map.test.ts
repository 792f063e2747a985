// The map of the bot and what is drawn agree: each screen, in every variant, bears the buttons that are expected, and
// each button of the registry stands on exactly the screens that it names.
import { describe, expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Model, Parameter } from '../../src/catalogue/schema.ts';
import type { FileReference, FormValues } from '../../src/catalogue/values.ts';
import type { Judged } from '../../src/diagnosis/admin-diagnostics.ts';
import { locales } from '../../src/locales.ts';
import { askedParameters } from '../../src/pipeline/filled.ts';
import { type Form, startForm } from '../../src/pipeline/form.ts';
import type { RenderedScreen } from '../../src/ui/keyboard.ts';
import { type ButtonName, buttons } from '../../src/ui/registry.ts';
import { renderScreen } from '../../src/ui/render.ts';
import { type ScreenData, type ScreenId, screenIds } from '../../src/ui/screens.ts';
import { buttonNamesOf, expectTaken, plainTextOf, viewIn } from '../support/drawing.ts';

const catalogue = createCatalogue();
const withFree = createCatalogue();
withFree.applySettings([{ modelId: 'z-image', credits: 0, disabledReason: null }]);

const plain = modelNamed('zimage');
const answers: FormValues = { prompt: 'a <b>bird</b> & co', aspect_ratio: '1:1' };
const empty = startForm(plain);
const whole: Form = { ...empty, stage: 'confirm', values: answers };
const task = { task: 'AbCd_1234-xy', model: plain.key };
const failure = { ...task, reason: 'DOWNSTREAM_ERROR', cid: 'a1b2c3d4', money: 'returned' } as const;
const photo: FileReference = { from: 'telegram', fileId: 'photo-1' };
const modelsPerPage = 8;
const lastPage = Math.ceil(catalogue.inCategory('image').length / modelsPerPage) - 1;
const move = { kind: 'charge', amount: -80, at: new Date('2026-11-23T12:00:00Z') };

const action = {
  cid: 'a1b2c3d4',
  at: new Date('2026-11-23T12:00:00Z'),
  screen: 'Меню',
  name: '«Создать»',
  reason: 'STATE_MISMATCH',
  userHash: '0123456789abcdef',
} as const;
const panel = {
  status: {
    mode: 'single, webhook',
    state: 'ACTIVE',
    epoch: 3,
    heartbeatAgeMs: 1_234,
    queueDepth: 7,
    source: 'ok',
  },
  dashboard: {
    actions: [action, { ...action, cid: 'b1b2c3d4', screen: undefined }],
    newestCid: 'b1b2c3d4',
    faults: 1,
    outcomes: 20,
    warnings: [
      {
        event: 'SYSTEM_WARNING',
        operation: 'database connection',
        reasonCode: 'DB_ERROR' as const,
        release: '1.0.0',
        count: 22,
      },
    ],
    unread: undefined,
  },
  debugUntil: undefined,
};
const told = {
  at: action.at,
  name: 'CALLBACK_REJECTED',
  level: 'WARNING',
  spanId: '0123456789abcdef',
  fields: { reason_code: 'STATE_MISMATCH' },
};
const judged: Judged = {
  chain: { cid: action.cid, traceId: 'a1b2c3d4'.repeat(4), events: [told], spans: [] },
  verdict: { cause: 'cannot_tell', confidence: 'high', sentence: 'Tapped <b>, refused.', missing: [] },
};
const longJudged: Judged = {
  chain: { ...judged.chain, events: Array.from({ length: 200 }, () => told) },
  verdict: { ...judged.verdict, sentence: 'why & '.repeat(1_000) },
};

function modelNamed(key: string): Model {
  return catalogue.byKey(key) ?? expect.fail(`the catalogue has no ${key}`);
}

/** A model with a parameter like that, and the parameter. */
function having<P extends Parameter>(fits: (parameter: Parameter) => parameter is P): [Model, P] {
  for (const model of catalogue.models) {
    const found = askedParameters({ values: {} }, model).find(fits);
    if (found) return [model, found];
  }
  return expect.fail('no model has such a parameter');
}

/** A form in which that parameter is edited. */
function editing(model: Model, { name }: Parameter, values: FormValues = {}): { form: Form } {
  return { form: { ...startForm(model), values, stage: 'options', asking: name } };
}

const [switched, aSwitch] = having(
  (parameter): parameter is Parameter & { type: 'switch' } =>
    parameter.type === 'switch' && !parameter.required,
);
const [listed, aList] = having(
  (parameter): parameter is Parameter & { type: 'files' } =>
    parameter.type === 'files' && parameter.list && parameter.maxItems > 1 && parameter.required,
);
const [wordy, optionalText] = having(
  (parameter): parameter is Parameter & { type: 'text' } =>
    parameter.type === 'text' && !parameter.required && parameter.default === undefined,
);
const [choosy, longChoice] = having(
  (parameter): parameter is Parameter & { type: 'choice' } =>
    parameter.type === 'choice' && parameter.values.length > 30 && parameter.required,
);

interface Variant<S extends ScreenId = ScreenId> {
  readonly screen: S;
  readonly what: string;
  readonly data: ScreenData[S];
  readonly bears: readonly ButtonName[];
  readonly isFreeOffered?: true;
}

const times = (count: number, name: ButtonName): ButtonName[] => Array.from({ length: count }, () => name);

/** Keeps each screen with its own data. */
function variant<S extends ScreenId>(
  screen: S,
  what: string,
  data: ScreenData[S],
  ...bears: readonly ButtonName[]
): Variant {
  return { screen, what, data, bears } as const;
}

const shortcuts = ['best', 'free', 'search', 'balance', 'help'] as const;
const formEnd = ['previous', 'cancel'] as const;
const offered = catalogue.categories.length;
const variants: readonly Variant[] = [
  variant(
    'MAIN_MENU',
    'without free models',
    {},
    ...times(offered, 'category'),
    'best',
    'search',
    'balance',
    'help',
  ),
  {
    ...variant('MAIN_MENU', 'with a free model', {}, ...times(offered, 'category'), ...shortcuts),
    isFreeOffered: true,
  },
  variant(
    'CATEGORY_PICK',
    'first page',
    { category: 'image' },
    ...times(modelsPerPage, 'model'),
    'page',
    'back',
    'help',
  ),
  variant(
    'CATEGORY_PICK',
    'page in between',
    { category: 'image', page: 1 },
    ...times(modelsPerPage, 'model'),
    'page',
    'page',
    'back',
    'help',
  ),
  variant(
    'CATEGORY_PICK',
    'last page',
    { category: 'image', page: lastPage },
    ...times(catalogue.inCategory('image').length - lastPage * modelsPerPage, 'model'),
    'page',
    'back',
    'help',
  ),
  variant(
    'CATEGORY_PICK',
    'only page',
    { category: 'music' },
    ...times(catalogue.inCategory('music').length, 'model'),
    'back',
    'help',
  ),
  variant('BEST', 'list', {}, ...times(15, 'model'), 'menu'),
  variant('FREE', 'without any', {}, 'menu'),
  { ...variant('FREE', 'with one', {}, 'model', 'menu'), isFreeOffered: true },
  variant('SEARCH', 'question', {}, 'menu'),
  variant('SEARCH', 'hits', { found: ['zimage', 'm1'] }, 'model', 'model', 'menu'),
  variant('SEARCH', 'nothing', { found: [] }, 'menu'),
  variant('MODEL_PICK', 'card', { model: plain.key }, 'create', 'back', 'menu'),
  variant('PARAMS_FORM', 'text', { form: empty }, ...formEnd),
  variant(
    'PARAMS_FORM',
    'choices',
    { form: { ...empty, values: { prompt: 'a bird' } } },
    ...times(5, 'choose'),
    ...formEnd,
  ),
  variant(
    'PARAMS_FORM',
    'answer gone back to',
    { form: { ...empty, values: answers, asking: 'aspect_ratio' } },
    ...times(5, 'choose'),
    'done',
    ...formEnd,
  ),
  variant(
    'PARAMS_FORM',
    'a great many choices',
    editing(choosy, longChoice),
    ...times(longChoice.values.length, 'choose'),
    ...formEnd,
  ),
  variant(
    'PARAMS_FORM',
    'optional switch',
    editing(switched, aSwitch, { [aSwitch.name]: true }),
    'choose',
    'choose',
    'done',
    'clear',
    ...formEnd,
  ),
  variant('PARAMS_FORM', 'list of files without any', editing(listed, aList), ...formEnd),
  variant(
    'PARAMS_FORM',
    'list of files with one',
    editing(listed, aList, { [aList.name]: [photo] }),
    'done',
    ...formEnd,
  ),
  variant('PARAMS_FORM', 'optional text without a value', editing(wordy, optionalText), 'done', ...formEnd),
  variant(
    'PARAMS_FORM',
    'optional text with a value',
    editing(wordy, optionalText, { [optionalText.name]: 'less rain' }),
    'done',
    'clear',
    ...formEnd,
  ),
  variant(
    'OPTIONS',
    'list of parameters',
    { form: { ...whole, stage: 'options' } },
    'edit',
    'edit',
    'proceed',
    ...formEnd,
  ),
  ...([1_000, 10] as const).map(available =>
    variant(
      'CONFIRM',
      `with ${available} kopecks`,
      { form: whole, price: 80, available },
      'generate',
      'options',
      'balance',
      ...formEnd,
    ),
  ),
  variant('PROCESSING', 'without progress', task, 'menu', 'help'),
  variant('PROCESSING', 'with progress', { ...task, progress: 37 }, 'menu', 'help'),
  variant('RESULT', 'caption', task, 'original', 'again', 'menu'),
  variant(
    'RESULT_ERROR',
    'without a result',
    { ...failure, hasResult: false },
    'retry',
    'menu',
    'balance',
    'help',
    'report',
  ),
  variant(
    'RESULT_ERROR',
    'with a result',
    { ...failure, hasResult: true },
    'redeliver',
    'menu',
    'balance',
    'help',
    'report',
  ),
  variant('BALANCE', 'without moves', { available: 0, held: 0, moves: [] }, 'back', 'menu'),
  variant('BALANCE', 'with moves and a hold', { available: 99_920, held: 80, moves: [move] }, 'back', 'menu'),
  variant('HELP', 'page', {}, 'report', 'privacy', 'back', 'menu'),
  ...[true, false].map(consent =>
    variant(
      'PRIVACY',
      consent ? 'with consent' : 'without consent and journal',
      { consent, journalDays: consent ? 30 : 0 },
      'consent',
      'exportData',
      'eraseAsk',
      'back',
      'menu',
    ),
  ),
  ...[0, 99_920].map(available =>
    variant('PRIVACY_ERASE', `with ${available} kopecks`, { available }, 'erase', 'privacy'),
  ),
  variant('UPDATING', 'notice', {}, 'back'),
  variant('FAULT', 'sentence with its cid', { notice: 'Internal <error> & so on (a1b2c3d4)' }, 'report'),
  variant(
    'DEBUG',
    'at the usual level',
    panel,
    ...times(2, 'debugShow'),
    'debugOn',
    'debugCid',
    'debugClose',
  ),
  variant(
    'DEBUG',
    'in detail, when nobody did anything',
    {
      ...panel,
      debugUntil: new Date(),
      dashboard: { ...panel.dashboard, actions: [], newestCid: undefined },
    },
    'debugOff',
    'debugCid',
    'debugClose',
  ),
  variant(
    'DEBUG',
    'without a journal',
    {
      ...panel,
      dashboard: {
        actions: [],
        newestCid: undefined,
        faults: 0,
        outcomes: 0,
        warnings: [],
        unread: 'Away <b>',
      },
    },
    'debugOn',
    'debugCid',
    'debugClose',
  ),
  variant('DEBUG_CHAIN', 'of a trace', { cid: action.cid, judged: [judged], nothing: undefined }, 'debugCid'),
  variant(
    'DEBUG_CHAIN',
    'of many long traces',
    { cid: action.cid, judged: Array.from({ length: 9 }, () => longJudged), nothing: undefined },
    'debugCid',
  ),
  variant('DEBUG_CHAIN', 'of nothing', { cid: action.cid, judged: [], nothing: judged.verdict }, 'debugCid'),
  variant('DEBUG_USER', 'with actions', { who: '@bird', actions: [action, action] }, 'debugShow', 'debugCid'),
  variant('DEBUG_USER', 'without a journal', { who: '<b>', actions: [], unread: 'Away <b>' }, 'debugCid'),
  variant('DEBUG_USER', 'without any', { who: '<b>', actions: [] }, 'debugCid'),
  variant(
    'DEBUG_USER',
    'who complains',
    { who: 'a1b2c3d4', actions: [action], complaint: ['x'.repeat(2_000), 'y'.repeat(2_000), 'z'] },
    'debugShow',
    'debugCid',
  ),
];

describe.each(locales)('drawn in %s', locale => {
  const draw = ({ screen, data, isFreeOffered }: Variant): RenderedScreen =>
    renderScreen(screen, data, viewIn(locale, isFreeOffered ? withFree : catalogue));
  const textOf = (screen: ScreenId, what: string): string => {
    const found = variants.find(candidate => candidate.screen === screen && candidate.what === what);
    return plainTextOf(draw(found ?? expect.fail(`no ${screen} ${what}`)));
  };

  test('every screen of the map is drawn', () => {
    expect(new Set(variants.map(({ screen }) => screen))).toEqual(new Set(screenIds));
  });

  test.each(variants)('$screen ($what) bears its buttons, and Telegram takes it', shown => {
    const drawn = draw(shown);
    expect(buttonNamesOf(drawn)).toEqual(shown.bears);
    expectTaken(shown.screen, drawn);
  });

  test('every button stands on a screen that the map names for it, and every such screen has it', () => {
    const standing = new Map<ButtonName, Set<ScreenId>>();
    for (const shown of variants)
      for (const name of buttonNamesOf(draw(shown)))
        standing.set(name, (standing.get(name) ?? new Set()).add(shown.screen));
    // SAFETY: the keys of the table are its names.
    const names = Object.keys(buttons) as ButtonName[];
    expect(standing).toEqual(new Map(names.map(name => [name, new Set<ScreenId>(buttons[name].from)])));
  });

  test('the pages of a category show each of its models once', () => {
    const view = viewIn(locale, catalogue);
    for (const category of catalogue.categories) {
      const pages = Math.ceil(catalogue.inCategory(category).length / modelsPerPage);
      const shown = Array.from({ length: pages }, (_, page) =>
        renderScreen('CATEGORY_PICK', { category, page }, view).rows.flat(),
      )
        .flat()
        .flatMap(({ data }) => (data.startsWith('v1:mod:') ? [data.slice('v1:mod:'.length)] : []));
      expect(shown, category).toEqual(catalogue.inCategory(category).map(({ key }) => key));
    }
  });

  test('a page that a category no longer has is its last one', () => {
    const view = viewIn(locale, catalogue);
    expect(renderScreen('CATEGORY_PICK', { category: 'image', page: 99 }, view)).toEqual(
      renderScreen('CATEGORY_PICK', { category: 'image', page: lastPage }, view),
    );
  });

  test('what a user wrote is escaped for HTML', () => {
    for (const screen of ['OPTIONS', 'CONFIRM'] as const) {
      const shown = variants.find(candidate => candidate.screen === screen);
      expect(shown && draw(shown).text).toContain('a &lt;b&gt;bird&lt;/b&gt; &amp; co');
    }
  });

  test('only a confirmation that the wallet does not cover says how much is missing', () => {
    expect(textOf('CONFIRM', 'with 10 kopecks')).toContain(locale === 'en' ? '₽0.70' : '0,70');
    expect(textOf('CONFIRM', 'with 10 kopecks')).toContain('⚠️');
    expect(textOf('CONFIRM', 'with 1000 kopecks')).not.toContain('⚠️');
  });

  test('progress is shown as a bar', () => {
    expect(textOf('PROCESSING', 'with progress')).toContain('▓▓▓▓░░░░░░ 37 %');
    expect(textOf('PROCESSING', 'without progress')).not.toMatch(/[▓░]/);
  });

  test('files so far are counted', () => {
    expect(textOf('PARAMS_FORM', 'list of files with one')).toMatch(
      new RegExp(`: 1 (of|из) ${aList.maxItems}\\.`),
    );
  });
});
