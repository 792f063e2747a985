// Users who go on whatever happens to the bot. Which user does what is decided by the seed; how fast, by the bot.
import type { Burst, LastRequest } from '../history/history.ts';
import type { SentUpdate, TelegramSandbox } from '../telegram/index.ts';
import { createPerson, type Person } from './person.ts';
import { createRandom } from './random.ts';
import { actions, command, help, menu, pause } from './user-actions.ts';

export interface Load {
  /** Those whose order can be judged. */
  readonly bursts: readonly Burst[];
  /** How often a user has seen something new after a request, and how often not within their patience. */
  readonly seen: number;
  readonly unseen: number;
  /** Ends it once each user has ended what they are at. */
  stop(): Promise<void>;
  lastRequests(): LastRequest[];
  /** Everybody asks for help once more. Resolves with what came of it within the deadline. */
  askForHelp(deadlineMs: number): Promise<LastRequest[]>;
}

export interface LoadOptions {
  readonly telegram: TelegramSandbox;
  /** Gets what users send. */
  readonly sent: SentUpdate[];
  readonly users: number;
  readonly seed: number;
  /** A word that is in everything users write. */
  readonly canary: string;
}

export function startLoad({ telegram, sent, users, seed, canary }: LoadOptions): Load {
  const world = { telegram, canary, bursts: [] as Burst[] };
  const people = Array.from({ length: users }, (_, index) =>
    createPerson(telegram.user({ languageCode: 'en' }), createRandom(seed * 1_000 + index), sent),
  );
  let stopping = false;

  async function live(person: Person): Promise<void> {
    await command(person, menu);
    while (!stopping) {
      await person.random.weighted(actions).perform(person, world);
      await pause(person);
    }
  }

  const living = Promise.all(people.map(live));
  // Whoever waits for the end learns of it.
  living.catch(() => undefined);

  async function helped({ user, request }: Person, deadlineMs: number): Promise<LastRequest> {
    const { sent: asked } = request(user.say(help.command));
    const isAnswered = await user.waitForMessage(help.shows, { after: asked, deadlineMs }).then(
      () => true,
      () => false,
    );
    return { chatId: user.chatId, updateId: asked.updateId, isAnswered };
  }

  return {
    bursts: world.bursts,
    get seen() {
      return people.reduce((total, { seen }) => total + seen, 0);
    },
    get unseen() {
      return people.reduce((total, { unseen }) => total + unseen, 0);
    },
    async stop() {
      stopping = true;
      await living;
    },
    lastRequests: () => people.flatMap(({ lastRequest }) => lastRequest ?? []),
    askForHelp: deadlineMs => Promise.all(people.map(person => helped(person, deadlineMs))),
  };
}
