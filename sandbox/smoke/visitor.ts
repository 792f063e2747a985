// A person with a Telegram client who does what a step says: writes, sends, presses the button of that name on the
// newest message that has buttons. Buttons are named as in the registry, so that neither language nor layout matters.
import { decodeButton } from '../../src/ui/codec.ts';
import type { ButtonName } from '../../src/ui/registry.ts';
import type { BotMessage, CallbackClick, SandboxUser, SentUpdate } from '../telegram/index.ts';

export interface Visitor {
  readonly user: SandboxUser;
  /** All buttons that were pressed, whatever became of it. */
  readonly clicks: readonly CallbackClick[];
  /** The newest message with buttons. Throws when there is none. */
  screen(): BotMessage;
  /** The names of its buttons, each once, in reading order. Throws for a button that the registry does not know. */
  offered(): readonly ButtonName[];
  /** The first button of that name whose last argument is the given one. Throws when it is not there. */
  press(name: ButtonName, last?: string | number): CallbackClick;
  /** What a modified client can send: whatever it likes as data, on the newest message with buttons or on the message with that id. */
  forge(data: string, messageId?: number): CallbackClick;
}

/** What a visitor does; resolves with the update that it makes. */
export type UserAction = (visitor: Visitor) => SentUpdate | Promise<SentUpdate>;

interface Button {
  readonly name: ButtonName;
  readonly args: readonly (string | number)[];
  readonly data: string;
}

export function createVisitor(user: SandboxUser): Visitor {
  const clicks: CallbackClick[] = [];

  function screen(): BotMessage {
    const message = user.messages().findLast(({ keyboard }) => keyboard.length > 0);
    if (!message) throw new Error('there is no message with buttons');
    return message;
  }

  function clicked(click: CallbackClick): CallbackClick {
    clicks.push(click);
    return click;
  }

  return {
    user,
    clicks,
    screen,
    offered: () => [...new Set(buttonsOf(screen()).map(({ name }) => name))],
    press(name, last) {
      const message = screen();
      const found = buttonsOf(message).find(
        button => button.name === name && (last === undefined || button.args.at(-1) === last),
      );
      if (!found) throw new Error(`there is no button ${name} under “${message.text}”`);
      return clicked(user.click({ data: found.data }, { messageId: message.messageId }));
    },
    forge: (data, messageId = screen().messageId) => clicked(user.rawCallback(data, { messageId })),
  };
}

function buttonsOf({ keyboard }: BotMessage): Button[] {
  return keyboard.flat().flatMap(({ text, data }) => {
    // A button that copies a text sends the bot nothing.
    if (data === undefined) return [];
    const decoded = decodeButton(data);
    if (!decoded.ok) throw new Error(`the button “${text}” has ${data}: ${decoded.reason}`);
    return [{ name: decoded.button, args: decoded.args, data }];
  });
}
