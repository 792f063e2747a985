import { describe, expect, it } from 'vitest';
import { openApi, openBot, openSandbox, pollWith, refusalOf } from './support.ts';

const TOO_OLD = 'Bad Request: query is too old and response timeout expired or query ID is invalid';

async function openMenu(options: Parameters<typeof openSandbox>[0] = {}) {
  const sandbox = await openSandbox(options);
  const user = sandbox.user({ started: true });
  const api = openApi(sandbox);
  const inline_keyboard = [
    [
      { text: 'Paint', callback_data: 'm:paint' },
      { text: 'Sing', callback_data: 'm:sing' },
    ],
    [
      { text: 'Site', url: 'https://example.com' },
      { text: 'Delete', callback_data: 'd:1' },
      { text: 'Delete', callback_data: 'd:2' },
    ],
  ];
  const menu = await api.sendMessage(user.id, 'Menu', { reply_markup: { inline_keyboard } });
  return { sandbox, user, api, menu };
}

describe('a pressed button', () => {
  it('reaches a polling bot with its message and data, and the user sees the answer', async () => {
    const { sandbox, user, menu } = await openMenu();
    const bot = openBot(sandbox);
    bot.callbackQuery('m:paint', async context => {
      expect(context.callbackQuery).toMatchObject({ from: { id: user.id }, message: menu });
      await context.answerCallbackQuery({ text: 'Here you go', show_alert: true });
      await context.editMessageText('Painting…');
    });
    await pollWith(bot);
    const click = user.click('Paint');
    expect(await user.answerOf(click)).toMatchObject({ text: 'Here you go', showAlert: true });
    await user.waitForMessage(/Painting/);
    expect(sandbox.transcript(user.id)).toEqual([
      { from: 'bot', kind: 'text', text: 'Painting…', messageId: menu.message_id, edits: 1 },
      { from: 'user', kind: 'click', text: 'Paint', data: 'm:paint', messageId: menu.message_id },
      { from: 'bot', kind: 'alert', text: 'Here you go' },
    ]);
    sandbox.assertHealthy();
  });

  it('is found by its text, its data or a pattern', async () => {
    const { user } = await openMenu();
    const data = ['Sing', 'm:sing', { text: 'Sing' }, { text: /^Si.g$/ }, { data: 'm:sing' }].map(
      choice => user.click(choice).data,
    );
    expect(data).toEqual(['m:sing', 'm:sing', 'm:sing', 'm:sing', 'm:sing']);
  });

  it('must be on the keyboard that is shown now', async () => {
    const { user, api, menu } = await openMenu();
    expect(() => user.click('Dance')).toThrow(
      /no button "Dance" on message 1; chat \d+ shows:\nbot text #1: Menu\n/,
    );
    expect(() => user.click('Delete')).toThrow('several buttons "Delete" on message 1');
    expect(user.click({ data: 'd:2' }).data).toBe('d:2');
    expect(() => user.click('Site')).toThrow('it has no callback data');
    const reply_markup = { inline_keyboard: [[{ text: 'Back', callback_data: 'b' }]] };
    const second = await api.sendMessage(user.id, 'Second', { reply_markup });
    expect(() => user.click('Paint')).toThrow('no button "Paint" on message 2');
    expect(user.click('Paint', { messageId: menu.message_id }).data).toBe('m:paint');
    await api.editMessageReplyMarkup(user.id, second.message_id);
    expect(() => user.click('Back', { messageId: second.message_id })).toThrow('message 2 has no keyboard');
    await api.editMessageText(user.id, menu.message_id, 'no keyboard any more');
    expect(() => user.click('Paint')).toThrow('no message has a keyboard');
  });

  it('can carry any data from a modified client, also on a message that is gone', async () => {
    const { user, api, menu } = await openMenu();
    user.rawCallback('forged');
    await api.deleteMessage(user.id, menu.message_id);
    user.rawCallback('gone', { messageId: menu.message_id });
    const [first, second] = await api.getUpdates();
    expect(first?.callback_query).toMatchObject({ data: 'forged', message: menu });
    expect(second?.callback_query?.message).toEqual({
      chat: menu.chat,
      message_id: menu.message_id,
      date: 0,
    });
    expect(() => user.rawCallback('nowhere')).toThrow('no message of the bot');
  });
});

describe('answerCallbackQuery', () => {
  it('is taken once', async () => {
    const { sandbox, user, api } = await openMenu();
    const click = user.click('Sing');
    expect(click.answer).toBeUndefined();
    await api.answerCallbackQuery(click.callbackId, { text: 'first' });
    expect(click.answer).toMatchObject({ text: 'first', showAlert: false });
    expect(await refusalOf(api.answerCallbackQuery(click.callbackId))).toBe(TOO_OLD);
    expect(await refusalOf(api.answerCallbackQuery('123'))).toBe(TOO_OLD);
    expect(sandbox.transcript(user.id).filter(entry => entry.kind === 'toast')).toEqual([
      { from: 'bot', kind: 'toast', text: 'first' },
    ]);
  });

  it('is refused when the query has expired on the clock of the sandbox', async () => {
    let now = 1_700_000_000_000;
    const { user, api } = await openMenu({ now: () => now, callbackLifetimeMs: 10_000 });
    const [quick, slow] = [user.click('Paint'), user.click('Sing')];
    now += 10_000;
    await api.answerCallbackQuery(quick.callbackId);
    now += 1;
    expect(await refusalOf(api.answerCallbackQuery(slow.callbackId))).toBe(TOO_OLD);
  });

  it('refuses more than 200 characters without using the query up', async () => {
    const { user, api } = await openMenu();
    const { callbackId } = user.click('Sing');
    expect(await refusalOf(api.answerCallbackQuery(callbackId, { text: 'x'.repeat(201) }))).toBe(
      'Bad Request: MESSAGE_TOO_LONG',
    );
    expect(await api.answerCallbackQuery(callbackId, { text: '🎨'.repeat(200) })).toBe(true);
  });

  it('that never comes makes the wait fail with the transcript', async () => {
    const { user } = await openMenu();
    const click = user.click('Sing');
    await expect(user.answerOf(click, 20)).rejects.toThrow(
      /nothing after 20 ms: .*"m:sing".*shows:\n[\s\S]*user click #1: Sing \(m:sing\)/,
    );
  });
});
