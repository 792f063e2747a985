// A model without a price that can be trusted is not for sale. Buttons that lead to it may still be on screens, from
// the time when an administrator's price made it so: each says why it does nothing, and works again once there is a
// price.
import { describe, expect, test } from 'vitest';
import type { BotMessage, SandboxUser } from '../../sandbox/telegram/index.ts';
import type { Model } from '../../src/catalogue/schema.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { models } from '../pipeline/answers.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { outcomeOf } from '../support/story.ts';
import { trt } from '../support/trt.ts';
import { findButton, nextScreen, press } from '../support/user-actions.ts';

const hint = createTexts().for('en')('hint-model-price-unknown');
const credits = 5;
const kopecks = 500;

/** Of each sort one that asks for a text only. */
const sorts: readonly (readonly [string, Model | undefined])[] = [
  ['no price', models.find(model => isSimple(model) && model.price === undefined)],
  ['a price of low confidence', models.find(model => isSimple(model) && model.price?.confidence === 'low')],
];

function isSimple({ enabled, parameters }: Model): boolean {
  const questions = parameters.filter(({ required, advanced }) => required && !advanced);
  return enabled && questions.length === 1 && questions[0]?.type === 'text';
}

describe.each(sorts)('a model with %s', (_sort, model) => {
  if (!model) throw new Error('the catalogue has no such model');

  test('is on no screen and is not found', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await nextScreen(user, user.start());
    const found = await nextScreen(user, user.say(model.title));
    expect(findButton(found, 'model', model.key)).toBeUndefined();
  });

  test.each(['model', 'create', 'generate'] as const)(
    'is refused by an old button (%s), with the reason, until a price is set',
    async name => {
      await using bot = await startBot({ prices: { [model.id]: credits } });
      const user = bot.user();
      const old = await screenWith(name, user, model);

      await setPrice(bot, model, 'none');
      await expectRefused(bot, user, old, name);
      expect(await bot.database.query('select id from tasks')).toEqual([]);
      expect(user.messages().at(-1)).toEqual(old);

      await setPrice(bot, model, String(credits));
      const shown = await press(user, old, name);
      expect(shown.text).toContain(model.title);
      if (name === 'generate')
        expect(await bot.database.query('select amount::int from holds')).toEqual([{ amount: kopecks }]);
    },
  );
});

/** Up to the screen on which the button stands. */
async function screenWith(
  name: 'model' | 'create' | 'generate',
  user: SandboxUser,
  model: Model,
): Promise<BotMessage> {
  await nextScreen(user, user.start());
  const found = await nextScreen(user, user.say(model.title));
  if (name === 'model') return found;
  const card = await press(user, found, 'model', model.key);
  if (name === 'create') return card;
  await press(user, card, 'create');
  const answered = await nextScreen(user, user.say('a yellow bird on a branch'));
  return findButton(answered, 'proceed') ? press(user, answered, 'proceed') : answered;
}

async function expectRefused(
  bot: BotUnderTest,
  user: SandboxUser,
  message: BotMessage,
  name: 'model' | 'create' | 'generate',
): Promise<void> {
  const button = findButton(message, name);
  const click = user.click({ data: button?.data ?? '' }, { messageId: message.messageId });
  expect(await user.answerOf(click)).toMatchObject({ text: hint, showAlert: false });
  expect(await outcomeOf(bot, click)).toEqual([
    { outcome: 'rejected', reason_code: 'MODEL_DISABLED', attempts: 1 },
  ]);
  const refusals = bot.lines.filter(
    line => line.name === 'CALLBACK_REJECTED' && line.update_id === click.updateId,
  );
  expect(refusals).toEqual([
    expect.objectContaining({
      reason_code: 'MODEL_DISABLED',
      reason_detail: expect.stringMatching(/: price unknown$/),
    }),
  ]);
}

/** As an operator does it; the bot reads it when it starts, and every half minute. */
async function setPrice(bot: BotUnderTest, { id }: Model, price: string): Promise<void> {
  const answer = await trt({ DATABASE_URL: bot.database.url, USER: 'anna' }, 'catalogue', 'price', id, price);
  expect(answer.complaint).toBe('');
  expect(answer.code).toBe(0);
  await bot.restart();
}
