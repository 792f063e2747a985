// A user with eyes and some patience: sends something, and looks whether it leads to anything that can be seen.
import type { LastRequest } from '../history/history.ts';
import type { BotMessage, CallbackClick, SandboxUser, SentUpdate } from '../telegram/index.ts';
import type { Random } from './random.ts';

export interface Person {
  readonly user: SandboxUser;
  readonly random: Random;
  /** How often something new was seen after a request, and how often not within the patience. */
  readonly seen: number;
  readonly unseen: number;
  /** Undefined before the first request. */
  readonly lastRequest: LastRequest | undefined;
  /** A tap was not answered yet: it may still be on its way, and what comes of it may overtake a message. */
  readonly hasOpenTap: boolean;
  /** Remembers what the user has just sent. */
  request(sent: SentUpdate, click?: CallbackClick): Request;
  /** As `request`, for what leads to nothing in the chat. */
  aside(sent: SentUpdate): void;
  /** Presses a button that fits, on the newest message that has any. Undefined where there is none. */
  tap(fits?: (text: string) => boolean): Request | undefined;
  /**
   * Resolves with the newest message that has changed since the request and fits; with undefined where there were only
   * words on the button, or nothing within the patience.
   */
  look(request: Request, fits?: (message: BotMessage) => boolean): Promise<BotMessage | undefined>;
  /** Presses a button that fits and looks. False where there is none, or nothing came of it. */
  step(fits: (text: string) => boolean): Promise<boolean>;
}

export interface Request {
  readonly sent: SentUpdate;
  readonly click: CallbackClick | undefined;
}

export const patienceMs = 12_000;
/** They end what a history is read from, or allow texts of users in lines. */
const avoidedButtons = /🗑|My data|Report a problem|texts in|texts out|Get a copy/;

/** `all` gets everything that the user sends. */
export function createPerson(user: SandboxUser, random: Random, all: SentUpdate[]): Person {
  const clicks: CallbackClick[] = [];
  let last: Request | undefined;
  let seen = 0;
  let unseen = 0;

  const person: Person = {
    user,
    random,
    get seen() {
      return seen;
    },
    get unseen() {
      return unseen;
    },
    get lastRequest() {
      return last && { chatId: user.chatId, updateId: last.sent.updateId, isAnswered: isAnswered(last) };
    },
    get hasOpenTap() {
      return clicks.some(({ answer }) => answer === undefined);
    },
    request(sent, click) {
      all.push(sent);
      if (click) clicks.push(click);
      last = { sent, click };
      return last;
    },
    aside(sent) {
      all.push(sent);
    },
    tap(fits = () => true) {
      const message = user.messages().findLast(({ keyboard }) => keyboard.length > 0);
      const buttons = (message?.keyboard ?? [])
        .flat()
        .filter(({ text, data }) => data !== undefined && !avoidedButtons.test(text) && fits(text));
      if (message === undefined || buttons.length === 0) return undefined;
      const click = user.click({ data: random.pick(buttons).data ?? '' }, { messageId: message.messageId });
      return person.request(click, click);
    },
    async look({ sent: after, click }, fits = () => true) {
      const shown = user.waitForMessage(fits, { after, deadlineMs: patienceMs });
      // An answer without words is none: what was asked for is still to come.
      const answered = click
        ? user.answerOf(click, patienceMs).then(({ text }) => (text === '' ? shown : undefined))
        : shown;
      try {
        const message = await Promise.any([shown, answered]);
        seen += 1;
        return message;
      } catch {
        unseen += 1;
        return undefined;
      }
    },
    async step(fits) {
      const request = person.tap(fits);
      return request !== undefined && (await person.look(request)) !== undefined;
    },
  };

  /** Something can be seen now that could not when it was asked for. */
  function isAnswered({ sent: { moment }, click }: Request): boolean {
    return user.messages().some(message => message.moment > moment) || (click?.answer?.text ?? '') !== '';
  }

  return person;
}
