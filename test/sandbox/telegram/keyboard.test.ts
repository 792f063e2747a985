import type { InlineKeyboardButton, InlineKeyboardMarkup } from 'grammy/types';
import { describe, expect, it } from 'vitest';
import { openApi, openSandbox, refusalOf } from './support.ts';

async function openChat() {
  const sandbox = await openSandbox();
  const user = sandbox.user({ started: true });
  const api = openApi(sandbox);
  return {
    sandbox,
    user,
    send: (buttons: readonly (readonly object[])[]) => {
      // SAFETY: the tests send wrong buttons on purpose.
      const reply_markup = { inline_keyboard: buttons as InlineKeyboardButton[][] };
      return api.sendMessage(user.id, 'x', { reply_markup });
    },
    sendMarkup: (markup: object) => {
      // SAFETY: the tests send wrong markups on purpose.
      return api.sendMessage(user.id, 'x', { reply_markup: markup as InlineKeyboardMarkup });
    },
  };
}

describe('an inline keyboard', () => {
  it('takes callback data of up to 64 bytes, which are not characters', async () => {
    const { send } = await openChat();
    await send([[{ text: 'A', callback_data: 'ж'.repeat(32) }]]);
    expect(await refusalOf(send([[{ text: 'A', callback_data: 'ж'.repeat(33) }]]))).toBe(
      'Bad Request: BUTTON_DATA_INVALID',
    );
  });

  it('takes exactly one action per button', async () => {
    const { send } = await openChat();
    expect(await refusalOf(send([[{ text: 'A' }]]))).toBe(
      "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    );
    expect(await refusalOf(send([[{ text: 'A', callback_data: '' }]]))).toContain(
      'Text buttons are unallowed',
    );
    expect(await refusalOf(send([[{ text: 'A', callback_data: 'a', url: 'https://example.com' }]]))).toBe(
      "Bad Request: can't parse inline keyboard button: exactly one action must be specified, found url and callback_data",
    );
    expect(await refusalOf(send([[{ callback_data: 'a' }]]))).toBe(
      'Bad Request: can\'t parse inline keyboard button: Can\'t find field "text"',
    );
  });

  it('takes texts to copy of 1–256 characters', async () => {
    const { send } = await openChat();
    await send([[{ text: 'A', copy_text: { text: '🎨'.repeat(256) } }]]);
    for (const text of ['', 'x'.repeat(257)]) {
      expect(await refusalOf(send([[{ text: 'A', copy_text: { text } }]]))).toBe(
        'Bad Request: BUTTON_COPY_TEXT_INVALID',
      );
    }
  });

  it('takes links to hosts that can exist', async () => {
    const { user, send } = await openChat();
    await send([
      [
        { text: 'A', url: 'https://example.com/a' },
        { text: 'B', url: 'example.com' },
      ],
      [{ text: 'C', url: 'tg://resolve?domain=x' }],
    ]);
    expect(
      user
        .lastMessage()
        ?.keyboard.flat()
        .map(button => button.url),
    ).toEqual(['https://example.com/a', 'example.com', 'tg://resolve?domain=x']);
    expect(await refusalOf(send([[{ text: 'A', url: 'http://localhost/' }]]))).toBe(
      "Bad Request: inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL",
    );
  });

  it('loses buttons without text, empty rows and what is beyond the limits, in silence', async () => {
    const { user, send } = await openChat();
    const row = Array.from({ length: 13 }, (_, index) => ({ text: `${index}`, callback_data: `${index}` }));
    await send([[{ text: '', callback_data: 'a' }], [], row]);
    expect(user.lastMessage()?.keyboard.map(buttons => buttons.length)).toEqual([12]);
  });

  it('must be an array of arrays of objects', async () => {
    const { sendMarkup } = await openChat();
    const field = 'field "inline_keyboard" of the InlineKeyboardMarkup';
    expect(await refusalOf(sendMarkup({ inline_keyboard: [{}] }))).toBe(
      `Bad Request: ${field} must be an Array of Arrays`,
    );
    expect(await refusalOf(sendMarkup({ inline_keyboard: [['A']] }))).toBe(
      "Bad Request: can't parse inline keyboard button: InlineKeyboardButton must be an Object",
    );
    // SAFETY: a markup that is no object cannot be passed otherwise.
    expect(await refusalOf(sendMarkup('[]' as unknown as object))).toBe(
      'Bad Request: object expected as reply markup',
    );
  });
});

describe('a reply keyboard', () => {
  it('is shown below the input field until it is taken away, and refused in an edit', async () => {
    const { sandbox, user, sendMarkup } = await openChat();
    const { message_id, reply_markup } = await sendMarkup({ keyboard: [['Yes'], [{ text: 'No' }]] });
    expect(reply_markup).toBeUndefined();
    await sendMarkup({ force_reply: true });
    expect(user.replyKeyboard()).toEqual([['Yes'], ['No']]);
    await sendMarkup({ remove_keyboard: true });
    expect(user.replyKeyboard()).toEqual([]);
    const edit = openApi(sandbox).raw.editMessageReplyMarkup({
      chat_id: user.id,
      message_id,
      // SAFETY: a reply keyboard is wrong here, which is the point.
      reply_markup: { keyboard: [['Yes']] } as unknown as InlineKeyboardMarkup,
    });
    expect(await refusalOf(edit)).toBe('Bad Request: inline keyboard expected');
  });
});
