// Whatever a client sends, in whatever order: every update ends in a declared outcome, and every tap is
// answered exactly once.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasons } from '../../src/otel/reasons.ts';
import type { CallbackClick, SandboxUser, SentUpdate } from '../../src/sandbox/telegram/index.ts';
import { buttons, commands } from '../../src/ui/registry.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { outcomeOf, storyOf } from '../support/story.ts';

type Step =
  | { readonly kind: 'shown'; readonly index: number }
  | { readonly kind: 'data' | 'text'; readonly text: string };

const argument = fc.oneof(
  fc.constantFrom('image', 'video', 'zimage', 'nosuch', 'draft-1', '0', '1', '-1', ''),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const buttonData = fc
  .tuple(
    fc.constantFrom('v1', 'v0', 'v2'),
    fc.constantFrom(...Object.values(buttons).map(({ code }) => code)),
    fc.array(argument, { maxLength: 3 }),
  )
  .map(([version, code, parts]) => [version, code, ...parts].join(':'));
const junk = fc.string({ unit: 'binary', maxLength: 16 });
const text = fc.oneof(
  fc.constantFrom('a yellow bird', '1:1', ...Object.keys(commands).map(name => `/${name}`), '/nosuch'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(said => said.trim() !== ''),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('shown' as const), index: fc.nat({ max: 8 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('data' as const), text: fc.oneof(buttonData, junk) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('text' as const), text }) },
);

function act(user: SandboxUser, chosen: Step): SentUpdate | CallbackClick {
  if ('text' in chosen) return chosen.kind === 'text' ? user.say(chosen.text) : user.rawCallback(chosen.text);
  const shown = user.lastMessage()?.keyboard.flat() ?? [];
  return user.rawCallback(shown[chosen.index % Math.max(shown.length, 1)]?.data ?? '');
}

async function expectDeclaredEnd(bot: BotUnderTest, sent: SentUpdate | CallbackClick): Promise<void> {
  await storyOf(bot, sent);
  const [row] = await outcomeOf(bot, sent);
  expect(['accepted', 'rejected', 'noop']).toContain(row?.outcome);
  expect(Object.keys(reasons)).toContain(row?.reason_code);
  if (!('callbackId' in sent)) return;
  const answers = bot.telegram.calls(
    'answerCallbackQuery',
    ({ payload }) => payload.callback_query_id === sent.callbackId,
  );
  expect(answers, `answers to ${JSON.stringify(sent.data)}`).toHaveLength(1);
}

test('any taps, texts and commands end in a declared outcome, and each tap is answered once', async () => {
  await using bot = await startBot();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 10 }),
      fc.boolean(),
      async (steps, inHaste) => {
        const user = bot.user();
        const start = user.start();
        await user.waitForMessage(/What shall we create/, { after: start });
        await expectDeclaredEnd(bot, start);
        const sent: SentUpdate[] = [];
        for (const chosen of steps) {
          const update = act(user, chosen);
          sent.push(update);
          if (!inHaste) await expectDeclaredEnd(bot, update);
        }
        for (const update of sent) await expectDeclaredEnd(bot, update);
        await bot.telegram.idle();
      },
    ),
    { numRuns: 8 },
  );
}, 30_000);
