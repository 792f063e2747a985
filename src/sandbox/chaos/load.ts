// Users who go on whatever happens to the bot: they tap what they see, write, order, pay, block it and come back. Each
// waits for something to see before the next thing, but not for ever, as people do. Which user does what is decided by
// the seed; how fast, by the bot.
import type { Burst, LastRequest } from '../history/history.ts';
import type {
  BotMessage,
  CallbackClick,
  SandboxUser,
  SentUpdate,
  TelegramSandbox,
} from '../telegram/index.ts';
import { createRandom, type Random } from './random.ts';

export interface Load {
  readonly bursts: readonly Burst[];
  /** How often a user has seen something new after a request, and how often not within their patience. */
  readonly seen: number;
  readonly unseen: number;
  /** Ends it once each user has ended what they are at. */
  stop(): Promise<void>;
  lastRequests(): LastRequest[];
  /** Everybody asks for help once more. Resolves with those who were not helped within the deadline. */
  askForHelp(deadlineMs: number): Promise<readonly LastRequest[]>;
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

interface Request {
  readonly sent: SentUpdate;
  readonly click: CallbackClick | undefined;
}

const patienceMs = 12_000;
const pauseMs = [100, 700] as const;
/** They end what a history is read from, or allow texts of users in lines. */
const avoidedButtons = /🗑|My data|Report a problem|texts in|texts out|Get a copy/;
const screens = [
  { name: 'help', command: '/help', shows: /How it works/ },
  { name: 'balance', command: '/balance', shows: /^(<b>)?Balance: / },
  { name: 'menu', command: '/start', shows: /What shall we create/ },
] as const;

export function startLoad({ telegram, sent, users, seed, canary }: LoadOptions): Load {
  const bursts: Burst[] = [];
  const people: Person[] = [];
  let seen = 0;
  let unseen = 0;
  let stopping = false;

  interface Person {
    readonly user: SandboxUser;
    readonly random: Random;
    last: Request | undefined;
    /** The screen that the last burst ended with, when all of it was seen: only then it is known what comes next. */
    burstEnd: (typeof screens)[number]['name'] | undefined;
    isCertain: boolean;
  }

  function note(person: Person, update: SentUpdate, click?: CallbackClick): Request {
    const request = { sent: update, click };
    sent.push(update);
    person.last = request;
    return request;
  }

  /** Resolves with the newest message that changed since, or undefined for words on the button only, or nothing. */
  async function look(
    person: Person,
    { sent: after, click }: Request,
    fits: (message: BotMessage) => boolean = () => true,
  ): Promise<BotMessage | undefined> {
    const shown = person.user.waitForMessage(fits, { after, deadlineMs: patienceMs });
    const told = click
      ? person.user.answerOf(click, patienceMs).then(answer => {
          // An answer without words is none: what was asked for is still to come.
          if (answer.text === '') return shown;
          return undefined;
        })
      : shown;
    shown.catch(() => undefined);
    told.catch(() => undefined);
    try {
      const message = await Promise.any([shown, told]);
      seen += 1;
      return message;
    } catch {
      unseen += 1;
      person.isCertain = false;
      return undefined;
    }
  }

  function tap(person: Person, fits: (text: string) => boolean): Request | undefined {
    const { user, random } = person;
    const message = user.messages().findLast(({ keyboard }) => keyboard.length > 0);
    const buttons = (message?.keyboard ?? [])
      .flat()
      .filter(({ text, data }) => data !== undefined && !avoidedButtons.test(text) && fits(text));
    if (message === undefined || buttons.length === 0) return undefined;
    const click = user.click({ data: random.pick(buttons).data ?? '' }, { messageId: message.messageId });
    return note(person, click, click);
  }

  async function command(person: Person, screen: (typeof screens)[number]): Promise<void> {
    await look(person, note(person, person.user.say(screen.command)), ({ text }) => screen.shows.test(text));
  }

  /** Three requests at once. Their order is only judged when nothing of before can still be shown. */
  async function burst(person: Person): Promise<void> {
    const { user, random } = person;
    const wasCertain = person.isCertain;
    const first = screens.find(({ name }) => name === person.burstEnd) ?? random.pick(screens);
    const others = screens.filter(screen => screen !== first);
    const asked = [first, ...(random.chance(0.5) ? others : others.toReversed())];
    const from = telegram.calls().length;
    const requests = asked.map(screen => note(person, user.say(screen.command)));
    person.isCertain = true;
    await Promise.all(
      requests.map((request, index) =>
        look(person, request, ({ text }) => asked[index]?.shows.test(text) ?? false),
      ),
    );
    const shown = telegram
      .calls()
      .slice(from)
      .filter(call => call.ok && call.chatId === user.chatId)
      .flatMap(({ payload }) => screens.filter(({ shows }) => shows.test(String(payload.text ?? ''))))
      .map(({ name }) => name);
    person.burstEnd = person.isCertain ? asked.at(-1)?.name : undefined;
    if (wasCertain)
      bursts.push({
        chatId: user.chatId,
        updateIds: requests.map(({ sent: { updateId } }) => updateId),
        asked: asked.map(({ name }) => name),
        shown,
      });
  }

  async function order(person: Person, withFile: boolean): Promise<void> {
    const { user } = person;
    await command(person, screens[2]);
    const title = withFile ? 'Recraft Crisp Upscale' : 'Z-Image';
    await look(person, note(person, user.say(title)), ({ keyboard }) =>
      keyboard.flat().some(({ text }) => text.startsWith(title)),
    );
    if (!(await step(person, text => text.startsWith(title)))) return;
    if (!(await step(person, text => text.includes('Create')))) return;
    if (withFile) await look(person, note(person, user.sendPhoto()));
    else {
      await look(person, note(person, user.say(`${canary} a yellow bird`)));
      await step(person, text => text === '16:9');
    }
    const run = tap(person, text => text.includes('Run'));
    if (run === undefined) return;
    // Some cannot wait.
    if (person.random.chance(0.3)) tap(person, text => text.includes('Run'));
    await look(person, run);
    if (person.random.chance(0.5))
      await user
        .waitForMessage(({ kind }) => kind !== 'text', { after: run.sent, deadlineMs: patienceMs })
        .catch(() => undefined);
  }

  async function step(person: Person, fits: (text: string) => boolean): Promise<boolean> {
    const request = tap(person, fits);
    if (request === undefined) return false;
    return (await look(person, request)) !== undefined;
  }

  async function checkOut(person: Person): Promise<void> {
    const { user } = person;
    const checkout = telegram.sendRaw({
      pre_checkout_query: {
        id: `checkout-${user.id}-${sent.length}`,
        from: { id: user.id, is_bot: false, first_name: 'Sandbox', language_code: 'en' },
        currency: 'RUB',
        total_amount: 10_000,
        invoice_payload: 'chaos',
      },
    });
    // It is answered on the payment sheet, not in the chat: not a request that leads to a screen.
    sent.push(checkout);
  }

  async function act(person: Person): Promise<void> {
    const { user, random } = person;
    const deed = random.weighted([
      { weight: 30, does: 'tap' },
      { weight: 10, does: 'command' },
      { weight: 10, does: 'burst' },
      { weight: 6, does: 'double' },
      { weight: 10, does: 'order' },
      { weight: 5, does: 'order-with-file' },
      { weight: 8, does: 'write' },
      { weight: 4, does: 'duplicate' },
      { weight: 3, does: 'checkout' },
      { weight: 2, does: 'block' },
    ] as const).does;
    switch (deed) {
      case 'tap': {
        const request = tap(person, () => true);
        if (request) await look(person, request);
        else await command(person, screens[2]);
        return;
      }
      case 'command':
        return command(person, random.pick(screens));
      case 'burst':
        return burst(person);
      case 'double': {
        const first = tap(person, () => true);
        const second = first?.click && user.rawCallback(first.click.data);
        if (second) await look(person, note(person, second, second));
        return;
      }
      case 'order':
        return order(person, false);
      case 'order-with-file':
        return order(person, true);
      case 'write':
        await look(person, note(person, user.say(`${canary} ${random.between(1, 1_000)}`)));
        return;
      case 'duplicate':
        telegram.duplicateNextUpdate();
        return command(person, screens[0]);
      case 'checkout':
        return checkOut(person);
      case 'block': {
        sent.push(user.block());
        await pause(random);
        sent.push(user.unblock());
        person.isCertain = false;
        return command(person, screens[2]);
      }
    }
  }

  async function live(person: Person): Promise<void> {
    await command(person, screens[2]);
    while (!stopping) {
      await act(person);
      await pause(person.random);
    }
  }

  for (let index = 0; index < users; index++)
    people.push({
      user: telegram.user({ languageCode: 'en' }),
      random: createRandom(seed * 1_000 + index),
      last: undefined,
      burstEnd: undefined,
      isCertain: false,
    });
  const living = Promise.all(people.map(live));
  living.catch(() => undefined);

  /** What the user can see now that they could not when they asked. */
  function isAnswered({ user }: Person, { sent: { moment }, click }: Request): boolean {
    return user.messages().some(message => message.moment > moment) || (click?.answer?.text ?? '') !== '';
  }

  return {
    bursts,
    get seen() {
      return seen;
    },
    get unseen() {
      return unseen;
    },
    async stop() {
      stopping = true;
      await living;
    },
    lastRequests: () =>
      people.flatMap(person =>
        person.last
          ? [
              {
                chatId: person.user.chatId,
                updateId: person.last.sent.updateId,
                isAnswered: isAnswered(person, person.last),
              },
            ]
          : [],
      ),
    async askForHelp(deadlineMs) {
      return Promise.all(
        people.map(async person => {
          const { user } = person;
          const help = note(person, user.say('/help'));
          const isHelped = await user.waitForMessage(screens[0].shows, { after: help.sent, deadlineMs }).then(
            () => true,
            () => false,
          );
          return { chatId: user.chatId, updateId: help.sent.updateId, isAnswered: isHelped };
        }),
      );
    },
  };
}

function pause(random: Random): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, random.between(...pauseMs)));
}
