import { describe, expect, it } from 'vitest';
import { formatTranscript } from '../../../sandbox/telegram/index.ts';
import { openApi, openBot, openSandbox, pollWith, refusalOf } from './support.ts';

describe('a user', () => {
  it('who never pressed Start cannot be written to, and can after that', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user();
    const api = openApi(sandbox);
    expect(await refusalOf(api.sendMessage(user.id, 'x'))).toBe(
      "Forbidden: bot can't initiate conversation with a user",
    );
    expect(await refusalOf(api.sendChatAction(user.id, 'typing'))).toContain('Forbidden');
    user.start();
    expect(await api.sendMessage(user.id, 'x')).toMatchObject({ text: 'x' });
  });

  it('starts with a payload, which grammY takes from the command', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ languageCode: 'ru', firstName: 'Ада' });
    const bot = openBot(sandbox);
    bot.command('start', context => context.reply(`${context.from?.language_code} ${context.match}`));
    await pollWith(bot);
    user.start('ref_42');
    expect((await user.waitForMessage(/./)).text).toBe('ru ref_42');
  });

  it('writes commands and links that Telegram marks', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user();
    user.say('look /help https://example.com/a/b?c=1, a/b');
    const [update] = await openApi(sandbox).getUpdates();
    expect(update?.message?.entities).toEqual([
      { type: 'bot_command', offset: 5, length: 5 },
      { type: 'url', offset: 11, length: 27 },
    ]);
    expect(() => user.say(' ')).toThrow('1–4096');
  });

  it('who blocks the bot is reported to it and answers every send with 403 until unblocked', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    const api = openApi(sandbox);
    const { message_id } = await api.sendMessage(user.id, 'x');
    const { updateId } = user.block();
    expect(await refusalOf(api.sendMessage(user.id, 'y'))).toBe('Forbidden: bot was blocked by the user');
    expect(await refusalOf(api.editMessageText(user.id, message_id, 'y'))).toContain('blocked');
    expect(() => user.say('hello')).toThrow('call unblock() first');
    expect(() => user.click('A')).toThrow('call unblock() first');
    user.unblock();
    expect(await api.sendMessage(user.id, 'z')).toMatchObject({ text: 'z' });
    const [blocked, unblocked] = await api.getUpdates();
    expect(blocked).toMatchObject({
      update_id: updateId,
      my_chat_member: {
        chat: { id: user.id },
        from: { id: user.id },
        old_chat_member: { status: 'member', user: { id: sandbox.bot.id } },
        new_chat_member: { status: 'kicked' },
      },
    });
    expect(unblocked?.my_chat_member?.new_chat_member.status).toBe('member');
  });

  it('who deletes the account answers with 403', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    user.deactivate();
    expect(await refusalOf(openApi(sandbox).sendMessage(user.id, 'x'))).toBe(
      'Forbidden: user is deactivated',
    );
  });

  it('has an id of its own, above 32 bits, or the one that was asked for', async () => {
    const sandbox = await openSandbox();
    const ids = [sandbox.user().id, sandbox.user({ id: 77 }).id, sandbox.user().id];
    expect(ids).toEqual([6_100_000_001, 77, 6_100_000_002]);
    expect(() => sandbox.user({ id: 77 })).toThrow('user 77 exists already');
  });
});

describe('waitForMessage', () => {
  it('finds what is there, what comes and what an edit makes', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    const api = openApi(sandbox);
    const coming = user.waitForMessage(/^two$/);
    const { message_id } = await api.sendMessage(user.id, 'one');
    expect(await user.waitForMessage(message => message.text === 'one')).toMatchObject({ edits: 0 });
    await api.editMessageText(user.id, message_id, 'two');
    expect(await coming).toMatchObject({ messageId: message_id, edits: 1 });
  });

  it('can be made to look only at what is new', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    const api = openApi(sandbox);
    await api.sendMessage(user.id, 'menu');
    const said = user.say('again');
    const next = user.waitForMessage(/menu/, { after: said });
    const { message_id } = await api.sendMessage(user.id, 'menu');
    expect((await next).messageId).toBe(message_id);
  });

  it('fails at its deadline with what the chat shows', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    await openApi(sandbox).sendMessage(user.id, 'something else');
    await expect(user.waitForMessage(/menu/, 20)).rejects.toThrow(
      /nothing after 20 ms: waited for a message like \/menu\/, chat \d+ shows:\nbot text #1: something else/,
    );
  });

  it('fails when the sandbox stops', async () => {
    const sandbox = await openSandbox();
    const waiting = sandbox.user().waitForMessage(/never/);
    const failure = expect(waiting).rejects.toThrow('the sandbox was stopped');
    await sandbox.stop();
    await failure;
  });
});

describe('the transcript', () => {
  it('shows messages at their places and what happened between them', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user();
    const api = openApi(sandbox);
    user.start();
    const keyboard = [
      [
        { text: 'Go', callback_data: 'go' },
        { text: 'Site', url: 'https://example.com' },
        { text: 'Code', copy_text: { text: '42' } },
      ],
    ];
    const menu = await api.sendMessage(user.id, 'Menu', { reply_markup: { inline_keyboard: keyboard } });
    const click = user.click('Go');
    await api.answerCallbackQuery(click.callbackId, { text: 'Going' });
    const deleted = await api.sendMessage(user.id, 'soon gone');
    await api.deleteMessage(user.id, deleted.message_id);
    await api.editMessageText(user.id, menu.message_id, 'Menu!', {
      reply_markup: { inline_keyboard: keyboard },
    });
    user.block();
    expect(formatTranscript(sandbox.transcript(user.id))).toBe(
      [
        'user text #1: /start',
        'bot text #2 (edited 1×): Menu!',
        '    [Go → go] [Site → https://example.com] [Code → copies 42]',
        'user click #2: Go (go)',
        'bot toast: Going',
        'user block: ',
      ].join('\n'),
    );
    expect(formatTranscript(sandbox.transcript(404))).toBe('(the chat is empty)');
  });

  it('keeps only the newest messages without history', async () => {
    const sandbox = await openSandbox({ keepHistory: false });
    const user = sandbox.user();
    for (let number = 1; number <= 250; number += 1) user.say(`${number}`);
    const texts = sandbox.transcript(user.id).map(entry => entry.text);
    expect(texts.length).toBeLessThanOrEqual(200);
    expect(texts.at(-1)).toBe('250');
  });
});
