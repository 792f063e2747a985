// What a user sees of a fault, and the button beneath it that brings it to the administrators: whatever has failed, the
// message with its cid stays, the form stays, and the press is answered.
import { describe, expect, test } from 'vitest';
import type { BotMessage, SandboxUser } from '../../sandbox/telegram/index.ts';
import type { HandlerContext } from '../../src/bot/context.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasons, reasonText } from '../../src/otel/reasons.ts';
import { type Outcome, rejected } from '../../src/ui/outcome.ts';
import { type BotOptions, type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { inJournal } from '../support/journaled.ts';
import { messageChain, outcomeOf, storyOf, tapChain } from '../support/story.ts';
import { buttonsOf, prompt, walkToConfirm, walkToForm } from '../support/walk.ts';

const adminId = 5_000_000_501;
const environment = { ADMIN_IDS: String(adminId) };
const reportButton = '🆘 Report a problem';
const reportText = /Пользователь сообщает о проблеме/;
/** The whole chain of a press that reports. */
const reportedTap = tapChain(
  'CALLBACK_ROUTED',
  'PROBLEM_REPORTED',
  'CALLBACK_ACCEPTED',
  'ANSWER_CALLBACK_QUERY',
  'DISPATCH_OK',
);

type Buttons = Partial<typeof handlers.buttons>;

const fail = (): Promise<never> => Promise.reject(new Error('the shelf is broken'));

function withButtons(buttons: Buttons, others: Partial<typeof handlers> = {}): BotOptions {
  return {
    environment,
    overrides: { handlers: { ...handlers, ...others, buttons: { ...handlers.buttons, ...buttons } } },
  };
}

describe.concurrent('a fault', () => {
  test('of a tap comes with its cid and a button; the press notifies the administrators of why, and all stays', async () => {
    await using bot = await startBot(withButtons({ category: fail }));
    const admin = bot.user({ id: adminId, started: true });
    const user = await userAtMenu(bot);
    const story = await storyOf(bot, user.click('🎨 Pictures'));
    await inJournal(bot, story.cid, 'DISPATCH_FAIL');
    const notice = await faultOf(user, story.cid);
    expect(notice.text).toBe(reasonText('INTERNAL_ERROR', 'en', story.cid));
    expect(story.line('UI_RENDER')).toMatchObject({
      screen_id: 'FAULT',
      operation: 'send',
      message_id: notice.messageId,
      buttons_count: 1,
    });
    const before = user.messages();

    const press = user.click(reportButton, { messageId: notice.messageId });
    expect(await user.answerOf(press)).toMatchObject({ text: expect.stringMatching(/looking into it/) });
    const report = await storyOf(bot, press);
    expect(report.chain).toEqual(reportedTap);
    expect(report.line('CALLBACK_RECEIVED')).toMatchObject({ screen_id: 'FAULT', button_id: 'REPORT' });
    expect(user.messages()).toEqual(before);
    const received = await admin.waitForMessage(reportText);
    expect(received.text).toMatch(
      /в программе случилась ошибка \(Error: the shelf is broken\).*что делать:/s,
    );
    expect(received.text).toContain(`${story.cid} INTERNAL_ERROR`);

    await bot.database.query(`update messages set last_action_at = now() - interval '1 minute'`);
    const again = user.click(reportButton, { messageId: notice.messageId });
    expect((await user.answerOf(again)).text).toMatch(/already reported this/);
    expect(await outcomeOf(bot, again)).toMatchObject([{ outcome: 'rejected', reason_code: 'RATE_LIMIT' }]);
    await bot.telegram.idle();
    expect(user.messages()).toEqual(before);
    expect(admin.messages()).toHaveLength(1);
    // The screen above goes on working.
    const [menu] = before;
    const help = user.click('❓ Help', { messageId: menu?.messageId ?? 0 });
    expect((await storyOf(bot, help)).line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
  });

  test('of a text in a form comes in the same way, and after the report the form goes on where it was', async () => {
    let isBroken = true;
    const text: typeof handlers.text = async (context, said) =>
      isBroken ? fail() : handlers.text(context, said);
    await using bot = await startBot(withButtons({}, { text }));
    const admin = bot.user({ id: adminId, started: true });
    const user = bot.user();
    await walkToForm(user);
    const story = await storyOf(bot, user.say(prompt));
    expect(story.chain).toEqual(messageChain('MESSAGE_RECEIVED', 'UI_RENDER', 'DISPATCH_FAIL'));
    const notice = await faultOf(user, story.cid);
    const form = () => bot.database.query('select form, message_id from sessions');
    const filled = await form();

    const press = user.click(reportButton, { messageId: notice.messageId });
    expect((await storyOf(bot, press)).chain).toEqual(reportedTap);
    await admin.waitForMessage(reportText);
    expect(await form()).toEqual(filled);
    isBroken = false;
    await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
  });

  test.each([
    ['in the words of its reason', undefined, reasons.DOWNSTREAM_ERROR.text.en],
    ['in words of its own', { key: 'hint-quote-expired' }, 'The price was calculated a while ago'],
  ] as const)('that a handler refuses with, %s, has the cid and the button', async (_how, hint, words) => {
    const refuse = async (): Promise<Outcome<never>> =>
      rejected('DOWNSTREAM_ERROR', hint === undefined ? {} : { hint });
    await using bot = await startBot(withButtons({ help: refuse }, { text: refuse }));
    const user = await userAtMenu(bot);
    const said = await storyOf(bot, user.say('a bird'));
    expect((await faultOf(user, said.cid)).text).toMatch(new RegExp(`^${words}.*\\(${said.cid}\\)$`));
    const [menu] = user.messages();
    const tap = user.click('❓ Help', { messageId: menu?.messageId ?? 0 });
    const tapped = await storyOf(bot, tap);
    const notice = await faultOf(user, tapped.cid);
    expect(await user.answerOf(tap)).toMatchObject({ text: notice.text, showAlert: true });
  });

  test('that is a dead letter comes with the button, which works without a record of its message', async () => {
    await using bot = await startBot({ environment });
    const admin = bot.user({ id: adminId, started: true });
    const user = await userAtMenu(bot);
    await bot.database.query('alter table updates alter column attempts set default 3');
    const tap = user.click('🎨 Pictures');
    const cid = await bot.cidOf(tap.updateId);
    await bot.waitForEvent(cid, 'DEAD_LETTER');
    await bot.database.query('alter table updates alter column attempts set default 0');
    await inJournal(bot, cid, 'DEAD_LETTER');
    const notice = await faultOf(user, cid);
    expect(await user.answerOf(tap)).toMatchObject({ text: notice.text, showAlert: true });
    expect(
      await bot.database.query('select 1 from messages where message_id = $1', [notice.messageId]),
    ).toEqual([]);

    const press = user.click(reportButton, { messageId: notice.messageId });
    const report = await storyOf(bot, press);
    expect(report.chain).toEqual(reportedTap);
    expect(report.line('CALLBACK_ACCEPTED')).toMatchObject({ screen_id: 'NONE', result: 'noop' });
    expect((await admin.waitForMessage(reportText)).text).toContain(cid);
    expect(user.messages().find(({ messageId }) => messageId === notice.messageId)).toEqual(notice);
  });

  test('of a delivery is shown by its screen, which stays when it is reported', async () => {
    await using bot = await startBot({ environment });
    const admin = bot.user({ id: adminId, started: true });
    const user = bot.user();
    bot.kie.failNext({ at: 'file', does: 'miss' });
    await walkToConfirm(user);
    const run = user.click('🚀 Run');
    const notice = await user.waitForMessage(
      ({ keyboard, text }) => buttonsOf({ keyboard }).includes(reportButton) && /\b[0-9a-f]{8}\b/.test(text),
    );
    const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
    await inJournal(bot, cid, 'DELIVERY_FAILED');
    const press = user.click(reportButton, { messageId: notice.messageId });
    expect((await storyOf(bot, press)).chain).toEqual(reportedTap);
    expect((await admin.waitForMessage(reportText)).text).toContain(cid);
    expect(user.messages().find(({ messageId }) => messageId === notice.messageId)).toEqual(notice);
  });

  test('that the silence guard had to answer with bears the button, too', async () => {
    await using bot = await startBot(withButtons({}, { text: async () => ({ kind: 'noop' }) }));
    const user = await userAtMenu(bot);
    const { cid } = await storyOf(bot, user.say('hello'));
    const press = user.click(reportButton, { messageId: (await faultOf(user, cid)).messageId });
    const { line } = await storyOf(bot, press);
    expect(line('CALLBACK_RECEIVED')).toMatchObject({ screen_id: 'FAULT' });
  });

  test('can be reported long after it was shown', async () => {
    await using bot = await startBot(withButtons({ category: fail }));
    bot.user({ id: adminId, started: true });
    const user = await userAtMenu(bot);
    const { cid } = await storyOf(bot, user.click('🎨 Pictures'));
    const notice = await faultOf(user, cid);
    await bot.database.query(`update messages set rendered_at = rendered_at - interval '90 days'`);
    const press = user.click(reportButton, { messageId: notice.messageId });
    expect((await storyOf(bot, press)).chain).toEqual(reportedTap);
  });

  test('that Telegram lets nobody show stays the outcome, and the operator is warned', async () => {
    await using bot = await startBot(withButtons({ category: fail }));
    const user = await userAtMenu(bot);
    bot.telegram.failNext({
      kind: 'error',
      code: 403,
      description: 'Forbidden: bot was blocked by the user',
      method: 'sendMessage',
    });
    const tap = user.click('🎨 Pictures');
    const cid = await bot.cidOf(tap.updateId);
    expect(await bot.waitForEvent(cid, 'DISPATCH_FAIL')).toMatchObject({
      error_message: 'the shelf is broken',
    });
    expect(bot.linesOf(cid).filter(({ name }) => name === 'SYSTEM_WARNING')).toMatchObject([
      { operation: 'tell the user about a fault', error_type: 'telegram_403' },
    ]);
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'failed', reason_code: 'INTERNAL_ERROR' }]);
    expect(await bot.database.query('select blocked_at is not null as blocked from users')).toEqual([
      { blocked: true },
    ]);
  });

  test('of a copy of the data that Telegram does not take comes in a message that can be reported', async () => {
    await using bot = await startBot({ environment });
    const user = await userAtMenu(bot);
    await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
    bot.telegram.failNext({
      kind: 'error',
      code: 400,
      description: 'Bad Request: file is not right',
      method: 'sendDocument',
      times: 3,
    });
    const tap = user.click('📦 Get a copy');
    const { cid } = await storyOf(bot, tap, 'USER_EXPORTED');
    expect((await faultOf(user, cid)).text).toBe(`The copy could not be made. Try again later. (${cid})`);
  });
});

describe.concurrent('a report that fails', () => {
  test('is shown by its answer, and the message that it was pressed on stays the only one', async () => {
    const report = fail;
    await using bot = await startBot(withButtons({ category: fail, report }));
    const user = await userAtMenu(bot);
    const story = await storyOf(bot, user.click('🎨 Pictures'));
    const notice = await faultOf(user, story.cid);
    const before = user.messages();
    const press = user.click(reportButton, { messageId: notice.messageId });
    const failed = await storyOf(bot, press);
    expect(failed.chain).toEqual(
      tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_FAIL'),
    );
    expect(await user.answerOf(press)).toMatchObject({
      text: reasonText('INTERNAL_ERROR', 'en', failed.cid),
      showAlert: true,
    });
    await bot.telegram.idle();
    expect(user.messages()).toEqual(before);
  });

  test('and was asked for by command is shown by a message without the button', async () => {
    const commands = { ...handlers.commands, report: fail };
    await using bot = await startBot(withButtons({}, { commands }));
    const user = await userAtMenu(bot);
    const { cid } = await storyOf(bot, user.say('/report'));
    const notice = await user.waitForMessage(({ text }) => text.includes(cid));
    expect(notice.keyboard).toEqual([]);
  });
});

test('a refusal that is no fault has neither cid nor button', async () => {
  const model = async (_context: HandlerContext): Promise<Outcome<never>> => rejected('MODEL_DISABLED');
  await using bot = await startBot(withButtons({ help: model }, { text: model }));
  const user = await userAtMenu(bot);
  await storyOf(bot, user.click('❓ Help'));
  await storyOf(bot, user.say('a bird'));
  const [, notice, ...more] = user.messages();
  expect(more).toEqual([]);
  expect(notice).toMatchObject({ text: reasons.MODEL_DISABLED.text.en, keyboard: [] });
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  await waitFor('the menu', () => user.lastMessage());
  return user;
}

/** The one message with that cid; it bears the report button and nothing else. */
async function faultOf(user: SandboxUser, cid: string): Promise<BotMessage> {
  const notice = await user.waitForMessage(({ text }) => text.includes(cid));
  expect(user.messages().filter(({ text }) => text.includes(cid))).toHaveLength(1);
  expect(buttonsOf(notice)).toEqual([reportButton]);
  return notice;
}
