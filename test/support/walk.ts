// The steps of a user on the way to a generation, each waiting for the screen it leads to.
import type { BotMessage, SandboxUser } from '../../sandbox/telegram/index.ts';

export const prompt = 'a canary prompt about a yellow bird';

/** `deadlineMs`: for each screen; the stand-in's own by default. */
export async function walkToForm(user: SandboxUser, deadlineMs?: number): Promise<void> {
  user.start();
  await user.waitForMessage(/What shall we create/, deadlineMs);
  user.click('🎨 Pictures');
  await user.waitForMessage(/Choose a model/, deadlineMs);
  user.click({ text: /^Z-Image/ });
  await user.waitForMessage(/photorealistic/, deadlineMs);
  user.click('✨ Create');
  await user.waitForMessage(/step 1 of 2/, deadlineMs);
}

export async function walkToConfirm(user: SandboxUser, deadlineMs?: number): Promise<void> {
  await walkToForm(user, deadlineMs);
  user.say(prompt);
  await user.waitForMessage(/step 2 of 2/, deadlineMs);
  user.click('16:9');
  await user.waitForMessage(/Check and run/, deadlineMs);
}

/** From the menu to a model's form, by its title; `first` is what stands in its first question. */
export async function walkToModel(user: SandboxUser, title: string, first: RegExp): Promise<void> {
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  const found = await user.waitForMessage(/Choose a model, or write something else/, {
    after: user.say(title),
  });
  const button = found.keyboard.flat().find(({ text }) => text.startsWith(`${title} · `));
  if (button?.data === undefined) throw new Error(`${title} is not among ${buttonsOf(found).join(', ')}`);
  await user.waitForMessage(/Questions: /, { after: user.click({ data: button.data }) });
  await user.waitForMessage(first, { after: user.click('✨ Create') });
}

/** The words on the buttons of a message, in reading order. */
export function buttonsOf({ keyboard }: Pick<BotMessage, 'keyboard'>): string[] {
  return keyboard.flat().map(({ text }) => text);
}
