import { describe, expect, it } from 'vitest';
import { openApi, openSandbox, refusalOf } from './support.ts';

async function openChat(options: Parameters<typeof openSandbox>[0] = {}) {
  const sandbox = await openSandbox(options);
  const user = sandbox.user({ started: true, firstName: 'Ada', username: 'ada' });
  return { sandbox, user, api: openApi(sandbox) };
}

describe('sendMessage', () => {
  it('returns the message as Telegram does', async () => {
    const { sandbox, user, api } = await openChat({ now: () => 1_700_000_000_900 });
    const message = await api.sendMessage(user.id, ' <b>Hello</b> you \n', { parse_mode: 'HTML' });
    expect(message).toEqual({
      message_id: 1,
      from: { id: sandbox.bot.id, is_bot: true, first_name: 'Sandbox Bot', username: 'sandbox_bot' },
      chat: { id: user.id, type: 'private', first_name: 'Ada', username: 'ada' },
      date: 1_700_000_000,
      text: 'Hello you',
      entities: [{ type: 'bold', offset: 0, length: 5 }],
    });
  });

  it('takes entities instead of a parse mode', async () => {
    const { user, api } = await openChat();
    const entities = [{ type: 'italic' as const, offset: 2, length: 3 }];
    expect(await api.sendMessage(user.id, '  abc', { entities })).toMatchObject({
      text: 'abc',
      entities: [{ type: 'italic', offset: 0, length: 3 }],
    });
  });

  it('refuses an empty text, also one that is empty after parsing', async () => {
    const { user, api } = await openChat();
    expect(await refusalOf(api.sendMessage(user.id, ''))).toBe('Bad Request: message text is empty');
    expect(await refusalOf(api.sendMessage(user.id, ' \n'))).toBe('Bad Request: text must be non-empty');
    const onlyTags = api.sendMessage(user.id, '<b> </b>', { parse_mode: 'HTML' });
    expect(await refusalOf(onlyTags)).toBe('Bad Request: text must be non-empty');
  });

  it('counts 4096 characters after parsing, not bytes and not code units', async () => {
    const { user, api } = await openChat();
    const longest = '🎨'.repeat(4096);
    expect((await api.sendMessage(user.id, longest)).text).toHaveLength(8192);
    const marked = `<b>${'ж'.repeat(4096)}</b>`;
    expect((await api.sendMessage(user.id, marked, { parse_mode: 'HTML' })).text).toHaveLength(4096);
    expect(await refusalOf(api.sendMessage(user.id, `${longest}!`))).toBe('Bad Request: message is too long');
    expect(await refusalOf(api.sendMessage(user.id, 'x'.repeat(32_769)))).toBe(
      'Bad Request: text is too long',
    );
  });

  it('refuses broken HTML and unknown parse modes', async () => {
    const { user, api } = await openChat();
    const broken = api.sendMessage(user.id, '<b>x', { parse_mode: 'HTML' });
    expect(await refusalOf(broken)).toBe(
      'Bad Request: can\'t parse entities: Can\'t find end tag corresponding to start tag "b"',
    );
    // SAFETY: a parse mode that does not exist cannot be named otherwise.
    const unknown = api.sendMessage(user.id, 'x', { parse_mode: 'BBCode' as 'HTML' });
    expect(await refusalOf(unknown)).toBe('Bad Request: unsupported parse_mode');
  });

  it('refuses a chat that does not exist', async () => {
    const { api } = await openChat();
    expect(await refusalOf(api.sendMessage(1, 'x'))).toBe('Bad Request: chat not found');
    expect(await refusalOf(api.sendMessage('@nobody', 'x'))).toBe('Bad Request: chat not found');
    expect(await refusalOf(api.sendMessage('', 'x'))).toBe('Bad Request: chat_id is empty');
  });

  it('replies to a message that is there', async () => {
    const { user, api } = await openChat();
    const question = user.say('question');
    const reply_parameters = { message_id: question.messageId ?? 0 };
    const answer = await api.sendMessage(user.id, 'answer', { reply_parameters });
    expect(answer.reply_to_message).toMatchObject({ text: 'question', from: { id: user.id } });
    const lost = api.sendMessage(user.id, 'x', { reply_parameters: { message_id: 999 } });
    expect(await refusalOf(lost)).toBe('Bad Request: message to be replied not found');
    const forgiving = { message_id: 999, allow_sending_without_reply: true };
    expect(await api.sendMessage(user.id, 'x', { reply_parameters: forgiving })).toMatchObject({ text: 'x' });
  });
});

describe('deleteMessage', () => {
  it('takes a message away once', async () => {
    const { sandbox, user, api } = await openChat();
    const { message_id } = await api.sendMessage(user.id, 'x');
    await api.deleteMessage(user.id, message_id);
    expect(sandbox.transcript(user.id)).toEqual([]);
    expect(user.lastMessage()).toBeUndefined();
    expect(await refusalOf(api.deleteMessage(user.id, message_id))).toBe(
      'Bad Request: message to delete not found',
    );
  });

  it('refuses a message that is older than 48 hours', async () => {
    let now = 1_700_000_000_000;
    const { user, api } = await openChat({ now: () => now });
    const { message_id } = await api.sendMessage(user.id, 'x');
    now += 48 * 3_600_000 + 1000;
    expect(await refusalOf(api.deleteMessage(user.id, message_id))).toBe(
      "Bad Request: message can't be deleted for everyone",
    );
  });
});

describe('edits', () => {
  it('replace the text and, without a keyboard, take the keyboard away', async () => {
    const { user, api } = await openChat();
    const reply_markup = { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] };
    const { message_id, date } = await api.sendMessage(user.id, 'one', { reply_markup });
    expect(user.lastMessage()?.keyboard).toEqual([[{ text: 'A', data: 'a' }]]);
    const edited = await api.editMessageText(user.id, message_id, '<i>two</i>', { parse_mode: 'HTML' });
    expect(edited).toMatchObject({ message_id, date, text: 'two', entities: [{ type: 'italic' }] });
    expect(edited).toHaveProperty('edit_date');
    expect(edited).not.toHaveProperty('reply_markup');
    expect(user.lastMessage()).toMatchObject({ text: 'two', keyboard: [], edits: 1 });
  });

  it('are refused when nothing changes, however the same content is written', async () => {
    const { user, api } = await openChat();
    const reply_markup = { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] };
    const { message_id } = await api.sendMessage(user.id, 'x', { reply_markup });
    const same = { inline_keyboard: [[{ callback_data: 'a', text: 'A' }]] };
    const notModified =
      'Bad Request: message is not modified: specified new message content and reply markup are exactly the same ' +
      'as a current content and reply markup of the message';
    expect(await refusalOf(api.editMessageText(user.id, message_id, ' x', { reply_markup: same }))).toBe(
      notModified,
    );
    expect(await refusalOf(api.editMessageReplyMarkup(user.id, message_id, { reply_markup: same }))).toBe(
      notModified,
    );
    await api.editMessageText(user.id, message_id, '<b>x</b>', { parse_mode: 'HTML', reply_markup: same });
    await api.editMessageReplyMarkup(user.id, message_id);
    expect(await refusalOf(api.editMessageReplyMarkup(user.id, message_id))).toBe(notModified);
    expect(user.lastMessage()).toMatchObject({
      edits: 2,
      keyboard: [],
      message: { entities: [{ type: 'bold' }] },
    });
  });

  it('are refused for a message that is gone, of somebody else or of another kind', async () => {
    const { user, api } = await openChat();
    const text = await api.sendMessage(user.id, 'x');
    const own = user.say('mine').messageId ?? 0;
    expect(await refusalOf(api.editMessageText(user.id, 999, 'x'))).toBe(
      'Bad Request: message to edit not found',
    );
    expect(await refusalOf(api.editMessageText(user.id, own, 'x'))).toBe(
      "Bad Request: message can't be edited",
    );
    expect(await refusalOf(api.editMessageCaption(user.id, text.message_id, { caption: 'x' }))).toBe(
      'Bad Request: there is no caption in the message to edit',
    );
    expect(await refusalOf(api.editMessageTextInline('inline', 'x'))).toBe(
      'Bad Request: message identifier is not specified',
    );
  });

  it('refuse an empty and too long a text, the latter in other words than a send', async () => {
    const { user, api } = await openChat();
    const { message_id } = await api.sendMessage(user.id, 'x');
    expect(await refusalOf(api.editMessageText(user.id, message_id, ''))).toBe(
      'Bad Request: message text is empty',
    );
    expect(await refusalOf(api.editMessageText(user.id, message_id, 'x'.repeat(4097)))).toBe(
      'Bad Request: MESSAGE_TOO_LONG',
    );
  });
});

describe('sendChatAction and leaveChat', () => {
  it('take the documented actions only', async () => {
    const { user, api } = await openChat();
    expect(await api.sendChatAction(user.id, 'upload_photo')).toBe(true);
    // SAFETY: an action that does not exist cannot be named otherwise.
    const unknown = api.sendChatAction(user.id, 'dancing' as 'typing');
    expect(await refusalOf(unknown)).toBe('Bad Request: wrong parameter action in request');
  });

  it('leave a group, which cannot be written to afterwards, but no private chat', async () => {
    const { sandbox, user, api } = await openChat();
    const chat = { id: -100_200, type: 'supergroup', title: 'Group' };
    const from = { id: user.id, is_bot: false, first_name: 'Ada' };
    sandbox.sendRaw({ message: { message_id: 1, date: 1, chat, from, text: 'hi' } });
    expect(await api.sendMessage(chat.id, 'private chats only')).toMatchObject({ chat });
    await api.leaveChat(chat.id);
    expect(await refusalOf(api.sendMessage(chat.id, 'x'))).toBe(
      'Forbidden: bot is not a member of the supergroup chat',
    );
    expect(await refusalOf(api.leaveChat(user.id))).toBe("Bad Request: can't leave private chats");
  });
});
