// A crawl of the running bot from /start: on every sort of screen every sort of button is pressed, every kind of
// question is answered rightly and wrongly, and everything that was sent keeps to Telegram's limits.
import { describe, expect, test } from 'vitest';
import type { ApiCall, BotMessage, CallbackClick, SentUpdate } from '../../sandbox/telegram/index.ts';
import { questionOf } from '../../src/catalogue/labels.ts';
import type { Model, Parameter } from '../../src/catalogue/schema.ts';
import type { Locale } from '../../src/locales.ts';
import { locales } from '../../src/locales.ts';
import type { ReasonCode } from '../../src/otel/reasons.ts';
import type { RawAnswer } from '../../src/pipeline/answer.ts';
import { decodeButton } from '../../src/ui/codec.ts';
import { type ButtonName, buttons, commands } from '../../src/ui/registry.ts';
import { type ScreenId, type ScreenRecord, screenIds } from '../../src/ui/screens.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { badAnswers, goodAnswers, models } from '../pipeline/answers.ts';
import { type BotUnderTest, quickTimings, startBot, waitFor } from '../support/bot.ts';
import { type CrawlAction, type CrawlPlace, crawl } from '../support/crawl.ts';
import { outcomeOf, storyOf } from '../support/story.ts';
import {
  buttonsOf,
  canBeGiven,
  canBeSent,
  type FoundButton,
  give,
  giveInVain,
} from '../support/user-actions.ts';

const maxSteps = 2_500;
const testCredits = 7;

const forSale = models.filter(({ enabled }) => enabled);
const unpriced = forSale.filter(({ price }) => price === undefined || price.confidence === 'low');
/** Few models that ask for everything that any model asks for. */
const wanted = chooseModels();
const [freeModel] = wanted;

/** What everybody may press; the panel of the administrators is crawled in debug.test.ts. */
const everybodys = Object.entries(buttons).filter(([, button]) => !('admin' in button));
/** An instance shows UPDATING only while it is PASSIVE (passive.test.ts), and FAULT when something fails (faults.test.ts). */
const shownToEverybody = screenIds.filter(
  id => id !== 'UPDATING' && id !== 'FAULT' && !id.startsWith('DEBUG'),
);

/** What a button that is on the screen now must never be refused for. */
const dead: ReadonlySet<ReasonCode> = new Set([
  'UNKNOWN_CALLBACK',
  'CALLBACK_PARSE_ERROR',
  'UNKNOWN_ACTION',
  'STATE_MISMATCH',
  'EXPIRED_MESSAGE',
  'DUPLICATE_ACTION',
  'INTERNAL_ERROR',
]);

describe.concurrent('from /start', () => {
  test.each(locales)(
    'every button of every screen leads on, in the language %s',
    async locale => {
      await using bot = await startBot({
        environment: { WELCOME_CREDIT: '900000000' },
        overrides: { timings: slowTimings },
        kie: { stepMs: 'manual', credits: 10_000_000 },
        prices: {
          ...Object.fromEntries(unpriced.map(({ id }) => [id, testCredits])),
          ...(freeModel ? { [freeModel.id]: 0 } : {}),
        },
      });
      const visitor = createVisitor(bot, locale);
      await visitor.begin();
      const { done, steps } = await crawl(visitor.look, maxSteps);
      await visitor.leave();

      expect(steps).toBeGreaterThan(100);
      expect([...visitor.screens].toSorted()).toEqual(shownToEverybody.toSorted());
      expect([...visitor.pressed].toSorted()).toEqual(everybodys.map(([name]) => name).toSorted());
      for (const name of Object.keys(commands))
        expect(
          [...done].some(what => what.endsWith(`› /${name}`)),
          name,
        ).toBe(true);
      await bot.telegram.idle();
      expectWithinLimits(bot.telegram.calls());
    },
    // Two thousand steps: a busy machine takes minutes.
    300_000,
  );
});

/** Nothing is given up, and nothing looks by itself: results come when the stand-in is hint to move on. */
const slowTimings = {
  ...quickTimings,
  startDelayMs: 20_000,
  unknownOutcomeLimitMs: 60_000,
  waitLimitMs: 60_000,
  poll: [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 60_000 }],
};

interface Visitor {
  readonly screens: ReadonlySet<ScreenId>;
  readonly pressed: ReadonlySet<ButtonName>;
  begin(): Promise<void>;
  look(): Promise<CrawlPlace>;
  /** Has everything erased. */
  leave(): Promise<void>;
}

interface Sight {
  readonly message: BotMessage;
  readonly screen: ScreenId;
  readonly model: Model | undefined;
  readonly asked: Parameter | undefined;
}

function createVisitor(bot: BotUnderTest, locale: Locale): Visitor {
  const user = bot.user({ languageCode: locale });
  const t = createTexts().for(locale);
  const screens = new Set<ScreenId>();
  const pressed = new Set<ButtonName>();
  /** What goes wrong only once, because the screens are the same afterwards. */
  const misfortunes = new Map<string, () => void>([
    ['generate, and it fails', () => bot.kie.failNext({ at: 'outcome', does: 'fail' })],
    ['generate, and its file is lost', () => bot.kie.failNext({ at: 'file', does: 'miss' })],
  ]);

  async function see(): Promise<Sight> {
    const message = user.messages().findLast(({ keyboard }) => keyboard.length > 0);
    if (!message) return expect.fail('There is nothing to press');
    const { screen_id: screen, record } = await waitFor('the record of the screen', async () => {
      const [row] = await bot.database.query<{ screen_id: ScreenId; record: ScreenRecord }>(
        'select screen_id, screen_data as record from messages where chat_id = $1 and message_id = $2',
        [user.chatId, message.messageId],
      );
      return row;
    });
    screens.add(screen);
    const model = models.find(({ key }) => key === record.model);
    return {
      message,
      screen,
      model,
      asked: model && screen === 'PARAMS_FORM' ? askedIn(message, model) : undefined,
    };
  }

  function askedIn({ text }: BotMessage, model: Model): Parameter {
    const lines = new Set(text.split('\n'));
    const asked = model.parameters.find(({ name }) => lines.has(questionOf(name, locale, model.category)));
    return asked ?? expect.fail(`${model.id} asks what is none of its parameters: ${text}`);
  }

  async function look(): Promise<CrawlPlace> {
    const sight = await see();
    const { message, screen, model, asked } = sight;
    const found = buttonsOf(message);
    const kinds = [...new Set(found.map(({ name }) => name))].join(' ');
    const sort = [screen, asked && kindOf(asked), `(${kinds})`].filter(Boolean).join(' ');
    const actions = [
      ...pressActions(sight, found),
      ...answerActions(sight),
      ...(screen === 'SEARCH' ? searchActions() : []),
      ...(screen === 'PROCESSING' ? [{ name: 'wait', perform: settle }] : []),
      ...Object.keys(commands).map(name => sayAction(`/${name}`, `/${name}`)),
    ];
    // Lists differ in their models, and are hint apart by section and page.
    const list = screen === 'CATEGORY_PICK' ? message.text.split('\n')[0] : undefined;
    return { name: [sort, model?.key, asked?.name, list].filter(Boolean).join(' '), sort, actions };
  }

  function pressActions({ message, screen, model }: Sight, found: readonly FoundButton[]): CrawlAction[] {
    const byName = new Map<string, FoundButton>();
    for (const button of found) {
      const name = pressName(button, model);
      // Whoever is erased has no balance to go on with: that comes last.
      if (button.name === 'erase') continue;
      if (!byName.has(name)) byName.set(name, button);
    }
    const presses = [...byName].map(([name, button]) => ({
      name,
      perform: () => press(message, screen, button),
    }));
    const generate = byName.get('generate');
    const unlucky = generate
      ? [...misfortunes].map(([name, happen]) => ({
          name,
          perform() {
            misfortunes.delete(name);
            happen();
            return press(message, screen, generate);
          },
        }))
      : [];
    // The misfortunes first: without a task there is nothing to fail.
    return [...unlucky, ...presses];
  }

  async function press(message: BotMessage, screen: ScreenId, button: FoundButton): Promise<void> {
    const click = user.click({ data: button.data }, { messageId: message.messageId });
    await expectLedOn(bot, click, button);
    pressed.add(button.name);
    if (screen === 'PROCESSING' || button.name !== 'generate') await settle();
  }

  function answerActions({ message, asked }: Sight): CrawlAction[] {
    if (!asked) return [];
    const good = longestAnswer(asked, message);
    const wrong = badAnswers(asked).find(({ raw }) => canBeSent(raw));
    const settled = async (work: Promise<unknown>): Promise<void> => {
      await work;
      await settle();
    };
    return [
      { name: 'answer', perform: () => settled(give(user, message, good)) },
      ...(wrong ? [{ name: 'answer wrongly', perform: () => settled(giveInVain(user, wrong.raw)) }] : []),
    ];
  }

  function searchActions(): CrawlAction[] {
    return [
      sayAction('look for nothing', 'zzzzzz'),
      sayAction('look for too little', 'x'),
      ...wanted.map(({ title }) => sayAction(`look for ${title}`, title)),
    ];
  }

  function sayAction(name: string, text: string): CrawlAction {
    return {
      name,
      async perform() {
        await expectEnded(bot, user.say(text));
        await settle();
      },
    };
  }

  /** Lets every update and every task end, and everything that is owed be sent. */
  async function settle(): Promise<void> {
    await waitFor('the end of all tasks', async () => {
      const [open] = await bot.database.query<{ begun: number; sent: number; owed: number }>(
        `select (select count(*)::int from updates where outcome is null)
             + count(*) filter (where state in ('created', 'submitting'))::int as begun,
           count(*) filter (where state = 'waiting')::int as sent,
           (select count(*)::int from deliveries where finished_at is null) as owed from tasks`,
      );
      if (!open || open.begun > 0) return undefined;
      if (open.sent > 0) {
        await bot.kie.advance(3);
        return undefined;
      }
      return open.owed === 0 || undefined;
    });
  }

  return {
    screens,
    pressed,
    look,
    async leave() {
      await settle();
      await expectEnded(bot, user.say('/privacy'));
      for (const wanted of ['eraseAsk', 'erase'] as const) {
        const { message, screen } = await see();
        const found = buttonsOf(message).find(({ name }) => name === wanted);
        await press(message, screen, found ?? expect.fail(`${screen} has no ${wanted}`));
      }
      await user.waitForMessage(({ text }) => text === t('erase-done'));
    },
    async begin() {
      const start = user.start();
      await user.waitForMessage(({ text }) =>
        text.startsWith(t('main-menu').split('\n')[0]?.replace(/<.*?>/g, '') ?? ''),
      );
      await expectEnded(bot, start);
    },
  };
}

/** Of models and settings only those are pressed one by one that are needed to meet every kind of question. */
function pressName({ name, args, text }: FoundButton, model: Model | undefined): string {
  const [first] = args;
  if (name === 'category') return `category ${first}`;
  if (name === 'page') return `page ${text}`;
  if (name === 'model' && wanted.some(({ key }) => key === first)) return `model ${first}`;
  if (!model || !wanted.includes(model)) return name;
  // Some models do not go on before a certain setting is made.
  if (name === 'proceed') return `proceed ${model.key}`;
  return name === 'edit' ? `edit ${text}` : name;
}

async function expectEnded(bot: BotUnderTest, sent: SentUpdate): Promise<string> {
  await storyOf(bot, sent);
  const [row] = await outcomeOf(bot, sent);
  expect(row?.outcome).toMatch(/^(accepted|rejected|noop)$/);
  return row?.reason_code ?? '';
}

async function expectLedOn(
  bot: BotUnderTest,
  click: CallbackClick,
  { name, text }: FoundButton,
): Promise<void> {
  const reason = await expectEnded(bot, click);
  const what = `${text} (${click.data}): ${reason}`;
  expect([...dead], what).not.toContain(reason);
  const answers = bot.telegram.calls(
    'answerCallbackQuery',
    ({ payload }) => payload.callback_query_id === click.callbackId,
  );
  expect(answers, what).toHaveLength(1);
  const story = await storyOf(bot, click);
  if (reason !== 'SUCCESS') {
    expect(click.answer?.text, what).not.toBe('');
    return;
  }
  expect(story.chain, what).toContain('UI_RENDER');
  expect(buttons[name].to, what).toContain(story.line('CALLBACK_ACCEPTED').next_screen);
}

/** The most that the form takes and a client sends, of characters that HTML has to escape. */
function longestAnswer(asked: Parameter, message: BotMessage): readonly RawAnswer[] {
  if (asked.type === 'text') {
    const length = Math.min(asked.maxLength, 4_096);
    return [{ kind: 'text', text: '<&>'.repeat(Math.ceil(length / 3)).slice(0, length) }];
  }
  const good = goodAnswers(asked).filter(({ raw: [first] }) => first && canBeGiven(first, message));
  return good.at(-1)?.raw ?? expect.fail(`Nothing can be given for ${asked.name}`);
}

function kindOf(parameter: Parameter): string {
  if (parameter.type !== 'files') return parameter.type;
  return `${parameter.media}${parameter.list && parameter.maxItems > 1 ? 's' : ''}`;
}

/** Each adds the most kinds of questions that those before it lack. */
function chooseModels(): readonly Model[] {
  const kindsOf = (model: Model): string[] =>
    model.parameters
      .filter(({ advanced, requiredIf }) => !advanced && !requiredIf)
      .map(parameter => `${kindOf(parameter)} ${parameter.required ? 'asked' : 'offered'}`);
  const missing = new Set(forSale.flatMap(kindsOf));
  const chosen: Model[] = [];
  while (missing.size > 0) {
    const gain = (model: Model): number => new Set(kindsOf(model).filter(kind => missing.has(kind))).size;
    const best = forSale.reduce((one, other) => (gain(other) > gain(one) ? other : one));
    chosen.push(best);
    for (const kind of kindsOf(best)) missing.delete(kind);
  }
  return chosen;
}

/** core.telegram.org/bots/api: after the entities are parsed. */
function expectWithinLimits(calls: readonly ApiCall[]): void {
  expect(calls.length).toBeGreaterThan(0);
  for (const { method, payload } of calls) {
    const limit = method === 'answerCallbackQuery' ? 200 : 4_096;
    expect(visibleLength(payload.text), method).toBeLessThanOrEqual(limit);
    expect(visibleLength(payload.caption), method).toBeLessThanOrEqual(1_024);
    for (const data of callbackDataOf(payload.reply_markup)) {
      expect(Buffer.byteLength(data), data).toBeLessThanOrEqual(64);
      expect(decodeButton(data), data).toMatchObject({ ok: true });
    }
  }
}

function visibleLength(html: unknown): number {
  if (typeof html !== 'string') return 0;
  return html.replace(/<[^>]*>/g, '').replace(/&(?:lt|gt|amp);/g, '.').length;
}

function callbackDataOf(markup: unknown): string[] {
  const text = JSON.stringify(markup ?? {});
  return [...text.matchAll(/"callback_data":("(?:[^"\\]|\\.)*")/g)].map(([, data]) =>
    JSON.parse(data ?? '""'),
  );
}
