// What users do, each action with how likely it is: they tap what they see, write, order pictures, pay, block the bot and
// come back. Each waits for something to see before the next thing, but not for ever.
import type { Burst } from '../history/history.ts';
import type { TelegramSandbox } from '../telegram/index.ts';
import { type Person, patienceMs } from './person.ts';

export interface World {
  readonly telegram: TelegramSandbox;
  /** Stands in everything that users write. */
  readonly canary: string;
  /** Gets the bursts whose order can be judged. */
  readonly bursts: Burst[];
}

interface UserAction {
  readonly weight: number;
  perform(person: Person, world: World): Promise<unknown> | undefined;
}

/** Commands, each of which shows a screen that no other of them shows; `shows` is matched with and without HTML. */
const screens = [
  { name: 'help', command: '/help', shows: /How it works/ },
  { name: 'balance', command: '/balance', shows: /^(<b>)?Balance: / },
  { name: 'menu', command: '/start', shows: /What shall we create/ },
] as const;
type Screen = (typeof screens)[number];
export const [help, , menu] = screens;
/** Of the pictures that users send; KIE.ai takes up to 10 MB of the model that they order. */
const largeShare = 0.3;
const largeBytes = [2_000_000, 9_500_000] as const;
const pauseMs = [100, 700] as const;

export const actions: readonly UserAction[] = [
  {
    weight: 30,
    async perform(person) {
      const request = person.tap();
      if (request) await person.look(request);
      else await command(person, menu);
    },
  },
  { weight: 10, perform: person => command(person, person.random.pick(screens)) },
  { weight: 10, perform: burst },
  {
    // Twice, as fast as a finger is.
    weight: 6,
    async perform(person) {
      const first = person.tap();
      if (first?.click === undefined) return;
      const second = person.user.rawCallback(first.click.data);
      await person.look(person.request(second, second));
    },
  },
  { weight: 10, perform: (person, world) => order(person, world, 'Z-Image') },
  { weight: 5, perform: (person, world) => order(person, world, 'Recraft Crisp Upscale') },
  {
    weight: 8,
    async perform(person, { canary }) {
      const text = `${canary} ${person.random.between(1, 1_000)}`;
      await person.look(person.request(person.user.say(text)));
    },
  },
  {
    weight: 4,
    perform(person, { telegram }) {
      telegram.duplicateNextUpdate();
      return command(person, help);
    },
  },
  { weight: 3, perform: checkOut },
  {
    weight: 2,
    async perform(person) {
      person.aside(person.user.block());
      await pause(person);
      person.aside(person.user.unblock());
      await command(person, menu);
    },
  },
];

/** False when its screen was not seen. */
export async function command(person: Person, screen: Screen): Promise<boolean> {
  const request = person.request(person.user.say(screen.command));
  return (await person.look(request, ({ text }) => screen.shows.test(text))) !== undefined;
}

export function pause({ random }: Person): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, random.between(...pauseMs)));
}

/**
 * Three requests at once. Their order is only judged when the screen of a command before them was seen, so that nothing
 * of earlier can still be shown; that one itself may be repeated, and is asked for first again.
 */
async function burst(person: Person, { telegram, bursts }: World): Promise<void> {
  const { user, random } = person;
  const first = random.pick(screens);
  const isCertain = !person.hasOpenTap && (await command(person, first));
  const others = screens.filter(screen => screen !== first);
  const asked = [first, ...(random.chance(0.5) ? others : others.toReversed())];
  const from = telegram.callCount();
  const requests = asked.map(screen => person.request(user.say(screen.command)));
  await Promise.all(
    requests.map((request, index) =>
      person.look(request, ({ text }) => asked[index]?.shows.test(text) ?? false),
    ),
  );
  if (!isCertain) return;
  const shown = telegram
    .calls()
    .slice(from)
    .filter(({ ok, chatId }) => ok && chatId === user.chatId)
    .flatMap(({ payload }) => screens.filter(({ shows }) => shows.test(String(payload.text ?? ''))));
  bursts.push({
    chatId: user.chatId,
    updateIds: requests.map(({ sent }) => sent.updateId),
    asked: asked.map(({ name }) => name),
    shown: shown.map(({ name }) => name),
  });
}

/** From the menu to a running order, as far as the bot goes along. Some do not wait for its result, some tap twice. */
async function order(
  person: Person,
  { canary }: World,
  title: 'Z-Image' | 'Recraft Crisp Upscale',
): Promise<void> {
  const { user, random } = person;
  await command(person, menu);
  await person.look(person.request(user.say(title)), ({ keyboard }) =>
    keyboard.flat().some(({ text }) => text.startsWith(title)),
  );
  if (!(await person.step(text => text.startsWith(title)))) return;
  if (!(await person.step(text => text.includes('Create')))) return;
  if (title === 'Z-Image') {
    await person.look(person.request(user.say(`${canary} a yellow bird`)));
    await person.step(text => text === '16:9');
  } else {
    const options = random.chance(largeShare) ? { declaredBytes: random.between(...largeBytes) } : {};
    await person.look(person.request(user.sendPhoto(undefined, options)));
  }
  const isRun = (text: string): boolean => text.includes('Run');
  const run = person.tap(isRun);
  if (run === undefined) return;
  if (random.chance(0.3)) person.tap(isRun);
  await person.look(run);
  if (random.chance(0.5))
    await user
      .waitForMessage(({ kind }) => kind !== 'text', { after: run.sent, deadlineMs: patienceMs })
      // Whether it comes is for the history to say.
      .catch(() => undefined);
}

/** It is answered on the payment sheet, not in the chat. */
function checkOut(person: Person, { telegram }: World): undefined {
  const { user, random } = person;
  person.aside(
    telegram.sendRaw({
      pre_checkout_query: {
        id: `checkout-${user.id}-${telegram.callCount()}-${random.between(1, 2 ** 31)}`,
        from: { id: user.id, is_bot: false, first_name: 'Sandbox', language_code: 'en' },
        currency: 'RUB',
        total_amount: 10_000,
        invoice_payload: 'chaos',
      },
    }),
  );
}
