// The ways to a model: categories and their pages, the cheapest, the free, the search; what is not offered is on none
// of them, and cannot be opened by a button from before either.
import { describe, expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { acceptedTap, messageChain, outcomeOf, storyOf, tapChain } from '../support/story.ts';
import { buttonsOf, prompt } from '../support/walk.ts';

const catalogue = createCatalogue();
const modelsPerPage = 8;
const titleOf = (button: string): string => button.split(' · ')[0] ?? '';
const arrows = ['◀️', '▶️'];

describe('a category', () => {
  test('has all its models on its pages, each once, with what they cost at least', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const offered = catalogue.inCategory('image').map(({ title }) => title);
    const pages = Math.ceil(offered.length / modelsPerPage);
    expect(pages).toBeGreaterThan(2);
    const seen: string[] = [];
    let tap = user.click('🎨 Pictures');
    for (let page = 1; page <= pages; page++) {
      const shown = await user.waitForMessage(new RegExp(`Pictures · ${page} of ${pages}`), { after: tap });
      const buttons = buttonsOf(shown);
      expect(buttons.filter(text => arrows.includes(text))).toEqual(
        arrows.filter(arrow => (arrow === '◀️' ? page > 1 : page < pages)),
      );
      const models = buttons.filter(text => text.includes(' · '));
      expect(models.every(text => /· from ₽\d/.test(text))).toBe(true);
      seen.push(...models.map(titleOf));
      if (page < pages) tap = user.click('▶️');
    }
    expect(seen).toEqual(offered);
    const story = await storyOf(bot, tap);
    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({
      button_id: `PAGE_${pages - 1}`,
      screen_id: 'CATEGORY_PICK',
      next_screen: 'CATEGORY_PICK',
    });
  });

  test('is left and found again on the page of the model that was looked at', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    await user.waitForMessage(/1 of \d/, { after: user.click('🎨 Pictures') });
    const second = await user.waitForMessage(/2 of \d/, { after: user.click('▶️') });
    const model = buttonsOf(second).find(text => text.includes(' · ')) ?? '';
    await user.waitForMessage(/Questions: /, { after: user.click(model) });
    await user.waitForMessage(/Pictures · 2 of \d/, { after: user.click('◀️ Back') });
    await user.waitForMessage(/Pictures · 1 of \d/, { after: user.click('◀️') });
    await user.waitForMessage(/What shall we create/, { after: user.click('◀️ Back') });
  });

  test('in which nothing is for sale is not on the menu, and its button of before is refused', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    expect(buttonsOf(user.lastMessage() ?? { keyboard: [] })).toEqual([
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
    const stale = user.rawCallback('v1:cat:avatar');
    const story = await storyOf(bot, stale);
    expect(story.line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'UNKNOWN_ACTION',
      reason_detail: 'category avatar',
      button_id: 'CAT_AVATAR',
    });
    expect((await user.answerOf(stale)).text).toBe('That choice no longer exists. Open the menu: /start');
  });

  test('comes with the first price that an administrator sets for one of its models', async () => {
    await using bot = await startBot({ prices: { 'infinitalk/from-audio': 3 } });
    const user = await userAtMenu(bot);
    const shown = await user.waitForMessage(/Avatars · 1 of 1/, { after: user.click('👤 Avatars') });
    expect(buttonsOf(shown)).toEqual(['InfiniTalk Talking Photo · from ₽3', '◀️ Back', '❓ Help']);
  });
});

describe('the lists', () => {
  test('of the cheapest begins with the cheapest, and leads to a model', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const tap = user.click('💸 Cheapest');
    const shown = await user.waitForMessage(/The cheapest models/, { after: tap });
    expect((await storyOf(bot, tap)).line('CALLBACK_ACCEPTED')).toMatchObject({
      button_id: 'BEST',
      next_screen: 'BEST',
    });
    const prices = buttonsOf(shown)
      .slice(0, -1)
      .map(text => Number(text.split('₽')[1]));
    expect(prices).toHaveLength(15);
    expect(prices).toEqual(prices.toSorted((one, other) => one - other));
    await user.waitForMessage(/Questions: 2/, { after: user.click({ text: /^Z-Image/ }) });
    await user.waitForMessage(/What shall we create/, { after: user.click('🏠 Menu') });
  });

  test('of the free is on the menu only while there is something free', async () => {
    await using bot = await startBot({ prices: { 'z-image': 0, 'grok-imagine/text-to-image': 0 } });
    const user = await userAtMenu(bot);
    const shown = await user.waitForMessage(/Free models/, { after: user.click('🎁 Free') });
    expect(buttonsOf(shown)).toEqual(['Z-Image · free', 'Grok Imagine Text to Image · free', '🏠 Menu']);
    const card = await user.waitForMessage(/Questions: 2/, { after: user.click('Z-Image · free') });
    expect(card.text).toContain('Price: free');
  });

  test('of the free says so when the last free model has got a price meanwhile', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    expect(buttonsOf(user.lastMessage() ?? { keyboard: [] })).not.toContain('🎁 Free');
    const tap = user.rawCallback('v1:free');
    const shown = await user.waitForMessage(/Free models/, { after: tap });
    expect(shown.text).toContain('There are none at the moment');
    expect(buttonsOf(shown)).toEqual(['🏠 Menu']);
  });
});

describe('the search', () => {
  test('finds by name and by task, in both languages, at most ten, and keeps what was typed out of all lines', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    await user.waitForMessage(/Write what you are looking for/, { after: user.click('🔎 Find a model') });
    const byName = user.say('nano banana');
    const found = await user.waitForMessage(/^Found/, { after: byName });
    expect(buttonsOf(found).map(titleOf)).toEqual([
      'Google Nano Banana',
      'Google Nano Banana Edit',
      'Google Nano Banana Pro',
      '🏠 Menu',
    ]);
    const story = await storyOf(bot, byName);
    expect(story.chain).toEqual(messageChain('MESSAGE_RECEIVED', 'UI_RENDER', 'DISPATCH_OK'));
    expect(story.line('MESSAGE_RECEIVED')).toMatchObject({ payload_sanitized: 'text(11)' });
    expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'SEARCH', buttons_count: 4 });
    expect(bot.output.join('')).not.toContain('nano banana');

    const byTask = await user.waitForMessage(/^Found/, { after: user.say('видео из картинки') });
    expect(buttonsOf(byTask)).toHaveLength(11);
    const again = await user.waitForMessage(/Questions: /, {
      after: user.click({ text: new RegExp(`^${titleOf(buttonsOf(byTask)[0] ?? '')} · `) }),
    });
    expect(again.text).toContain('🎬 Video');
  });

  test('that finds nothing says so, and the next words are looked for', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const nothing = user.say('zzzzzz');
    expect((await user.waitForMessage(/Nothing found/, { after: nothing })).text).toContain(
      'Try other words',
    );
    expect(await outcomeOf(bot, nothing)).toEqual([
      { outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 },
    ]);
    await user.waitForMessage(/^Found/, { after: user.say('picture') });
  });

  test('needs two characters', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const short = user.say('x');
    await user.waitForMessage(/^Write at least two letters\.$/, { after: short });
    expect((await storyOf(bot, short)).chain).toEqual(messageChain('MESSAGE_RECEIVED', 'DISPATCH_OK'));
    expect(await outcomeOf(bot, short)).toEqual([
      { outcome: 'rejected', reason_code: 'VALIDATION_FAILED', attempts: 1 },
    ]);
  });

  test('does not offer what has no price, and a button to it is refused with the reason', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    await user.waitForMessage(/Nothing found/, { after: user.say('seedance 2.0 fast') });
    await user.waitForMessage(/^Found/, { after: user.say('suno') });
    const tap = user.rawCallback('v1:mod:m50');
    expect((await user.answerOf(tap)).text).toBe(
      'This model has no price yet and cannot be run. Choose another one.',
    );
    const story = await storyOf(bot, tap);
    expect(story.chain).toEqual(
      tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK'),
    );
    expect(story.line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'MODEL_DISABLED',
      reason_detail: 'bytedance/seedance-2-fast: price unknown',
    });
  });
});

describe('SINGLE_MODEL_ONLY', () => {
  const single = { environment: { SINGLE_MODEL_ONLY: 'z-image' } };

  test('leaves one category with one model, from the menu to the picture', async () => {
    await using bot = await startBot(single);
    const user = await userAtMenu(bot);
    expect(buttonsOf(user.lastMessage() ?? { keyboard: [] })[0]).toBe('🎨 Pictures');
    expect(buttonsOf(user.lastMessage() ?? { keyboard: [] })).not.toContain('🎬 Video');
    const list = await user.waitForMessage(/Pictures · 1 of 1/, { after: user.click('🎨 Pictures') });
    expect(buttonsOf(list)).toEqual(['Z-Image · from ₽0.80', '◀️ Back', '❓ Help']);
    await user.waitForMessage(/Nothing found/, { after: user.say('suno') });
    await user.waitForMessage(/^Found/, { after: user.say('z-image') });
    await user.waitForMessage(/Questions: 2/, { after: user.click({ text: /^Z-Image/ }) });
    await user.waitForMessage(/step 1 of 2/, { after: user.click('✨ Create') });
    await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
    await user.waitForMessage(/Check and run/, { after: user.click('1:1') });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  });

  test('refuses another model, whatever button leads to it', async () => {
    await using bot = await startBot(single);
    const user = await userAtMenu(bot);
    await user.waitForMessage(/^Found/, { after: user.say('z-image') });
    const tap = user.rawCallback('v1:mod:m112');
    expect((await storyOf(bot, tap)).line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'MODEL_DISABLED',
      reason_detail: 'suno/V5: not this model',
    });
    expect((await user.answerOf(tap)).text).toBe('This model is unavailable now. Choose another one');
  });

  test('with a name that no model has keeps the program from starting, and says so', async () => {
    await expect(startBot({ environment: { SINGLE_MODEL_ONLY: 'nosuch' } })).rejects.toMatchObject({
      code: 'CATALOGUE_INVALID',
      message: expect.stringContaining('nosuch'),
    });
  });
});

test('without a public address what needs one is on no list, and a button to it says so', async () => {
  await using bot = await startBot({ environment: { BOT_MODE: 'polling' } });
  const user = await userAtMenu(bot);
  expect(buttonsOf(user.lastMessage() ?? { keyboard: [] })).not.toContain('🎵 Music');
  await user.waitForMessage(/Nothing found/, { after: user.say('suno') });
  await user.waitForMessage(/^Found/, { after: user.say('kling') });
  const tap = user.rawCallback('v1:mod:m112');
  expect((await user.answerOf(tap)).text).toBe(
    'This model is not available in this bot. Choose another one.',
  );
  expect((await storyOf(bot, tap)).line('CALLBACK_REJECTED')).toMatchObject({
    reason_code: 'MODEL_DISABLED',
    reason_detail: 'suno/V5: needs public address',
  });
});

async function userAtMenu(bot: BotUnderTest) {
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  return user;
}
