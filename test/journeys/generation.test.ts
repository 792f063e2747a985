// The journey that everything else is measured by: from /start to the picture, with the ways back.
import { expect, test } from 'vitest';
import { type BotUnderTest, quickTimings, startBot } from '../support/bot.ts';
import { treeOf } from '../support/span-tree.ts';
import {
  acceptedRun,
  acceptedTap,
  messageChain,
  outcomeOf,
  paidTask,
  storyOf,
  tapChain,
  traceEnded,
} from '../support/story.ts';
import { buttonsOf, prompt, walkToConfirm, walkToForm } from '../support/walk.ts';

const modelsPerPage = 8;

/** KIE.ai moves only when asked to, and nobody looks unasked: so each event has one possible place. */
const calledBackOnly = {
  kie: { stepMs: 'manual' },
  overrides: {
    timings: {
      ...quickTimings,
      waitLimitMs: 60_000,
      poll: [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 60_000 }],
    },
  },
} as const;

const generationChain = [...acceptedRun, 'TASK_PROGRESS', 'KIE_CALLBACK', ...paidTask, 'RESULT_DELIVERED'];

test('a user walks from /start to the picture', async () => {
  await using bot = await startBot();
  const user = bot.user();

  user.start();
  const menu = await user.waitForMessage(/What shall we create/);
  expect(buttonsOf(menu)).toEqual([
    '🎨 Pictures',
    '🎬 Video',
    '🗣 Speech',
    '🎵 Music',
    '✨ Enhance',
    '💸 Cheapest',
    '🔎 Find a model',
    '💰 Balance',
    '❓ Help',
  ]);
  user.click('🎨 Pictures');
  const shelf = buttonsOf(await user.waitForMessage(/Pictures · 1 of 3\s+Choose a model/));
  expect(shelf).toHaveLength(modelsPerPage + 3);
  expect(shelf[0]).toBe('Z-Image · from ₽0.80');
  expect(shelf.slice(modelsPerPage)).toEqual(['▶️', '◀️ Back', '❓ Help']);
  user.click('Z-Image · from ₽0.80');
  const card = await user.waitForMessage(/photorealistic/);
  expect(card.text).toContain('Price: from ₽0.80\nQuestions: 2, optional settings: 0');
  expect(buttonsOf(card)).toEqual(['✨ Create', '◀️ Back', '🏠 Menu']);
  user.click('✨ Create');
  const firstQuestion = await user.waitForMessage(/step 1 of 2/);
  expect(firstQuestion.text).toContain('Send the text as a message: 3 to 1,000 characters.');
  expect(firstQuestion.messageId).toBe(menu.messageId);
  user.say(prompt);
  const secondQuestion = await user.waitForMessage(/step 2 of 2/);
  expect(buttonsOf(secondQuestion)).toEqual(['1:1', '4:3', '3:4', '16:9', '9:16', '◀️ Back', '✖️ Cancel']);
  user.click('16:9');
  const confirmation = await user.waitForMessage(/Check and run/);
  expect(confirmation.text).toBe(
    `Check and run\n\nModel: Z-Image\nDescription: ${prompt}\nFormat: 16:9\n\n` +
      'Price: ₽0.80. Your balance: ₽1,000.\nUsually ready within a minute.',
  );
  expect(confirmation.messageId).toBe(secondQuestion.messageId);
  expect(buttonsOf(confirmation)).toEqual(['🚀 Run', '✏️ Change', '💰 Balance', '◀️ Back', '✖️ Cancel']);
  const run = user.click('🚀 Run');
  const done = await user.waitForMessage(/^✅ Z-Image is ready, see below\.$/);
  expect(done).toMatchObject({ messageId: confirmation.messageId, keyboard: [] });

  const picture = user.lastMessage();
  expect(picture).toMatchObject({ kind: 'photo', text: '✅ Z-Image' });
  expect(picture && buttonsOf(picture)).toEqual(['📎 Original file', '🔁 Once more', '🏠 Menu']);
  expect(ratioOf(picture?.fileBytes)).toBeCloseTo(16 / 9, 1);
  expect(await user.answerOf(run)).toMatchObject({ text: '' });
  expect(user.messages()).toHaveLength(3);
  await storyOf(bot, run, 'RESULT_DELIVERED');
  expect(bot.kie.tasks()).toEqual([
    expect.objectContaining({ model: 'z-image', input: { prompt, aspect_ratio: '16:9' } }),
  ]);
});

test('each step of the journey is one chain under one cid', async () => {
  await using bot = await startBot(calledBackOnly);
  const user = bot.user();

  const start = user.start();
  await user.waitForMessage(/What shall we create/);
  const category = user.click('🎨 Pictures');
  await user.waitForMessage(/Choose a model/);
  const model = user.click({ text: /^Z-Image/ });
  await user.waitForMessage(/photorealistic/);
  const create = user.click('✨ Create');
  await user.waitForMessage(/step 1 of 2/);
  const text = user.say(prompt);
  await user.waitForMessage(/step 2 of 2/);
  const choice = user.click('16:9');
  await user.waitForMessage(/Check and run/);
  const run = user.click('🚀 Run');
  await storyOf(bot, run, 'TASK_PROGRESS');
  await bot.kie.advance(3);

  expect((await storyOf(bot, start, 'BALANCE_TOPUP')).chain).toEqual(
    messageChain('COMMAND_RECEIVED', 'COMMAND_START', 'UI_RENDER', 'DISPATCH_OK', 'BALANCE_TOPUP'),
  );
  for (const tap of [category, model, create]) expect((await storyOf(bot, tap)).chain).toEqual(acceptedTap);
  expect((await storyOf(bot, text)).chain).toEqual(
    messageChain('MESSAGE_RECEIVED', 'PARAM_INPUT', 'PARAM_ACCEPTED', 'UI_RENDER', 'DISPATCH_OK'),
  );
  expect((await storyOf(bot, choice)).chain).toEqual(
    tapChain(
      'CALLBACK_ROUTED',
      'PARAM_INPUT',
      'PARAM_ACCEPTED',
      'CALLBACK_ACCEPTED',
      'ANSWER_CALLBACK_QUERY',
      'UI_RENDER',
      'DISPATCH_OK',
    ),
  );
  expect((await storyOf(bot, run, 'RESULT_DELIVERED')).chain).toEqual(generationChain);
  const cids = await Promise.all(
    [start, category, model, create, text, choice, run].map(({ updateId }) => bot.cidOf(updateId)),
  );
  expect(new Set(cids).size).toBe(7);
});

test('the events of a tap bear what the seeds ask for', async () => {
  await using bot = await startBot();
  const user = bot.user();
  user.start();
  const menu = await user.waitForMessage(/What shall we create/);
  const tap = user.click('🎨 Pictures');
  const story = await storyOf(bot, tap);

  expect(story.line('UPDATE_RECEIVED')).toMatchObject({ callback_id: tap.callbackId, domain: 'WEBHOOK' });
  expect(story.line('QUEUE_ENQUEUE')).toMatchObject({ latency_ms: expect.any(Number), domain: 'QUEUE' });
  expect(story.line('CALLBACK_RECEIVED')).toMatchObject({
    callback_id: tap.callbackId,
    button_id: 'CAT_IMAGE',
    message_id: menu.messageId,
    payload_sanitized: 'v1:cat:image',
    domain: 'UX',
  });
  expect(story.line('CALLBACK_ROUTED')).toMatchObject({
    handler: 'category',
    action_id: 'category',
    button_id: 'CAT_IMAGE',
  });
  expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({
    result: 'accepted',
    reason_code: 'SUCCESS',
    button_id: 'CAT_IMAGE',
    screen_id: 'MAIN_MENU',
    next_screen: 'CATEGORY_PICK',
  });
  expect(story.line('CALLBACK_ACCEPTED').msg).toContain('reason_code=SUCCESS');
  expect(story.line('ANSWER_CALLBACK_QUERY')).toMatchObject({ result: 'accepted', text: '' });
  expect(story.line('UI_RENDER')).toMatchObject({
    screen_id: 'CATEGORY_PICK',
    buttons_count: modelsPerPage + 3,
    operation: 'edit',
    message_id: menu.messageId,
  });
  expect(story.line('DISPATCH_OK')).toMatchObject({
    result: 'accepted',
    reason_code: 'SUCCESS',
    latency_ms: expect.any(Number),
    duration_ms: expect.any(Number),
  });
  const ofUpdate = bot.linesOf(story.cid);
  expect(ofUpdate.every(line => line.update_id === tap.updateId)).toBe(true);
  expect(ofUpdate.every(line => line.event_type === 'callback_query')).toBe(true);
});

test('the answers to a form are logged without the words of the user', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const text = await storyOf(bot, user.say(prompt));
  await user.waitForMessage(/step 2 of 2/);
  const choice = await storyOf(bot, user.click('16:9'));

  const length = `text(${prompt.length})`;
  expect(text.line('MESSAGE_RECEIVED')).toMatchObject({ payload_sanitized: length });
  expect(text.line('PARAM_INPUT')).toMatchObject({ param_name: 'prompt', value: length, source: 'text' });
  expect(choice.line('PARAM_INPUT')).toMatchObject({
    param_name: 'aspect_ratio',
    value: '16:9',
    source: 'button',
  });
  expect(choice.line('PARAM_ACCEPTED')).toMatchObject({ param_name: 'aspect_ratio', value: '16:9' });
  expect(bot.output.join('')).not.toContain(prompt);
});

test('the database holds one outcome per update, the task, its delivery and what each message shows', async () => {
  await using bot = await startBot(calledBackOnly);
  const { user, run, cid } = await generate(bot);

  expect(
    await bot.database.query(
      'select event_type, outcome, reason_code, attempts from updates order by update_id',
    ),
  ).toEqual(
    [
      'command',
      'callback_query',
      'callback_query',
      'callback_query',
      'text_input',
      'callback_query',
      'callback_query',
    ].map(event_type => ({ event_type, outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 })),
  );
  const [vendorTask] = bot.kie.tasks();
  expect(
    await bot.database.query(
      `select state, reason_code, model_id, model_key, inputs, vendor_task_id, submit_attempts, message_id,
        traceparent, quote ->> 'kopecks' as kopecks, cost_credits::float from tasks`,
    ),
  ).toEqual([
    {
      state: 'succeeded',
      reason_code: null,
      model_id: 'z-image',
      model_key: 'zimage',
      inputs: { prompt, aspect_ratio: '16:9' },
      vendor_task_id: vendorTask?.taskId,
      submit_attempts: 1,
      message_id: '4',
      traceparent: expect.stringMatching(new RegExp(`^00-${cid}`)),
      kopecks: '80',
      cost_credits: 0.8,
    },
  ]);
  expect(
    await bot.database.query(
      'select kind, available_delta::int as available, held_delta::int as held from ledger order by id',
    ),
  ).toEqual([
    { kind: 'welcome', available: 100_000, held: 0 },
    { kind: 'hold', available: -80, held: 80 },
    { kind: 'charge', available: 0, held: -80 },
  ]);
  expect(await bot.database.query('select available::int, held::int from wallets')).toEqual([
    { available: 99_920, held: 0 },
  ]);
  expect(
    await bot.database.query(
      'select kind, position, attempts, message_id, file_id, reason_code, finished_at is not null as finished from deliveries',
    ),
  ).toEqual([
    {
      kind: 'result',
      position: 1,
      attempts: 1,
      message_id: '5',
      file_id: user.lastMessage()?.fileId,
      reason_code: null,
      finished: true,
    },
  ]);
  expect(
    await bot.database.query('select message_id, screen_id, media from messages order by message_id'),
  ).toEqual([
    { message_id: '2', screen_id: 'PARAMS_FORM', media: false },
    { message_id: '4', screen_id: 'RESULT', media: false },
    { message_id: '5', screen_id: 'RESULT', media: true },
  ]);
  expect(await bot.database.query('select chat_id, form from sessions')).toEqual([
    { chat_id: String(user.chatId), form: null },
  ]);
  expect(await bot.database.query('select finished_at is not null as worked from kie_callbacks')).toEqual([
    { worked: true },
  ]);
  expect(await outcomeOf(bot, run)).toHaveLength(1);
});

test('everything a generation does stands in the trace of the tap that started it', async () => {
  await using bot = await startBot(calledBackOnly);
  const { cid, run } = await generate(bot);
  await traceEnded(bot, cid);

  const spans = bot.spansOf(cid);
  expect(treeOf(spans)).toEqual([
    'update callback_query',
    '  dispatch update',
    '    telegram answerCallbackQuery',
    '    telegram editMessageText',
    '    follow up start_task',
    '    task submit',
    '      kie createTask',
    '    kie callback',
    '    task poll',
    '      kie recordInfo',
    '      deliver result',
    '        telegram sendPhoto',
    '        telegram editMessageText',
  ]);
  expect(spans.every(span => span.attributes.cid === cid)).toBe(true);
  expect(spans.filter(span => span.status.code !== 0)).toEqual([]);
  const dispatch = spans.find(span => span.name === 'dispatch update');
  expect(dispatch?.attributes).toMatchObject({
    event_type: 'callback_query',
    update_id: run.updateId,
    result: 'accepted',
    reason_code: 'SUCCESS',
    screen_id: 'CONFIRM',
    button_id: 'CONFIRM_RUN',
    action_id: 'generate',
    handler: 'generate',
    user_hash: bot.linesOf(cid)[0]?.user_hash,
  });
  expect(dispatch?.events.map(({ name }) => name)).toEqual(generationChain.slice(2, acceptedRun.length));
  expect(dispatch?.links.map(({ context }) => context.spanId)).toEqual([
    spans.find(span => span.name === 'update callback_query')?.spanContext().spanId,
  ]);
  expect(spans.find(span => span.name === 'deliver result')?.events.map(({ name }) => name)).toEqual([
    'RESULT_DELIVERED',
  ]);
});

test('a plain tap is a trace of four spans', async () => {
  await using bot = await startBot();
  const user = bot.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const { cid } = await storyOf(bot, user.click('🎨 Pictures'));
  await traceEnded(bot, cid);
  expect(treeOf(bot.spansOf(cid))).toEqual([
    'update callback_query',
    '  dispatch update',
    '    telegram answerCallbackQuery',
    '    telegram editMessageText',
  ]);
});

test('the poll finds the result where the callback stays away', async () => {
  await using bot = await startBot();
  bot.kie.failNext({ at: 'callback', does: 'never' });
  const user = bot.user();
  await walkToConfirm(user);
  const { cid, chain } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  await traceEnded(bot, cid);

  expect(chain.filter(name => name !== 'TASK_PROGRESS')).toEqual([
    ...acceptedRun,
    ...paidTask,
    'RESULT_DELIVERED',
  ]);
  expect(bot.kie.callbacks()).toEqual([]);
  expect(treeOf(bot.spansOf(cid)).slice(-5)).toEqual([
    '    task poll',
    '      kie recordInfo',
    '      deliver result',
    '        telegram sendPhoto',
    '        telegram editMessageText',
  ]);
});

test('a Russian profile gets Russian texts from the menu to the picture', async () => {
  await using bot = await startBot();
  const user = bot.user({ languageCode: 'ru' });
  user.start();
  await user.waitForMessage(/Что создадим/);
  user.click('🎨 Картинки');
  await user.waitForMessage(/Выберите модель/);
  user.click({ text: /^Z-Image · от 0,80\s₽$/ });
  await user.waitForMessage(/фотореалистичные/);
  user.click('✨ Создать');
  await user.waitForMessage(/шаг 1 из 2/);
  user.say('Жёлтая птица на ветке');
  await user.waitForMessage(/шаг 2 из 2/);
  user.click('1:1');
  await user.waitForMessage(/Проверьте и запускайте[\s\S]*Описание: Жёлтая птица на ветке/);
  const run = user.click('🚀 Запустить');
  await user.waitForMessage(/готово, результат ниже/);
  await storyOf(bot, run, 'RESULT_DELIVERED');
  const picture = user.lastMessage();
  expect(picture && buttonsOf(picture)).toEqual(['📎 Оригинал файлом', '🔁 Ещё раз', '🏠 Меню']);
  expect(await bot.database.query('select language from users')).toEqual([{ language: 'ru' }]);
});

test('a profile of another language, or of none, is spoken to in Russian', async () => {
  await using bot = await startBot();
  for (const user of [bot.telegram.user(), bot.user({ languageCode: 'de' })]) {
    user.start();
    await user.waitForMessage(/Что создадим/);
  }
});

test('Back leads one step back from every screen', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);

  const taps = [];
  for (const screen of [
    /step 2 of 2/,
    /step 1 of 2/,
    /photorealistic/,
    /Choose a model/,
    /What shall we create/,
  ]) {
    const tap = user.click('◀️ Back');
    await user.waitForMessage(screen, { after: tap });
    await storyOf(bot, tap);
    taps.push(tap);
    // The same button within two seconds would count as a double tap.
    await bot.database.query(`update messages set last_action_at = last_action_at - interval '3 seconds'`);
  }
  const stories = await Promise.all(taps.map(tap => storyOf(bot, tap)));
  for (const { chain } of stories) expect(chain).toEqual(acceptedTap);
  expect(stories.map(story => story.line('CALLBACK_ACCEPTED').next_screen)).toEqual([
    'PARAMS_FORM',
    'PARAMS_FORM',
    'MODEL_PICK',
    'CATEGORY_PICK',
    'MAIN_MENU',
  ]);
  for (const story of stories) expect(story.line('CALLBACK_RECEIVED').button_id).toBe('BACK');
});

test('an answer that was gone back to can be given anew, and the other ones are kept', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  await user.waitForMessage(/step 2 of 2/, { after: user.click('◀️ Back') });
  await user.waitForMessage(/step 1 of 2/, { after: user.click('◀️ Back') });
  const said = user.say('another bird, a blue one');
  const confirmation = await user.waitForMessage(/Check and run/, { after: said });
  expect(confirmation.text).toContain('Description: another bird, a blue one\nFormat: 16:9\n');
});

test('an answer that was gone back to can be left as it is', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const question = await user.waitForMessage(/step 2 of 2/, { after: user.click('◀️ Back') });
  expect(buttonsOf(question)).toContain('▶️ Go on');
  const confirmation = await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
  expect(confirmation.text).toContain(`Description: ${prompt}\nFormat: 16:9\n`);
});

test('Change opens the list of parameters, and one that is changed leads back to it', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const change = user.click('✏️ Change');
  const list = await user.waitForMessage(/Z-Image · settings/, { after: change });
  expect(list.text).toContain(`Description: ${prompt}\nFormat: 16:9`);
  expect(buttonsOf(list)).toEqual(['✏️ Description', '✏️ Format', '▶️ Go on', '◀️ Back', '✖️ Cancel']);
  const edit = user.click('✏️ Format');
  await user.waitForMessage(/Z-Image · setting 2 of 2/, { after: edit });
  await user.waitForMessage(/settings[\s\S]*Format: 9:16/, { after: user.click('9:16') });
  const proceed = user.click('▶️ Go on');
  await user.waitForMessage(/Check and run[\s\S]*Format: 9:16/, { after: proceed });
  for (const tap of [change, edit, proceed]) expect((await storyOf(bot, tap)).chain).toEqual(acceptedTap);
  const run = user.click('🚀 Run');
  await storyOf(bot, run, 'RESULT_DELIVERED');
  expect(bot.kie.tasks()).toMatchObject([{ input: { prompt, aspect_ratio: '9:16' } }]);
});

test('Cancel closes the form and shows the menu', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const tap = user.click('✖️ Cancel');
  await user.waitForMessage(/What shall we create/, { after: tap });
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(acceptedTap);
  expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({ button_id: 'CANCEL', next_screen: 'MAIN_MENU' });
  expect(await bot.database.query('select form from sessions')).toEqual([{ form: null }]);
  expect(bot.kie.createdCount()).toBe(0);
});

test('Help leads back to the menu it was opened from', async () => {
  await using bot = await startBot();
  const user = bot.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const help = user.click('❓ Help');
  await user.waitForMessage(/How it works/);
  const back = user.click('◀️ Back');
  await user.waitForMessage(/What shall we create/, { after: back });
  expect((await storyOf(bot, help)).chain).toEqual(acceptedTap);
  expect((await storyOf(bot, back)).chain).toEqual(acceptedTap);
  expect(user.messages()).toHaveLength(1);
});

test('/help in the middle of a form leads back to its question', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  user.say('/help');
  await user.waitForMessage(/How it works/);
  const back = user.click('◀️ Back');
  const confirmation = await user.waitForMessage(/Check and run/, { after: back });
  expect(confirmation.text).toContain(prompt);
  const run = user.click('🚀 Run');
  expect((await storyOf(bot, run, 'RESULT_DELIVERED')).chain.slice(0, acceptedRun.length)).toEqual(
    acceptedRun,
  );
});

test('Once more opens an empty form for the same model and leaves the picture where it is', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  const picture = user.lastMessage();

  const again = user.click('🔁 Once more');
  const question = await user.waitForMessage(/Z-Image · step 1 of 2/, { after: again });
  const story = await storyOf(bot, again);
  expect(story.chain).toEqual(acceptedTap);
  expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({
    button_id: 'AGAIN',
    screen_id: 'RESULT',
    next_screen: 'PARAMS_FORM',
  });
  expect(story.line('UI_RENDER')).toMatchObject({ operation: 'send', message_id: question.messageId });
  expect(user.messages()).toContainEqual(picture);

  await user.waitForMessage(/step 2 of 2/, { after: user.say('a second bird') });
  await user.waitForMessage(/Check and run/, { after: user.click('1:1') });
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  expect(bot.kie.createdCount()).toBe(2);
  expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(2);
});

/** Width to height of a PNG, from its header. */
function ratioOf(png: Buffer = Buffer.alloc(24)): number {
  return png.readUInt32BE(16) / png.readUInt32BE(20);
}

/** One generation, ended by its callback, with the cid of the tap that started it. */
async function generate(bot: BotUnderTest) {
  const user = bot.user();
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  await storyOf(bot, run, 'TASK_PROGRESS');
  await bot.kie.advance(3);
  const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
  return { user, run, cid };
}
