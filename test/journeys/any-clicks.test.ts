// Whatever a client sends, in whatever order and from wherever: every update ends in a declared outcome, every tap is
// answered exactly once, and nobody reads a text that was not meant for reading.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlbumItem, CallbackClick, SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { buttons, commands } from '../../src/ui/registry.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { outcomeOf, storyOf } from '../support/story.ts';
import { walkToConfirm, walkToModel } from '../support/walk.ts';

const catalogue = createCatalogue();
const offered = catalogue.models.filter(model => catalogue.availability(model).ok);

const places = ['menu', 'question', 'options', 'confirmation', 'result', 'failure', 'unsent'] as const;
type Place = (typeof places)[number];

const files = ['photo', 'video', 'animation', 'video_note', 'audio', 'voice', 'document', 'huge'] as const;

type Step =
  /** A button of the newest message that has one. */
  | { readonly kind: 'shown'; readonly index: number }
  /** Data on a message of the bot, however old. */
  | { readonly kind: 'data'; readonly text: string; readonly message: number }
  /** The data of a button that is shown, with another last argument. */
  | { readonly kind: 'bent'; readonly index: number; readonly argument: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly file: (typeof files)[number] }
  | { readonly kind: 'album'; readonly items: readonly AlbumItem['kind'][] };

const argument = fc.oneof(
  fc.constantFrom(
    'image',
    'video',
    'zimage',
    'm1',
    'nosuch',
    'draft-1',
    'task-000',
    '0',
    '1',
    '99',
    '-1',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const buttonData = fc
  .tuple(
    fc.constantFrom('v1', 'v1', 'v0', 'v2'),
    fc.constantFrom(...Object.values(buttons).map(({ code }) => code)),
    fc.array(argument, { maxLength: 3 }),
  )
  .map(([version, code, parts]) => [version, code, ...parts].join(':'));
const junk = fc.string({ unit: 'binary', maxLength: 16 });
const text = fc.oneof(
  fc.constantFrom(
    'a yellow bird',
    '1:1',
    'z',
    'kling',
    '5',
    '0,5',
    '-1e9',
    'да',
    'no',
    '{ $allowed }',
    '<b>',
  ),
  fc.constantFrom(
    'https://pictures.example/a.png',
    'https://10.0.0.1/a.png',
    'ftp://x',
    'https://a.example b',
  ),
  fc.constantFrom(...Object.keys(commands).map(name => `/${name}`), '/nosuch', '/'),
  fc.constant('я'.repeat(4_096)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(said => said.trim() !== ''),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('shown' as const), index: fc.nat({ max: 12 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      text: fc.oneof(buttonData, junk),
      message: fc.nat({ max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('bent' as const), index: fc.nat({ max: 12 }), argument }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('text' as const), text }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('file' as const), file: fc.constantFrom(...files) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('album' as const),
      items: fc.array(fc.constantFrom('photo' as const, 'video' as const), { minLength: 2, maxLength: 4 }),
    }),
  },
);

function act(user: SandboxUser, chosen: Step): readonly (SentUpdate | CallbackClick)[] {
  switch (chosen.kind) {
    case 'shown':
      return [tapShown(user, chosen.index, data => data)];
    case 'bent':
      return [tapShown(user, chosen.index, data => data.replace(/[^:]*$/, () => chosen.argument))];
    case 'data': {
      const messages = user.messages();
      const messageId = messages[chosen.message % messages.length]?.messageId;
      return [user.rawCallback(chosen.text, messageId === undefined ? {} : { messageId })];
    }
    case 'text':
      return [user.say(chosen.text)];
    case 'file':
      return [sendFile(user, chosen.file)];
    case 'album':
      return user.sendAlbum(chosen.items.map(kind => ({ kind })));
  }
}

function tapShown(user: SandboxUser, index: number, bent: (data: string) => string): CallbackClick {
  const message = user.messages().findLast(({ keyboard }) => keyboard.length > 0);
  const shown = message?.keyboard.flat() ?? [];
  const data = shown[index % Math.max(shown.length, 1)]?.data ?? '';
  return user.rawCallback(bent(data), message ? { messageId: message.messageId } : {});
}

function sendFile(user: SandboxUser, file: (typeof files)[number]): SentUpdate {
  switch (file) {
    case 'photo':
      return user.sendPhoto();
    case 'video':
      return user.sendVideo();
    case 'animation':
      return user.sendAnimation();
    case 'video_note':
      return user.sendVideoNote();
    case 'audio':
      return user.sendAudio();
    case 'voice':
      return user.sendVoice();
    case 'document':
      return user.sendDocument(undefined, { mimeType: 'application/pdf', fileName: 'paper.pdf' });
    case 'huge':
      return user.sendDocument(undefined, { mimeType: 'image/png', declaredBytes: 30 * 1024 * 1024 });
  }
}

/** Where the user is when anything may happen. */
async function goTo(bot: BotUnderTest, user: SandboxUser, place: Place, title: string): Promise<void> {
  switch (place) {
    case 'menu': {
      const start = user.start();
      await user.waitForMessage(/What shall we create/, { after: start });
      return expectDeclaredEnd(bot, start);
    }
    case 'question':
      return walkToModel(user, title, /./);
    case 'options':
      await walkToModel(user, title, /./);
      return answerQuestions(bot, user);
    case 'confirmation':
      return walkToConfirm(user);
    case 'failure':
      bot.kie.failNext({ at: 'create', does: 'answer', code: 500 });
      return runToTheEnd(bot, user);
    case 'unsent':
      bot.kie.failNext({ at: 'file', does: 'miss' });
      return runToTheEnd(bot, user);
    case 'result':
      return runToTheEnd(bot, user);
  }
}

async function runToTheEnd(bot: BotUnderTest, user: SandboxUser): Promise<void> {
  await walkToConfirm(user);
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
}

const mostQuestions = 8;

/** Answers what must be answered, up to the options or the confirmation. */
async function answerQuestions(bot: BotUnderTest, user: SandboxUser): Promise<void> {
  for (let answered = 0; answered < mostQuestions; answered++) {
    const question = user.lastMessage();
    if (!question || !/ · step \d+ of \d+/.test(question.text)) return;
    const [first] = question.keyboard.flat();
    if (first?.data?.startsWith('v1:opt:') || first?.data?.startsWith('v1:done:'))
      await storyOf(bot, user.click({ data: first.data }));
    else if (question.text.includes('Send the text')) await storyOf(bot, user.say('a bird in a tree'));
    else if (question.text.includes('Send a number')) await storyOf(bot, user.say('5'));
    else await storyOf(bot, user.say('https://pictures.example/a.png'));
  }
}

async function expectDeclaredEnd(bot: BotUnderTest, sent: SentUpdate | CallbackClick): Promise<void> {
  await storyOf(bot, sent);
  const [row] = await outcomeOf(bot, sent);
  expect(['accepted', 'rejected', 'noop']).toContain(row?.outcome);
  expect(Object.keys(reasons)).toContain(row?.reason_code);
  if (!('callbackId' in sent)) return;
  const answers = bot.telegram.calls(
    'answerCallbackQuery',
    ({ payload }) => payload.callback_query_id === sent.callbackId,
  );
  expect(answers, `answers to ${JSON.stringify(sent.data)}`).toHaveLength(1);
  expect(sent.answer?.text, JSON.stringify(sent.data)).not.toMatch(notForReading);
}

/** A variable of a text that was not given, or a value that was not there. */
const notForReading = /\{ ?\$(?!allowed \})|undefined|NaN/;

test('any taps, texts, files and commands end in a declared outcome, and each tap is answered once', async () => {
  await using bot = await startBot();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...places),
      fc.constantFrom(...offered.map(({ title }) => title)),
      fc.array(step, { minLength: 6, maxLength: 14 }),
      fc.boolean(),
      async (place, title, steps, inHaste) => {
        const user = bot.user();
        await goTo(bot, user, place, title);
        const sent: (SentUpdate | CallbackClick)[] = [];
        for (const chosen of steps) {
          const updates = act(user, chosen);
          sent.push(...updates);
          if (!inHaste) for (const update of updates) await expectDeclaredEnd(bot, update);
        }
        for (const update of sent) await expectDeclaredEnd(bot, update);
        for (const { text: shown } of user.messages()) expect(shown).not.toMatch(notForReading);
        await bot.telegram.idle();
      },
    ),
    { numRuns: 20 },
  );
});
