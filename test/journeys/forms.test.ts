// Filling in forms: the questions in their order, what each takes and what it says to anything else, the settings
// behind them, the ways back, rules between settings, and forms that outlive the program.
import { describe, expect, test } from 'vitest';
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { acceptedTap, messageChain, outcomeOf, storyOf, tapChain } from '../support/story.ts';
import { buttonsOf, walkToModel } from '../support/walk.ts';

/** An answer that the form does not take: a line, and nothing moves. */
const refusedText = messageChain('MESSAGE_RECEIVED', 'PARAM_INPUT', 'PARAM_VALIDATION_FAILED', 'DISPATCH_OK');
const takenText = messageChain(
  'MESSAGE_RECEIVED',
  'PARAM_INPUT',
  'PARAM_ACCEPTED',
  'UI_RENDER',
  'DISPATCH_OK',
);
const seedance = {
  prices: { 'bytedance/seedance-2-fast': 5 },
} as const;

describe('the questions of a model', () => {
  test('come one by one: words, choices, yes or no; then the price of just these answers', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Kling 2.6 Text to Video', /step 1 of 4/);
    expect(user.lastMessage()?.text).toBe(
      'Kling 2.6 Text to Video · step 1 of 4\n\nDescribe what happens in the video\n\n' +
        'Send the text as a message: 1 to 1,000 characters.',
    );
    const ratio = await user.waitForMessage(/step 2 of 4/, { after: user.say('a storm at sea') });
    expect(buttonsOf(ratio)).toEqual(['1:1', '16:9', '9:16', '◀️ Back', '✖️ Cancel']);
    const duration = await user.waitForMessage(/step 3 of 4/, { after: user.click('9:16') });
    expect(buttonsOf(duration)).toEqual(['5 s', '10 s', '◀️ Back', '✖️ Cancel']);
    const sound = await user.waitForMessage(/step 4 of 4/, { after: user.click('10 s') });
    expect(buttonsOf(sound)).toEqual(['Yes', 'No', '◀️ Back', '✖️ Cancel']);
    const yes = user.click('Yes');
    const confirmation = await user.waitForMessage(/Check and run/, { after: yes });
    expect(confirmation.text).toBe(
      [
        'Check and run',
        '',
        'Model: Kling 2.6 Text to Video',
        'Description: a storm at sea',
        'Format: 9:16',
        'Duration: 10 s',
        'Sound: Yes',
        '',
        'Price: ₽220. Your balance: ₽1,000.',
        'Usually ready in 1 to 5 minutes.',
      ].join('\n'),
    );
    expect((await storyOf(bot, yes)).line('PARAM_ACCEPTED')).toMatchObject({
      param_name: 'sound',
      value: 'true',
    });
    const run = user.click('🚀 Run');
    await storyOf(bot, run, 'RESULT_DELIVERED');
    expect(bot.kie.tasks()).toMatchObject([
      {
        input: { prompt: 'a storm at sea', aspect_ratio: '9:16', duration: '10', sound: true },
        credits: 220,
      },
    ]);
  });

  test('take a choice and a yes typed as words, in either language', async () => {
    await using bot = await startBot();
    const user = bot.user({ languageCode: 'ru' });
    await user.waitForMessage(/Что создадим/, { after: user.start() });
    await user.waitForMessage(/Нашлось/, { after: user.say('kling 2.6 видео') });
    await user.waitForMessage(/Вопросов/, { after: user.click({ text: /^Kling 2.6 Text to Video/ }) });
    await user.waitForMessage(/шаг 1 из 4/, { after: user.click('✨ Создать') });
    await user.waitForMessage(/шаг 2 из 4/, { after: user.say('шторм на море') });
    await user.waitForMessage(/шаг 3 из 4/, { after: user.say('16:9') });
    await user.waitForMessage(/шаг 4 из 4/, { after: user.say('5 с') });
    const confirmation = await user.waitForMessage(/Проверьте и запускайте/, { after: user.say('нет') });
    expect(confirmation.text).toContain('Длительность: 5 с\nЗвук: Нет');
  });

  test('say what would have fit, leave the form as it is, and log only lengths of words', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Z-Image', /step 1 of 2/);
    const short = user.say('ab');
    expect((await user.waitForMessage(/Too short/, { after: short })).text).toBe(
      'Too short: 3–1000 characters are needed.',
    );
    const story = await storyOf(bot, short);
    expect(story.chain).toEqual(refusedText);
    expect(story.line('PARAM_INPUT')).toMatchObject({
      param_name: 'prompt',
      value: 'text(2)',
      source: 'text',
    });
    expect(story.line('PARAM_VALIDATION_FAILED')).toMatchObject({
      param_name: 'prompt',
      value: 'text(2)',
      reason_code: 'VALIDATION_FAILED',
      hint_to_user: 'Too short: 3–1000 characters are needed.',
      allowed: '3–1000',
      domain: 'UX',
    });
    expect(await outcomeOf(bot, short)).toEqual([
      { outcome: 'rejected', reason_code: 'VALIDATION_FAILED', attempts: 1 },
    ]);
    const long = user.say('a'.repeat(1_001));
    await user.waitForMessage(/^Too long: 3–1000 characters are allowed\.$/, { after: long });
    const picture = user.sendPhoto();
    await user.waitForMessage(/^A text is needed: 3–1000 characters\.$/, { after: picture });
    expect((await storyOf(bot, picture)).line('PARAM_INPUT')).toMatchObject({
      value: 'file(image)',
      source: 'upload',
    });

    await user.waitForMessage(/step 2 of 2/, { after: user.say('a yellow bird') });
    const wrong = user.say('2:1');
    await user.waitForMessage(/^Choose one of the buttons\.$/, { after: wrong });
    expect((await storyOf(bot, wrong)).line('PARAM_VALIDATION_FAILED')).toMatchObject({
      param_name: 'aspect_ratio',
      allowed: '1:1, 4:3, 3:4, 16:9, 9:16',
    });
    await user.waitForMessage(/Check and run/, { after: user.click('1:1') });
  });
});

describe('the settings of a model', () => {
  test('stand on one screen with their defaults, and can be changed, cleared and skipped', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Seedream 3.0', /step 1 of 1/);
    const first = user.say('a red cube');
    const options = await user.waitForMessage(/settings/, { after: first });
    expect(options.text).toBe(
      [
        'Seedream 3.0 · settings',
        '',
        'Description: a red cube',
        'Prompt strength: 2.5 (default)',
        'Format: Square HD (default)',
        '',
        'Change any of them, or go on.',
      ].join('\n'),
    );
    expect(buttonsOf(options)).toEqual([
      '✏️ Description',
      '✏️ Prompt strength',
      '✏️ Format',
      '▶️ Go on',
      '◀️ Back',
      '✖️ Cancel',
    ]);
    expect((await storyOf(bot, first)).chain).toEqual(takenText);

    const edit = user.click('✏️ Prompt strength');
    const question = await user.waitForMessage(/setting 2 of 3/, { after: edit });
    expect(question.text).toContain('Send a number: 1–10.');
    expect(buttonsOf(question)).toEqual(['◀️ Back', '✖️ Cancel']);
    const story = await storyOf(bot, edit);
    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({
      button_id: 'EDIT_1',
      screen_id: 'OPTIONS',
      next_screen: 'PARAMS_FORM',
    });
    await user.waitForMessage(/^A number is needed: 1–10\.$/, { after: user.say('strong') });
    await user.waitForMessage(/^Too large\. Allowed: 1–10\.$/, { after: user.say('11') });
    await user.waitForMessage(/^Too small\. Allowed: 1–10\.$/, { after: user.say('0,5') });
    const comma = user.say('3,5');
    const changed = await user.waitForMessage(/settings/, { after: comma });
    expect(changed.text).toContain('Prompt strength: 3.5\n');
    expect((await storyOf(bot, comma)).line('PARAM_ACCEPTED')).toMatchObject({
      param_name: 'guidance_scale',
      value: '3.5',
    });

    const again = await user.waitForMessage(/setting 2 of 3/, { after: user.click('✏️ Prompt strength') });
    expect(buttonsOf(again)).toEqual(['▶️ Go on', '🧹 Remove', '◀️ Back', '✖️ Cancel']);
    const cleared = await user.waitForMessage(/settings/, { after: user.click('🧹 Remove') });
    expect(cleared.text).toContain('Prompt strength: 2.5 (default)');

    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(bot.kie.tasks()).toMatchObject([
      { input: { prompt: 'a red cube', guidance_scale: 2.5, image_size: 'square_hd' } },
    ]);
  });

  test('answer with the buttons to whatever is typed or sent while nothing is asked', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Seedream 3.0', /step 1 of 1/);
    await user.waitForMessage(/settings/, { after: user.say('a red cube') });
    for (const send of [() => user.say('go'), () => user.sendPhoto()]) {
      const sent = send();
      await user.waitForMessage(/^There is nothing to send now\. Use the buttons above\.$/, { after: sent });
      expect(await outcomeOf(bot, sent)).toMatchObject([{ reason_code: 'STATE_MISMATCH' }]);
    }
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await user.waitForMessage(/^There is nothing to send now/, { after: user.say('go') });
    const change = await user.waitForMessage(/settings/, { after: user.click('✏️ Change') });
    expect(change.text).toContain('a red cube');
  });

  test('that depend on a mode are asked while it is on, and neither asked nor sent while it is off', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Suno V5', /Set the lyrics, style and title yourself\?/);
    expect(user.lastMessage()?.text).toContain('step 1 of 3');
    await user.waitForMessage(/step 2 of 5/, { after: user.click('Yes') });
    await user.waitForMessage(/step 3 of 5/, { after: user.click('No') });
    await user.waitForMessage(/Which style should the song be in\?/, {
      after: user.say('a song about rain'),
    });
    await user.waitForMessage(/What should the song be called\?/, { after: user.say('jazz') });
    const custom = await user.waitForMessage(/settings/, { after: user.say('Rain') });
    expect(custom.text).toContain('Style: jazz\nTitle: Rain\nVocals: –\nAvoid: –');

    await user.waitForMessage(/setting 1 of 7/, { after: user.click('✏️ Custom mode') });
    const plain = await user.waitForMessage(/settings/, { after: user.click('No') });
    expect(plain.text).not.toMatch(/Style|Title/);
    await user.waitForMessage(/setting 1 of 5/, { after: user.click('✏️ Custom mode') });
    const back = await user.waitForMessage(/settings/, { after: user.click('Yes') });
    expect(back.text).toContain('Style: jazz\nTitle: Rain');
    await user.waitForMessage(/setting 1 of 7/, { after: user.click('✏️ Custom mode') });
    await user.waitForMessage(/settings/, { after: user.click('No') });
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'TASK_COMPLETED');
    expect(bot.kie.tasks().map(({ input }) => input)).toEqual([
      { customMode: false, instrumental: false, prompt: 'a song about rain' },
    ]);
  });

  test('of which one is needed, or two exclude each other, are named when the user goes on', async () => {
    await using bot = await startBot(seedance);
    const user = bot.user();
    await walkToModel(user, 'ByteDance Seedance 2.0 Fast', /settings/);
    const early = user.click('▶️ Go on');
    const story = await storyOf(bot, early);
    expect(story.chain).toEqual(
      tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK'),
    );
    expect(story.line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'VALIDATION_FAILED',
      reason_detail: 'one_of: prompt, first_frame_url, reference_image_urls, reference_video_urls',
    });
    expect((await user.answerOf(early)).text).toBe(
      'At least one of these is needed: Description, First frame, References, Reference videos.',
    );

    const frame = await user.waitForMessage(/setting 4 of 10/, { after: user.click('✏️ First frame') });
    expect(frame.text).toContain('Send a picture or a link to one.');
    await user.waitForMessage(/First frame: 1 file\n/, { after: user.sendPhoto() });
    await user.waitForMessage(/setting 8 of 10/, { after: user.click('✏️ References') });
    await user.waitForMessage(/So far: 1 of 9/, { after: user.sendPhoto() });
    await user.waitForMessage(/References: 1 file\n/, { after: user.click('▶️ Go on') });
    const both = user.click('▶️ Go on');
    expect((await user.answerOf(both)).text).toBe(
      'These do not go together: First frame, References. Remove one.',
    );
    await outcomeOf(bot, both);
    await user.waitForMessage(/So far: 1 of 9/, { after: user.click('✏️ References') });
    const emptied = await user.waitForMessage(/setting 8 of 10/, { after: user.click('🧹 Remove') });
    expect(buttonsOf(emptied)).toEqual(['⏭ Skip', '◀️ Back', '✖️ Cancel']);
    await user.waitForMessage(/References: –/, { after: user.click('⏭ Skip') });
    await laterThanDoubleTap(bot);
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(Object.keys(bot.kie.tasks()[0]?.input ?? {})).not.toContain('reference_image_urls');
  });
});

describe('the ways back', () => {
  test('lead from each question to the one before, with the answer kept, and at last to the model', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Kling 2.6 Text to Video', /step 1 of 4/);
    await user.waitForMessage(/step 2 of 4/, { after: user.say('a storm') });
    await user.waitForMessage(/step 3 of 4/, { after: user.click('1:1') });
    const ratio = await user.waitForMessage(/step 2 of 4/, { after: user.click('◀️ Back') });
    expect(buttonsOf(ratio)).toContain('▶️ Go on');
    const kept = await user.waitForMessage(/step 3 of 4/, { after: user.click('▶️ Go on') });
    expect(buttonsOf(kept)).not.toContain('▶️ Go on');
    for (const screen of [/step 2 of 4/, /step 1 of 4/, /Questions: 4/]) {
      const back = user.click('◀️ Back');
      await user.waitForMessage(screen, { after: back });
      expect((await storyOf(bot, back)).chain).toEqual(acceptedTap);
    }
    const list = await user.waitForMessage(/🎬 Video · \d of \d/, { after: user.click('◀️ Back') });
    expect(buttonsOf(list).some(text => text.startsWith('Kling 2.6 Text to Video'))).toBe(true);
  });

  test('lead from the confirmation to the settings, and from a setting to the list of them', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Seedream 3.0', /step 1 of 1/);
    await user.waitForMessage(/settings/, { after: user.say('a red cube') });
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await user.waitForMessage(/settings/, { after: user.click('◀️ Back') });
    await user.waitForMessage(/setting 3 of 3/, { after: user.click('✏️ Format') });
    await user.waitForMessage(/Format: Square HD \(default\)/, { after: user.click('◀️ Back') });
    await user.waitForMessage(/step 1 of 1/, { after: user.click('◀️ Back') });
    await user.waitForMessage(/settings/, { after: user.say('a blue cube') });
  });

  const places: Readonly<Record<string, (user: SandboxUser) => Promise<unknown>>> = {
    'a question': async () => undefined,
    'the settings': user => user.waitForMessage(/settings/, { after: user.say('a red cube') }),
    'one setting': async user => {
      await user.waitForMessage(/settings/, { after: user.say('a red cube') });
      await user.waitForMessage(/setting 2 of 3/, { after: user.click('✏️ Prompt strength') });
    },
    'the confirmation': async user => {
      await user.waitForMessage(/settings/, { after: user.say('a red cube') });
      await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    },
  };
  const cancellations: readonly [string, (user: SandboxUser) => SentUpdate][] = [
    ['the button', user => user.click('✖️ Cancel')],
    ['/cancel', user => user.say('/cancel')],
  ];
  test.each(
    Object.entries(places).flatMap(([place, walk]) =>
      cancellations.map(([way, cancel]) => ({ place, walk, way, cancel })),
    ),
  )('end at the menu from $place by $way, and nothing is left of the form', async ({ walk, cancel }) => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Seedream 3.0', /step 1 of 1/);
    await walk(user);
    const sent = cancel(user);
    await user.waitForMessage(/What shall we create/, { after: sent });
    expect(await outcomeOf(bot, sent)).toMatchObject([{ outcome: 'accepted' }]);
    expect(await bot.database.query('select form from sessions')).toEqual([{ form: null }]);
  });

  test('do not exist for buttons of a form that has moved on: the current question is shown again', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Kling 2.6 Text to Video', /step 1 of 4/);
    const ratio = await user.waitForMessage(/step 2 of 4/, { after: user.say('a storm') });
    const stale = ratio.keyboard.flat().find(({ text }) => text === '1:1')?.data ?? '';
    await user.waitForMessage(/step 3 of 4/, { after: user.click('16:9') });
    const tap = user.rawCallback(stale, { messageId: ratio.messageId });
    const story = await storyOf(bot, tap);
    expect(story.line('CALLBACK_REJECTED')).toMatchObject({ reason_code: 'STATE_MISMATCH' });
    await user.waitForMessage(/step 4 of 4/, { after: user.click('5 s') });
    const confirmation = await user.waitForMessage(/Check and run/, { after: user.click('No') });
    expect(confirmation.text).toContain('Format: 16:9');
  });
});

test('a form outlives the program: its question is answered to the next one, its price still holds', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToModel(user, 'Kling 2.6 Text to Video', /step 1 of 4/);
  const said = user.say('a storm at sea');
  await user.waitForMessage(/step 2 of 4/, { after: said });
  await storyOf(bot, said);
  await bot.restart();

  await user.waitForMessage(/step 3 of 4/, { after: user.click('16:9') });
  const choice = user.click('5 s');
  await user.waitForMessage(/step 4 of 4/, { after: choice });
  await storyOf(bot, choice);
  await bot.restart();

  const last = user.click('No');
  const confirmation = await user.waitForMessage(/Check and run/, { after: last });
  expect(confirmation.text).toContain('Description: a storm at sea\nFormat: 16:9\nDuration: 5 s\nSound: No');
  await storyOf(bot, last);
  const quoteOf = async () =>
    (await bot.database.query<{ quote: object }>(`select form->'quote' as quote from sessions`))[0]?.quote;
  const quote = await quoteOf();
  expect(quote).toMatchObject({ kopecks: 5_500, credits: 55 });
  await bot.restart();

  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  expect(await bot.database.query('select quote from tasks')).toEqual([{ quote }]);
});

/** The same button within two seconds counts as a double tap. */
async function laterThanDoubleTap(bot: BotUnderTest): Promise<void> {
  await waitFor('an accepted tap', async () => {
    const rows = await bot.database.query(
      `update messages set last_action_at = last_action_at - interval '3 seconds'
       where last_action_at is not null returning message_id`,
    );
    return rows[0];
  });
}
