// "Report a problem": the administrators get what the user did lately and why it went wrong, and can look on from there.
import { expect, test } from 'vitest';
import { startBot, waitFor } from '../support/bot.ts';
import { failGeneration, journaled } from '../support/journaled.ts';
import { outcomeOf, storyOf } from '../support/story.ts';
import { prompt } from '../support/walk.ts';

const [firstAdmin, secondAdmin] = [5_000_000_501, 5_000_000_502];
const withAdmins = { environment: { ADMIN_IDS: `${firstAdmin},${secondAdmin}` } };
const reportText = /Пользователь сообщает о проблеме/;

test('a report from a failed generation brings every administrator the verdict and the way to its chain', async () => {
  await using bot = await startBot(withAdmins);
  const admins = [firstAdmin, secondAdmin].map(id => bot.user({ id, started: true }));
  const user = bot.user({ username: 'Masha_K', firstName: 'Canary Masha' });
  const cid = await failGeneration(bot, user);
  const tap = user.click('🆘 Report a problem');
  expect(await user.answerOf(tap)).toMatchObject({ text: expect.stringMatching(/looking into it/) });
  expect((await storyOf(bot, tap)).line('PROBLEM_REPORTED')).toMatchObject({ result: 'accepted' });
  for (const admin of admins) {
    const report = await admin.waitForMessage(reportText);
    expect(report.text).toMatch(/пользователь нажал «🚀 Запустить».*что делать:/s);
    expect(report.text).toMatch(new RegExp(`⚠️ [\\d: -]+ ${cid} DOWNSTREAM_ERROR`));
    expect(JSON.stringify(report)).not.toMatch(new RegExp(`${user.id}|masha|${prompt}`, 'i'));
  }

  const [admin] = admins;
  if (!admin) return expect.fail('no administrator');
  const report = await admin.waitForMessage(reportText);
  const look = admin.click({ data: `v1:dbg:${cid}` }, { messageId: report.messageId });
  const chain = await admin.waitForMessage(/Confidence/, { after: look });
  expect(chain.text).toContain('TASK_FAILED');
  // The report stays: there may be more to look at.
  expect(chain.messageId).not.toBe(report.messageId);
  const panel = admin.click('🛠 Панель', { messageId: report.messageId });
  await admin.waitForMessage(/State/, { after: panel });
});

test('whoever met silence can report by command and from the help, and gets an answer', async () => {
  await using bot = await startBot(withAdmins);
  const admin = bot.user({ id: firstAdmin, started: true });
  const [writing, tapping] = [bot.user(), bot.user()];
  await journaled(bot, writing.start());
  const command = writing.say('/report');
  await writing.waitForMessage(/looking into it/, { after: command });
  // Nothing went wrong as far as we know: then the last thing that the user did is explained.
  expect((await admin.waitForMessage(reportText)).text).toMatch(/\/start.*что делать/s);

  await tapping.waitForMessage(/How it works/, { after: tapping.say('/help') });
  const tap = tapping.click('🆘 Report a problem');
  expect((await tapping.answerOf(tap)).text).toMatch(/looking into it/);
  await waitFor('the second report', () =>
    admin.messages().filter(({ text }) => reportText.test(text)).length === 2 ? true : undefined,
  );
});

test('a user of whom there is no trace is reported with the reason why there may be none', async () => {
  await using bot = await startBot(withAdmins);
  const admin = bot.user({ id: firstAdmin, started: true });
  const user = bot.user();
  user.say('/report');
  const report = await admin.waitForMessage(reportText);
  expect(report.text).toMatch(/Сервис здоров.*не ушло с телефона.*что делать/s);
});

test('a second report within ten minutes is refused kindly', async () => {
  await using bot = await startBot(withAdmins);
  const admin = bot.user({ id: firstAdmin, started: true });
  const user = bot.user();
  await user.waitForMessage(/looking into it/, { after: user.say('/report') });
  const again = user.say('/report');
  await user.waitForMessage(/already reported this/, { after: again });
  expect(await outcomeOf(bot, again)).toMatchObject([{ outcome: 'rejected', reason_code: 'RATE_LIMIT' }]);
  const other = bot.user();
  await other.waitForMessage(/looking into it/, { after: other.say('/report') });
  expect(admin.messages().filter(({ text }) => reportText.test(text))).toHaveLength(2);
});

test('without administrators the user reads that there are none', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const command = user.say('/report');
  await user.waitForMessage(/nobody to report to/, { after: command });
  expect(await outcomeOf(bot, command)).toMatchObject([{ reason_code: 'SUCCESS' }]);
});

test('an administrator who has blocked the bot keeps no other from being notified', async () => {
  await using bot = await startBot(withAdmins);
  bot.user({ id: firstAdmin, started: true }).deactivate();
  const admin = bot.user({ id: secondAdmin, started: true });
  const user = bot.user();
  const command = user.say('/report');
  await user.waitForMessage(/looking into it/, { after: command });
  await admin.waitForMessage(reportText);
  expect((await storyOf(bot, command)).line('PROBLEM_REPORTED')).toMatchObject({
    result: 'accepted',
    reason_detail: expect.stringContaining('403'),
  });
});

test('a report that reached nobody does not count: the next one goes through', async () => {
  await using bot = await startBot({ environment: { ADMIN_IDS: String(firstAdmin) } });
  const admin = bot.user({ id: firstAdmin });
  const user = bot.user();
  const command = user.say('/report');
  await user.waitForMessage(/nobody to report to/, { after: command });
  expect((await storyOf(bot, command)).line('PROBLEM_REPORTED')).toMatchObject({ result: 'failed' });
  admin.start();
  await user.waitForMessage(/looking into it/, { after: user.say('/report') });
  await admin.waitForMessage(reportText);
});
