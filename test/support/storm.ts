// Users who go on tapping whatever happens to the instances, each as fast as the bot answers.
import type { BotMessage, SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { waitFor } from './bot.ts';
import type { Fleet } from './fleet.ts';
import { patienceMs } from './patience.ts';

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
        const toast = await user.answerOf(click, patienceMs);
        // That nobody works now may be said by a toast alone: its message comes once a minute.
        const said = updating.test(toast.text) ? toast.text : (await shownAfter(user, click, screen)).text;
        // Told to try again, a user tries again.
        if (updating.test(said)) {
          await begin(user);
          break;
        }
        answered += 1;
      }
    }
  }
  function shownAfter(user: SandboxUser, click: SentUpdate, screen: RegExp): Promise<BotMessage> {
    const fits = ({ text }: BotMessage): boolean => screen.test(text) || updating.test(text);
    return user.waitForMessage(fits, { after: click, deadlineMs: patienceMs });
  }
  async function begin(user: SandboxUser): Promise<void> {
    const start = user.start();
    sent.push(start);
    await user.waitForMessage(/What shall we create/, { after: start, deadlineMs: patienceMs });
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
        patienceMs,
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
