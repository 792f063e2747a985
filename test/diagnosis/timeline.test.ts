// The session of a user, from the chains of a running bot.
import { expect, test } from 'vitest';
import { chainsOf } from '../../src/diagnosis/chain.ts';
import { parseLines } from '../../src/diagnosis/lines.ts';
import { timelineOf } from '../../src/diagnosis/timeline.ts';
import { startBot } from '../support/bot.ts';
import { storyOf } from '../support/story.ts';
import { prompt, walkToConfirm } from '../support/walk.ts';

test('a walk from the menu to the picture is told step by step', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  await storyOf(bot, user.rawCallback('test:unknown'));
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');

  const entries = timelineOf(chainsOf(parseLines(bot.output.join('\n')).events), 'en');
  expect(entries.map(({ did, screen, cause }) => [did, screen, cause])).toEqual([
    ['the user sent the command /start', 'Main menu', 'done'],
    ['the user tapped «section 🎨 Pictures» on the screen «Main menu»', 'List of models', 'done'],
    ['the user tapped «Z-Image» on the screen «List of models»', 'Card of a model', 'done'],
    ['the user tapped «✨ Create» on the screen «Card of a model»', 'Question of the form', 'done'],
    [`the user sent a text (${prompt.length} characters)`, 'Question of the form', 'done'],
    ['the user tapped «choice 4» on the screen «Question of the form»', 'Check and run', 'done'],
    ['the user tapped a button on the screen «Check and run»', undefined, 'foreign_button'],
    ['the user tapped «🚀 Run» on the screen «Check and run»', 'Generating', 'delivered'],
  ]);
  expect(entries.at(-1)).toMatchObject({
    reason: 'SUCCESS',
    model: 'Z-Image',
    money: '₽0.80 were charged',
    latencyMs: expect.any(Number),
  });
  expect(JSON.stringify(entries)).not.toContain(prompt);
});
