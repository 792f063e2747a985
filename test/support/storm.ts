// Users who go on tapping whatever happens to the instances, each as fast as the bot answers.
import type { SandboxUser, SentUpdate } from '../../src/sandbox/telegram/index.ts';
import { waitFor } from './bot.ts';
import type { Fleet } from './fleet.ts';

const waitMs = { deadlineMs: 20_000 };

export interface Storm {
  /** Waits until so many more taps have been answered. */
  taps(count: number): Promise<void>;
  /** Ends the taps, and tells everything that users have done. */
  stop(): Promise<readonly SentUpdate[]>;
}

const path = [
  ['❓ Help', /How it works/],
  ['◀️ Back', /What shall we create/],
] as const;
const updating = /service is being updated/;

/** Users who go back and forth between two screens, each as fast as the bot answers. */
export async function startStorm({ surroundings }: Fleet, users = 4): Promise<Storm> {
  const sent: SentUpdate[] = [];
  let answered = 0;
  let stopping = false;
  async function walk(user: SandboxUser): Promise<void> {
    await begin(user);
    while (!stopping) {
      for (const [button, screen] of path) {
        const click = user.click(button);
        sent.push(click);
        await user.answerOf(click, waitMs.deadlineMs);
        const shown = await user.waitForMessage(({ text }) => screen.test(text) || updating.test(text), {
          ...waitMs,
          after: click,
        });
        // Told to try again, a user tries again.
        if (updating.test(shown.text)) {
          await begin(user);
          break;
        }
        answered += 1;
      }
    }
  }
  async function begin(user: SandboxUser): Promise<void> {
    const start = user.start();
    sent.push(start);
    await user.waitForMessage(/What shall we create/, { ...waitMs, after: start });
  }
  const walking = Promise.all(Array.from({ length: users }, () => walk(surroundings.user())));
  // Whoever waits for the taps is told of a failure by `stop`.
  walking.catch(() => undefined);
  return {
    async taps(count) {
      const target = answered + count;
      const reached = waitFor(
        `${target} answered taps`,
        () => answered >= target || undefined,
        () => `${answered} were answered`,
        waitMs.deadlineMs,
      );
      await Promise.race([reached, walking]);
    },
    async stop() {
      stopping = true;
      await walking;
      return sent;
    },
  };
}
