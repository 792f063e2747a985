// Faults of taps, commands and messages: what users do that the bot does not.
import type { SandboxUser, SentUpdate } from '../../../sandbox/telegram/index.ts';
import type { Cause } from '../../../src/diagnosis/causes.ts';
import { type BotUnderTest, waitFor } from '../../support/bot.ts';
import { prompt, walkToConfirm, walkToForm, walkToModel } from '../../support/walk.ts';
import { cidAtEnd, type Group, type Scenario, userAtMenu } from './scenario.ts';

const upscale = 'Recraft Crisp Upscale';
const manyPictures = 'Grok Imagine Image to Image';
const film = 'Topaz Video Upscale';
const withNumber = 'Seedream 3.0';
/** Its price is not in the catalogue. */
const unpricedKey = 'm34';
const megabyte = 1024 * 1024;

export const tapFaults: Group = {
  name: 'taps and messages',
  options: {
    prices: { 'grok-imagine/image-to-image': 1, 'topaz/video-upscale': 1, 'bytedance/seedream': 1 },
  },
  scenarios: [
    {
      name: 'a button of the screen before, tapped while the next one appears',
      cause: 'wrong_screen',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
        await user.waitForMessage(/photorealistic/, { after: user.click({ text: /^Z-Image/ }) });
        user.click('✨ Create');
        return cidAtEnd(bot, user.click('◀️ Back'));
      },
    },
    {
      name: 'a button of a form that has moved on',
      cause: 'old_form',
      async provoke(bot) {
        const user = bot.user();
        await walkToConfirm(user);
        return cidAtEnd(bot, user.click('✖️ Cancel', { messageId: user.messages()[0]?.messageId ?? 0 }));
      },
    },
    {
      name: 'a button of a form that was closed',
      cause: 'form_closed',
      async provoke(bot) {
        const user = bot.user();
        await walkToConfirm(user);
        const [first] = user.messages();
        await cidAtEnd(bot, user.click('✖️ Cancel'));
        return cidAtEnd(bot, user.click('◀️ Back', { messageId: first?.messageId ?? 0 }));
      },
    },
    {
      name: 'a double tap',
      cause: 'double_tap',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await user.waitForMessage(/How it works/, { after: user.click('❓ Help') });
        user.click('🏠 Menu');
        return cidAtEnd(bot, user.click('🏠 Menu'));
      },
    },
    {
      name: 'a button of another bot',
      cause: 'foreign_button',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).rawCallback('test:unknown')),
    },
    {
      name: 'a damaged button',
      cause: 'damaged_button',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).rawCallback('v1:mod')),
    },
    {
      name: 'a button of an older version of the bot',
      cause: 'old_version_button',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).rawCallback('v0:menu')),
    },
    {
      name: 'a message of two days ago',
      cause: 'old_message',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await bot.database.query(
          `update messages set rendered_at = rendered_at - interval '49 hours' where chat_id = $1`,
          [user.chatId],
        );
        return cidAtEnd(bot, user.click('🎨 Pictures'));
      },
    },
    {
      name: 'a message that the bot has no record of',
      cause: 'message_unknown',
      provoke: async bot =>
        cidAtEnd(bot, (await userAtMenu(bot)).rawCallback('v1:menu', { messageId: 4242 })),
    },
    {
      name: 'a choice that does not exist',
      cause: 'unknown_choice',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).rawCallback('v1:cat:nosuch')),
    },
    {
      name: 'a model whose price is not known',
      cause: 'price_unknown',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
        return cidAtEnd(bot, user.rawCallback(`v1:mod:${unpricedKey}`));
      },
    },
    {
      name: 'a price that has grown old',
      cause: 'quote_expired',
      async provoke(bot) {
        const user = bot.user();
        await walkToConfirm(user);
        // The screen is seen a moment before its form is stored.
        await waitFor('the form with its price', async () => {
          const [aged] = await bot.database.query(
            `update sessions set form = jsonb_set(form, '{quote,at}', '"2020-01-01T00:00:00.000Z"')
             where chat_id = $1 and form ? 'quote' returning 1 as one`,
            [user.chatId],
          );
          return aged;
        });
        return cidAtEnd(bot, user.click('🚀 Run'));
      },
    },
    {
      name: 'an unknown command',
      cause: 'unknown_command',
      provoke: async bot => cidAtEnd(bot, bot.user().say('/nosuch')),
    },
    {
      name: 'a text after the last question',
      cause: 'step_passed',
      async provoke(bot) {
        const user = bot.user();
        await walkToConfirm(user);
        return cidAtEnd(bot, user.say('one more wish'));
      },
    },
    {
      name: 'a picture that nobody asked for',
      cause: 'nothing_to_do',
      provoke: async bot => cidAtEnd(bot, bot.user().sendPhoto()),
    },
    {
      name: 'a search for one letter',
      cause: 'search_too_short',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).say('k')),
    },
    {
      name: 'a group that has added the bot',
      cause: 'group_chat',
      async provoke(bot) {
        const chat = { id: -1_000_000_004_242, type: 'supergroup', title: 'A group' };
        const from = { id: 4242, is_bot: false, first_name: 'Somebody' };
        return cidAtEnd(
          bot,
          bot.telegram.sendRaw({ message: { message_id: 7, date: 1, chat, from, text: '/start' } }),
        );
      },
    },
    {
      name: 'a tap in a group',
      cause: 'group_chat',
      async provoke(bot) {
        const chat = { id: -1_000_000_004_243, type: 'supergroup', title: 'A group' };
        const from = { id: 4242, is_bot: false, first_name: 'Somebody' };
        const message = { message_id: 7, date: 1, chat, text: 'Menu' };
        return cidAtEnd(
          bot,
          bot.telegram.sendRaw({
            callback_query: { id: '4242', from, message, chat_instance: '1', data: 'v1:menu' },
          }),
        );
      },
    },
    {
      name: 'a prompt that is too short',
      cause: 'invalid_too_short',
      async provoke(bot) {
        const user = bot.user();
        await walkToForm(user);
        return cidAtEnd(bot, user.say('ab'));
      },
    },
    {
      name: 'a prompt that is too long',
      cause: 'invalid_too_long',
      async provoke(bot) {
        const user = bot.user();
        await walkToForm(user);
        return cidAtEnd(bot, user.say('overlong '.repeat(112)));
      },
    },
    {
      name: 'a picture where a text is asked for',
      cause: 'invalid_not_a_text',
      async provoke(bot) {
        const user = bot.user();
        await walkToForm(user);
        return cidAtEnd(bot, user.sendPhoto());
      },
    },
    {
      name: 'a text that is none of the choices',
      cause: 'invalid_not_a_choice',
      async provoke(bot) {
        const user = bot.user();
        await walkToForm(user);
        await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
        return cidAtEnd(bot, user.say('wide as the sea'));
      },
    },
    numberFault('words where a number is asked for', 'invalid_not_a_number', 'plenty'),
    numberFault('a number that is too small', 'invalid_too_small', '0'),
    numberFault('a number that is too large', 'invalid_too_large', '99'),
    fileFault('words where a picture is asked for', 'invalid_not_a_file', upscale, user =>
      user.say('my cat'),
    ),
    fileFault('a film where a picture is asked for', 'invalid_wrong_media', upscale, user =>
      user.sendVideo(),
    ),
    fileFault('a format that the model does not take', 'invalid_wrong_type', upscale, user =>
      user.sendDocument(Buffer.from('GIF89a'), { fileName: 'a.gif', mimeType: 'image/gif' }),
    ),
    fileFault('a picture that is too big for the model', 'invalid_file_too_big', upscale, user =>
      user.sendDocument(Buffer.from('png'), {
        fileName: 'a.png',
        mimeType: 'image/png',
        declaredBytes: 11 * megabyte,
      }),
    ),
    fileFault('a film that is too big for Telegram', 'invalid_too_big_for_telegram', film, user =>
      user.sendVideo(undefined, { declaredBytes: 30 * megabyte }),
    ),
    fileFault('a link of a kind that nobody opens', 'invalid_not_a_link', upscale, user =>
      user.say('ftp://pictures.example/a.png'),
    ),
    fileFault('a link into a private network', 'invalid_private_link', upscale, user =>
      user.say('http://10.0.0.7/a.png'),
    ),
    fileFault('more pictures than may be', 'invalid_too_many_files', manyPictures, user =>
      user.say(Array.from({ length: 6 }, (_, index) => `https://pictures.example/${index}.png`).join(' ')),
    ),
    {
      name: 'an update that Telegram sends twice',
      cause: 'duplicate_update',
      async provoke(bot) {
        bot.telegram.duplicateNextUpdate();
        bot.user().start();
        return (await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE')).cid;
      },
    },
    {
      name: 'a request to the webhook without the secret',
      cause: 'webhook_secret_wrong',
      async provoke(bot) {
        await fetch(bot.webhookUrl(), { method: 'POST', body: '{"update_id":1}' });
        return (
          await bot.waitForLine(
            line => line.name === 'UPDATE_REFUSED' && line.reason_code === 'PERMISSION_DENIED',
          )
        ).cid;
      },
    },
    {
      name: 'a request to the webhook that is no update',
      cause: 'webhook_not_an_update',
      async provoke(bot) {
        const secret = { 'x-telegram-bot-api-secret-token': 'canary-webhook-secret-4242' };
        await fetch(bot.webhookUrl(), {
          method: 'POST',
          headers: { ...secret, 'content-type': 'application/json' },
          body: '{}',
        });
        return (
          await bot.waitForLine(
            line => line.name === 'UPDATE_REFUSED' && line.reason_code === 'VALIDATION_FAILED',
          )
        ).cid;
      },
    },
    {
      name: 'a request to an address that the bot does not have',
      cause: 'request_to_nowhere',
      async provoke(bot) {
        await fetch(`${bot.app.url()}/wp-login.php`);
        return (await bot.waitForLine(({ name }) => name === 'REQUEST_REFUSED')).cid;
      },
    },
    {
      name: 'a payment for which there is no order',
      cause: 'checkout_declined',
      provoke: bot => checkout(bot),
    },
    {
      name: 'a payment whose question could not be answered',
      cause: 'checkout_failed',
      async provoke(bot) {
        bot.telegram.failNext({
          method: 'answerPreCheckoutQuery',
          kind: 'error',
          code: 400,
          description: 'Bad Request: query is too old and response timeout expired or query ID is invalid',
        });
        return checkout(bot);
      },
    },
    {
      name: 'a user who blocks the bot',
      cause: 'bot_blocked',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).block()),
    },
    {
      name: 'nothing wrong at all',
      cause: 'done',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).click('🎨 Pictures')),
    },
    {
      name: 'a tap whose answer is wanted no more',
      cause: 'answered_too_late',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        bot.telegram.failNext({
          method: 'answerCallbackQuery',
          kind: 'error',
          code: 400,
          description: 'Bad Request: query is too old and response timeout expired or query ID is invalid',
        });
        return cidAtEnd(bot, user.click('🎨 Pictures'));
      },
    },
  ],
};

export const poorFaults: Group = {
  name: 'a user without money',
  options: { environment: { WELCOME_CREDIT: '0' } },
  scenarios: [
    {
      name: 'a run that the balance does not cover',
      cause: 'balance_insufficient',
      async provoke(bot) {
        const user = bot.user();
        await walkToConfirm(user);
        return cidAtEnd(bot, user.click('🚀 Run'));
      },
    },
  ],
};

/** In a setting of a model that takes 1–10. */
function numberFault(name: string, cause: Cause, said: string): Scenario {
  return {
    name,
    cause,
    async provoke(bot) {
      const user = bot.user();
      await walkToModel(user, withNumber, /step 1 of 1/);
      await user.waitForMessage(/settings/, { after: user.say('a red cube') });
      await user.waitForMessage(/setting 2 of 3/, { after: user.click('✏️ Prompt strength') });
      return cidAtEnd(bot, user.say(said));
    },
  };
}

/** In the first question of a model that asks for a file. */
function fileFault(
  name: string,
  cause: Cause,
  model: string,
  send: (user: SandboxUser) => SentUpdate,
): Scenario {
  return {
    name,
    cause,
    async provoke(bot) {
      const user = bot.user();
      await walkToModel(user, model, /step 1 of/);
      return cidAtEnd(bot, send(user));
    },
  };
}

async function checkout(bot: BotUnderTest): Promise<string> {
  const user = bot.user();
  const sent = bot.telegram.sendRaw({
    pre_checkout_query: {
      id: `checkout-${user.id}`,
      from: { id: user.id, is_bot: false, first_name: 'Ada', language_code: 'en' },
      currency: 'XTR',
      total_amount: 5,
      invoice_payload: 'order-1',
    },
  });
  const cid = await cidAtEnd(bot, sent, 'PRE_CHECKOUT');
  await bot.waitForEvent(cid, 'DISPATCH_OK');
  return cid;
}
