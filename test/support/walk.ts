// The steps of a user on the way to a generation, each waiting for the screen it leads to.
import type { SandboxUser } from '../../src/sandbox/telegram/index.ts';

export const prompt = 'a canary prompt about a yellow bird';

export async function walkToForm(user: SandboxUser): Promise<void> {
  user.start();
  await user.waitForMessage(/What shall we create/);
  user.click('🎨 Pictures');
  await user.waitForMessage(/Choose a model/);
  user.click('Z-Image');
  await user.waitForMessage(/photorealistic/);
  user.click('✨ Create');
  await user.waitForMessage(/step 1 of 2/);
}

export async function walkToConfirm(user: SandboxUser): Promise<void> {
  await walkToForm(user);
  user.say(prompt);
  await user.waitForMessage(/step 2 of 2/);
  user.click('16:9');
  await user.waitForMessage(/Check and run/);
}
