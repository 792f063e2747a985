// What the bot does about its supplier's own troubles: a model that is switched off there, an account that is refused,
// an outage, a price that has risen; who is notified of what; and how far a video is, as its user sees it.
import { describe, expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { type BotOptions, type BotUnderTest, quickTimings, startBot } from '../support/bot.ts';
import { acceptedRun, paidTask, storyOf, traceEnded } from '../support/story.ts';
import { buttonsOf, prompt, walkToConfirm, walkToModel } from '../support/walk.ts';

const adminId = 5_000_000_001;
const withAdmin: BotOptions = { environment: { ADMIN_IDS: String(adminId) } };
/** KIE.ai moves only when asked to, and is asked often. */
const manual: BotOptions = {
  kie: { stepMs: 'manual' },
  overrides: { timings: { ...quickTimings, waitLimitMs: 60_000 } },
};

describe('a model that KIE.ai has switched off', () => {
  test('is taken from all lists for everybody, and its user and the administrators are notified', async () => {
    await using bot = await startBot(withAdmin);
    const admin = bot.user({ id: adminId, started: true });
    const [user, other] = [bot.user(), bot.user()];
    bot.kie.failNext({ at: 'create', does: 'answer', code: 505 });
    await walkToConfirm(user);
    const { text, cid } = await failedRun(bot, user);

    expect(text).toBe(
      '⚠️ Z-Image\n\nThis model is unavailable now. Choose another one\n' +
        `Your money is back on your balance.\nReference: ${cid}`,
    );
    expect(namesOf(bot, cid, 'TASK_FAILED', 'BALANCE_RELEASE', 'MODEL_SWITCHED_OFF', 'ADMIN_ALARM')).toEqual([
      'TASK_FAILED',
      'BALANCE_RELEASE',
      'MODEL_SWITCHED_OFF',
      'ADMIN_ALARM',
    ]);
    expect(bot.linesOf(cid).find(({ name }) => name === 'MODEL_SWITCHED_OFF')).toMatchObject({
      model_id: 'z-image',
      reason_code: 'MODEL_DISABLED',
      domain: 'MODEL',
      level: 'ERROR',
    });
    expect(admin.messages().map(message => message.text)).toEqual([
      '⚠️ KIE.ai has switched z-image off; it is not offered any more. ' +
        `trt catalogue enable z-image brings it back. cid ${cid}`,
    ]);

    await other.waitForMessage(/What shall we create/, { after: other.start() });
    const list = await other.waitForMessage(/Pictures · 1 of/, { after: other.click('🎨 Pictures') });
    expect(buttonsOf(list).some(button => button.startsWith('Z-Image'))).toBe(false);
    expect(await bot.database.query('select model_id, disabled_reason from model_settings')).toEqual([
      { model_id: 'z-image', disabled_reason: 'the supplier has switched it off' },
    ]);
    const retry = user.click('🔁 Try again');
    expect((await storyOf(bot, retry)).line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'MODEL_DISABLED',
      reason_detail: 'z-image: disabled',
    });
    await bot.restart();
    await other.waitForMessage(/Nothing found/, { after: other.say('z-image') });
  });

  test('is refused at the last step to a user who had it confirmed already, and nothing moves', async () => {
    await using bot = await startBot(withAdmin);
    bot.user({ id: adminId, started: true });
    const [user, other] = [bot.user(), bot.user()];
    await walkToConfirm(other);
    bot.kie.failNext({ at: 'create', does: 'answer', code: 505 });
    await walkToConfirm(user);
    await failedRun(bot, user);

    const run = other.click('🚀 Run');
    expect((await storyOf(bot, run)).line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'MODEL_DISABLED',
      button_id: 'CONFIRM_RUN',
    });
    expect((await other.answerOf(run)).text).toBe('This model is unavailable now. Choose another one');
    expect(await bot.database.query('select count(*)::int as tasks from tasks')).toEqual([{ tasks: 1 }]);
  });
});

describe('an account that KIE.ai refuses', () => {
  test.each([401, 402, 433])(
    'with %i is reported to administrators once, and to users as a pause of ours that cost them nothing',
    async code => {
      await using bot = await startBot(withAdmin);
      const admin = bot.user({ id: adminId, started: true });
      const user = bot.user();
      bot.kie.failNext({ at: 'create', does: 'answer', code }, 2);
      await walkToConfirm(user);
      const first = await failedRun(bot, user);
      expect(first.text).toBe(
        '⚠️ Z-Image\n\nGeneration is paused on our side, and we are working on it. Try again later\n' +
          `Your money is back on your balance.\nReference: ${first.cid}`,
      );
      expect(bot.linesOf(first.cid).find(({ name }) => name === 'TASK_FAILED')).toMatchObject({
        reason_code: 'SERVICE_PAUSED',
        reason_detail: `KIE.ai answered ${code}`,
        error_type: 'KIE_REFUSED',
      });
      expect(bot.linesOf(first.cid).find(({ name }) => name === 'ADMIN_ALARM')).toMatchObject({
        operation: 'supplier account',
        result: 'accepted',
        domain: 'SYSTEM',
      });

      await user.waitForMessage(/Check and run/, { after: user.click('🔁 Try again') });
      const second = await failedRun(bot, user);
      expect(namesOf(bot, second.cid, 'ADMIN_ALARM')).toEqual([]);
      expect(admin.messages().map(message => message.text)).toEqual([
        `⚠️ KIE.ai refuses our account (KIE.ai answered ${code}). ` +
          `Check credits, key and caps at kie.ai. cid ${first.cid}`,
      ]);

      await user.waitForMessage(/Check and run/, { after: user.click('🔁 Try again') });
      await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    },
  );

  test('is reported to users in Russian in the same way', async () => {
    await using bot = await startBot();
    const user = bot.user({ languageCode: 'ru' });
    bot.kie.setCredits(0);
    await user.waitForMessage(/Что создадим/, { after: user.start() });
    await user.waitForMessage(/Нашлось/, { after: user.say('z-image') });
    await user.waitForMessage(/Вопросов/, { after: user.click({ text: /^Z-Image/ }) });
    await user.waitForMessage(/шаг 1 из 2/, { after: user.click('✨ Создать') });
    await user.waitForMessage(/шаг 2 из 2/, { after: user.say('птица') });
    await user.waitForMessage(/Проверьте/, { after: user.click('1:1') });
    const { cid } = await storyOf(bot, user.click('🚀 Запустить'), 'RESULT_DELIVERED');
    expect(user.lastMessage()?.text).toBe(
      '⚠️ Z-Image\n\nГенерация приостановлена на нашей стороне, мы уже занимаемся этим. Попробуйте позже\n' +
        `Деньги вернулись на баланс.\nКод обращения: ${cid}`,
    );
  });

  test('fails nothing else when the administrator cannot be written to', async () => {
    await using bot = await startBot(withAdmin);
    const user = bot.user();
    bot.kie.failNext({ at: 'create', does: 'answer', code: 402 });
    await walkToConfirm(user);
    const { cid } = await failedRun(bot, user);
    expect(bot.linesOf(cid).find(({ name }) => name === 'ADMIN_ALARM')).toMatchObject({
      result: 'failed',
      reason_detail: expect.stringContaining('Telegram sendMessage: 400'),
    });
    await traceEnded(bot, cid);
  });
});

test('while KIE.ai is down orders wait instead of failing, and go through once when it is back', async () => {
  await using bot = await startBot({
    overrides: { timings: { ...quickTimings, submitWindowMs: 60_000, waitLimitMs: 60_000 } },
  });
  const [first, second] = [bot.user(), bot.user()];
  await walkToConfirm(first);
  await walkToConfirm(second);
  bot.kie.failNext({ at: 'record', does: 'answer', code: 500, httpStatus: 500 }, 10);
  const watched = first.click('🚀 Run');
  const down = await bot.waitForLine(({ name }) => name === 'SUPPLIER_DOWN');
  expect(down).toMatchObject({
    domain: 'SYSTEM',
    level: 'ERROR',
    reason_code: 'DOWNSTREAM_ERROR',
    error_message: expect.stringContaining('127.0.0.1'),
  });

  const waiting = second.click('🚀 Run');
  const cid = await bot.cidOf(waiting.updateId);
  const line = await bot.waitForLine(
    candidate => candidate.cid === cid && candidate.operation === 'submit again',
  );
  expect(line).toMatchObject({ name: 'TASK_PROGRESS', error_type: 'KIE_NOT_REACHED' });
  expect(second.lastMessage()?.text).toMatch(/^⏳ Z-Image/);
  expect(bot.kie.createdCount()).toBe(1);

  const stories = await Promise.all(
    [watched, waiting].map(run => storyOf(bot, run, 'RESULT_DELIVERED', 'TASK_FAILED')),
  );
  for (const { chain } of stories)
    expect(
      chain.filter(name => !['TASK_PROGRESS', 'KIE_CALLBACK', 'SUPPLIER_DOWN', 'SUPPLIER_UP'].includes(name)),
    ).toEqual([...acceptedRun, ...paidTask, 'RESULT_DELIVERED']);
  expect(bot.kie.createdCount()).toBe(2);
  expect(bot.lines.filter(({ name }) => name === 'SUPPLIER_DOWN')).toHaveLength(1);
  expect(bot.lines.filter(({ name }) => name === 'SUPPLIER_UP')).toMatchObject([
    { duration_ms: expect.any(Number), domain: 'SYSTEM' },
  ]);
});

describe('a video', () => {
  test('shows how far it is in the place of its first message, and then gives way to the film', async () => {
    await using bot = await startBot(manual);
    const user = bot.user();
    await walkToVideo(user);
    const run = user.click('🚀 Run');
    const processing = await user.waitForMessage(/Generating/, { after: run });
    await storyOf(bot, run, 'TASK_PROGRESS');
    const texts: string[] = [];
    for (let step = 0; step < 2; step++) {
      await bot.kie.advance();
      const shown = await user.waitForMessage(
        message => /[▓░]{10} \d+ %/.test(message.text) && !texts.includes(message.text),
      );
      expect(shown.messageId).toBe(processing.messageId);
      expect(buttonsOf(shown)).toEqual(['🏠 Menu', '❓ Help']);
      texts.push(shown.text);
    }
    expect(texts[0]).toMatch(/^⏳ Kling 2\.6 Text to Video\n\nGenerating\. .*\n\n▓*░+ \d+ %$/);
    const percents = texts.map(text => Number(/(\d+) %/.exec(text)?.[1]));
    expect(percents).toEqual(percents.toSorted((one, other) => one - other));
    await bot.kie.advance();
    await storyOf(bot, run, 'RESULT_DELIVERED');
    await user.waitForMessage(/is ready, see below/);
    expect(user.lastMessage()?.kind).toBe('video');
    expect(user.messages().some(({ text }) => text.includes('░'))).toBe(false);
  });

  test('never shows it where its user has opened something else', async () => {
    await using bot = await startBot(manual);
    const user = bot.user();
    await walkToVideo(user);
    const run = user.click('🚀 Run');
    await storyOf(bot, run, 'TASK_PROGRESS');
    const menu = user.click('🏠 Menu');
    await user.waitForMessage(/What shall we create/, { after: menu });
    await storyOf(bot, menu);
    await bot.kie.advance(2);
    await bot.waitForLine(line => line.name === 'TASK_PROGRESS' && line.reason_detail === 'running');
    await bot.kie.advance();
    const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
    await traceEnded(bot, cid);
    const edits = bot.telegram.calls('editMessageText').map(({ payload }) => String(payload.text));
    expect(edits.filter(text => /[▓░]/.test(text))).toEqual([]);
    expect(user.messages().at(-2)?.text).toContain('What shall we create');
    expect(user.lastMessage()?.kind).toBe('video');
  });
});

test('what KIE.ai took beyond the price is noted for those who keep the prices, and the user pays what was shown', async () => {
  await using bot = await startBot({ prices: { 'kling-2.6/text-to-video': 5 } });
  const user = bot.user();
  await walkToVideo(user);
  expect(user.lastMessage()?.text).toContain('Price: ₽5.');
  const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  expect(bot.linesOf(cid).find(({ name }) => name === 'TASK_COMPLETED')).toMatchObject({
    reason_detail: 'cost 55 credits, sold for 5',
  });
  expect(bot.linesOf(cid).find(({ name }) => name === 'BALANCE_CHARGE')).toMatchObject({ amount: 500 });
});

async function walkToVideo(user: SandboxUser): Promise<void> {
  await walkToModel(user, 'Kling 2.6 Text to Video', /step 1 of 4/);
  await user.waitForMessage(/step 2 of 4/, { after: user.say(prompt) });
  await user.waitForMessage(/step 3 of 4/, { after: user.click('16:9') });
  await user.waitForMessage(/step 4 of 4/, { after: user.click('5 s') });
  await user.waitForMessage(/Check and run/, { after: user.click('No') });
}

/** Runs what is confirmed, up to the notice of its failure. */
async function failedRun(bot: BotUnderTest, user: SandboxUser): Promise<{ cid: string; text: string }> {
  const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  return { cid, text: user.lastMessage()?.text ?? '' };
}

/** Of these events those of the trace, in their order. */
function namesOf(bot: BotUnderTest, cid: string, ...names: string[]): string[] {
  return bot.chainOf(cid).filter(name => names.includes(name));
}
