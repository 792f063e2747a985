// Owns a user of the sandbox: what a person with a Telegram client can do in the private chat with the bot, and what
// that person can see. Every action becomes the update that Telegram would make of it.
// Promises that a user can only do what the client allows: press a button that is there, write when the bot is not
// blocked. Modified clients are the exception (rawCallback).
import type { ChatMember, MaybeInaccessibleMessage, Update, User } from 'grammy/types';
import { assertAlbum } from './album.ts';
import { type BotMessage, botMessages, messageWithKeyboard, viewMessage } from './bot-message.ts';
import type { BotState } from './bot-state.ts';
import { type ButtonChoice, describeChoice, findButtons } from './button-choice.ts';
import type { Changes } from './changes.ts';
import { type MessageFields, type StoredMessage, toUnixSeconds } from './chats.ts';
import type { FileKind } from './file-store.ts';
import { isLonger } from './formatted-text.ts';
import type { CallbackAnswer } from './queries.ts';
import { formatTranscript, shownKeyboard, transcriptOf } from './transcript.ts';
import type { UpdateKind } from './update-queue.ts';
import { type AlbumItem, type UserFileOptions, userFileFields } from './user-files.ts';
import { entitiesOfUserText } from './user-text.ts';

/** An update that a user has caused. */
export interface SentUpdate {
  readonly updateId: number;
  /** False when `allowed_updates` leaves this kind out: the bot will never see it. */
  readonly isQueued: boolean;
  /** The number of the change (see WaitOptions.after). */
  readonly moment: number;
  /** The user's own message, if it was one. */
  readonly messageId: number | undefined;
}

export interface CallbackClick extends SentUpdate {
  readonly callbackId: string;
  /** The label of the button, '' where a modified client made it up. */
  readonly text: string;
  readonly data: string;
  /** How the bot answered, once it has. */
  readonly answer: CallbackAnswer | undefined;
}

export interface WaitOptions {
  readonly deadlineMs?: number;
  /** Only what was sent or edited after this counts. */
  readonly after?: { readonly moment: number };
}

export interface SandboxUser {
  readonly id: number;
  readonly chatId: number;
  say(text: string): SentUpdate;
  /** Presses Start, or opens the bot by a link that carries `payload`. */
  start(payload?: string): SentUpdate;
  /** Sends a picture (PNG or JPEG); a small drawn one if none is given. */
  sendPhoto(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  sendVideo(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  sendAnimation(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  /** A round film, as the camera of the client makes it. */
  sendVideoNote(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  sendAudio(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  sendVoice(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  /** Sends anything as a file. */
  sendDocument(bytes?: Buffer, options?: UserFileOptions): SentUpdate;
  /** Sends 2–10 files at once: as many messages, each an update, with one media_group_id. */
  sendAlbum(items: readonly AlbumItem[]): SentUpdate[];
  /**
   * Presses a button, found by its visible text or else its data, on the newest message that has a keyboard or on the
   * message `messageId`. Throws when that keyboard does not have it now, or has it twice.
   */
  click(button: ButtonChoice, options?: { readonly messageId?: number }): CallbackClick;
  /** What a modified client can send: whatever it likes as data, on any message, the newest of the bot by default. */
  rawCallback(data: string, options?: { readonly messageId?: number }): CallbackClick;
  /** Blocks the bot: a my_chat_member update, and 403 for every send from now on. */
  block(): SentUpdate;
  unblock(): SentUpdate;
  /** The account is deleted: no update, but 403 from now on. */
  deactivate(): void;
  /** The texts of the reply keyboard below the input field, by rows; pressing one is saying it. */
  replyKeyboard(): readonly (readonly string[])[];
  /** The bot's newest message that is still there. */
  lastMessage(): BotMessage | undefined;
  /** The bot's messages that are still there, oldest first. */
  messages(): BotMessage[];
  /**
   * Resolves with the bot's newest message that fits, also if it was there before or got its content by an edit.
   * A RegExp is matched against text or caption.
   */
  waitForMessage(
    wanted: RegExp | ((message: BotMessage) => boolean),
    deadline?: number | WaitOptions,
  ): Promise<BotMessage>;
  /** Resolves when the bot has answered the click; rejects at the deadline with the transcript. */
  answerOf(click: CallbackClick, deadlineMs?: number): Promise<CallbackAnswer>;
}

export interface UserOptions {
  readonly id?: number;
  readonly firstName?: string;
  readonly username?: string;
  readonly languageCode?: string;
  /** Whether the user has pressed Start before; false if not given. The bot cannot write before that. */
  readonly started?: boolean;
}

export interface UserDependencies {
  readonly state: BotState;
  readonly changes: Changes;
  readonly callbackLifetimeMs: number;
}

/** Shorter than the usual time limit of a test, so that the explanation is what the test fails with. */
export const DEFAULT_DEADLINE_MS = 60_000;
const MAXIMUM_SAID_CHARACTERS = 4096;
const CHAT_INSTANCE = '8000000000000000001';

export function createUser(id: number, options: UserOptions, dependencies: UserDependencies): SandboxUser {
  const { state, changes } = dependencies;
  const { chats, queue } = state;
  const firstName = options.firstName ?? 'Sandbox';
  const username = options.username === undefined ? {} : { username: options.username };
  const language = options.languageCode === undefined ? {} : { language_code: options.languageCode };
  const profile: User = { id, is_bot: false, first_name: firstName, ...username, ...language };
  const access = options.started === true ? 'open' : 'never-started';
  const chat = chats.add({ id, type: 'private', first_name: firstName, ...username }, access);

  function update<K extends UpdateKind>(
    kind: K,
    content: NonNullable<Update[K]>,
    lane: string,
    messageId?: number,
  ): SentUpdate {
    const { update: created, isQueued } = queue.add(kind, content, lane);
    return { updateId: created.update_id, isQueued, moment: changes.record(), messageId };
  }

  function explain(): string {
    return `chat ${id} shows:\n${formatTranscript(transcriptOf(chat))}`;
  }

  function assertNotBlocked(): void {
    if (chat.access === 'blocked') throw new Error(`user ${id} has blocked the bot: call unblock() first`);
    if (chat.access === 'deactivated') throw new Error(`user ${id} has deleted the account`);
  }

  function send(fields: MessageFields): SentUpdate {
    assertNotBlocked();
    chat.access = 'open'; // the first message of a user is the press of Start
    const { message } = chats.post(chat, profile, fields);
    // SAFETY: a message in a private chat has a sender and is in no channel.
    return update('message', message as NonNullable<Update['message']>, `message:${id}`, message.message_id);
  }

  function say(text: string): SentUpdate {
    if (text.trim() === '' || isLonger(text, MAXIMUM_SAID_CHARACTERS)) {
      throw new Error(`a client sends texts of 1–${MAXIMUM_SAID_CHARACTERS} characters`);
    }
    const entities = entitiesOfUserText(text);
    return send(entities.length === 0 ? { text } : { text, entities });
  }

  const sendFile =
    (kind: FileKind) =>
    (bytes?: Buffer, fileOptions: UserFileOptions = {}): SentUpdate =>
      send(userFileFields(state.files, kind, bytes, fileOptions));

  function callback(data: string, message: MaybeInaccessibleMessage, buttonText: string): CallbackClick {
    let answer: CallbackAnswer | undefined;
    const callbackId = state.queries.open({
      chatId: id,
      lifetimeMs: dependencies.callbackLifetimeMs,
      onAnswer(given) {
        answer = given;
        if (given.text === '') changes.record();
        else chats.record(chat, { from: 'bot', kind: given.showAlert ? 'alert' : 'toast', text: given.text });
      },
    });
    chats.record(chat, {
      from: 'user',
      kind: 'click',
      text: buttonText,
      data,
      messageId: message.message_id,
    });
    const content = { id: callbackId, from: profile, message, chat_instance: CHAT_INSTANCE, data };
    const sent = update('callback_query', content, `callback:${id}`);
    return {
      ...sent,
      callbackId,
      text: buttonText,
      data,
      get answer() {
        return answer;
      },
    };
  }

  function changeMembership(isBlocked: boolean): SentUpdate {
    const member: ChatMember = { user: state.botUser, status: 'member' };
    const banned: ChatMember = { user: state.botUser, status: 'kicked', until_date: 0 };
    chat.access = isBlocked ? 'blocked' : 'open';
    chats.record(chat, { from: 'user', kind: isBlocked ? 'block' : 'unblock', text: '' });
    const content = {
      chat: chat.info,
      from: profile,
      date: toUnixSeconds(state.now()),
      old_chat_member: isBlocked ? member : banned,
      new_chat_member: isBlocked ? banned : member,
    };
    return update('my_chat_member', content, `member:${id}`);
  }

  const view = (message: StoredMessage) => viewMessage(message, state.files);

  return {
    id,
    chatId: id,
    say,
    start: payload => say(payload === undefined ? '/start' : `/start ${payload}`),
    sendPhoto: sendFile('photo'),
    sendVideo: sendFile('video'),
    sendAnimation: sendFile('animation'),
    sendVideoNote: sendFile('video_note'),
    sendAudio: sendFile('audio'),
    sendVoice: sendFile('voice'),
    sendDocument: sendFile('document'),
    sendAlbum(items) {
      assertAlbum(items);
      const media_group_id = state.albumIds.next();
      return items.map(({ kind, bytes, ...fileOptions }) =>
        send({ ...userFileFields(state.files, kind, bytes, fileOptions), media_group_id }),
      );
    },
    click(choice, { messageId } = {}) {
      assertNotBlocked();
      const wanted = describeChoice(choice);
      const target = messageWithKeyboard(chat, messageId);
      if (target === undefined) {
        const where =
          messageId === undefined ? 'no message has a keyboard' : `message ${messageId} has no keyboard`;
        throw new Error(`cannot press ${wanted}: ${where}; ${explain()}`);
      }
      const [button, another] = findButtons(shownKeyboard(target.message).flat(), choice);
      const onMessage = `on message ${target.message.message_id}`;
      if (button === undefined) throw new Error(`no button ${wanted} ${onMessage}; ${explain()}`);
      if (another !== undefined) {
        throw new Error(`several buttons ${wanted} ${onMessage}, name one by its data; ${explain()}`);
      }
      if (button.data === undefined) {
        throw new Error(`the button ${wanted} sends the bot nothing: it has no callback data`);
      }
      return callback(button.data, target.message, button.text);
    },
    rawCallback(data, { messageId } = {}) {
      const target =
        messageId === undefined ? botMessages(chat).next().value : chats.message(chat, messageId);
      const place = target?.message.message_id ?? messageId;
      if (place === undefined) throw new Error(`chat ${id} has no message of the bot to press a button on`);
      // A message that is gone is shown to the bot as one without content, dated 0.
      const message = target?.message ?? { chat: chat.info, message_id: place, date: 0 as const };
      return callback(data, message, '');
    },
    block: () => changeMembership(true),
    unblock: () => changeMembership(false),
    deactivate() {
      chat.access = 'deactivated';
    },
    replyKeyboard: () => chat.replyKeyboard ?? [],
    lastMessage() {
      const { value } = botMessages(chat).next();
      return value === undefined ? undefined : view(value);
    },
    messages: () => [...botMessages(chat)].reverse().map(view),
    waitForMessage(wanted, deadline = {}) {
      const { deadlineMs = DEFAULT_DEADLINE_MS, after } =
        typeof deadline === 'number' ? { deadlineMs: deadline } : deadline;
      const fits = (message: BotMessage) =>
        wanted instanceof RegExp ? message.text.search(wanted) !== -1 : wanted(message);
      return changes.until(
        () => {
          for (const stored of botMessages(chat)) {
            if (after !== undefined && stored.moment <= after.moment) continue;
            const message = view(stored);
            if (fits(message)) return message;
          }
          return undefined;
        },
        deadlineMs,
        () => `waited for a message like ${wanted}, ${explain()}`,
      );
    },
    answerOf: (click, deadlineMs = DEFAULT_DEADLINE_MS) =>
      changes.until(
        () => click.answer,
        deadlineMs,
        () => `waited for the answer to the click on ${JSON.stringify(click.data)}, ${explain()}`,
      ),
  };
}
