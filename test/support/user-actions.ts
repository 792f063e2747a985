// What a person with a Telegram client does to answer a form's question: typing, pressing a button that is there,
// sending files. Each action waits for the screen that it leads to, or for the line that refuses it.
import { expect } from 'vitest';
import type { AlbumItem, BotMessage, SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import type { MediaKind } from '../../src/catalogue/schema.ts';
import type { RawAnswer } from '../../src/pipeline/answer.ts';
import { decodeButton } from '../../src/ui/codec.ts';
import type { ButtonName } from '../../src/ui/registry.ts';
import { patienceMs } from './patience.ts';

type FileAnswer = Extract<RawAnswer, { kind: 'file' }>;

/** What a button shows and means. */
export interface FoundButton {
  readonly text: string;
  readonly data: string;
  readonly name: ButtonName;
  readonly args: readonly (string | number)[];
}

/** For machines under load. */
const deadlineMs = patienceMs;
const longestMessage = 4_096;
const largestAlbum = 10;

/** The buttons under a message. Fails for data that leads nowhere. */
export function buttonsOf({ keyboard }: BotMessage): FoundButton[] {
  return keyboard.flat().map(({ text, data = '' }) => {
    const decoded = decodeButton(data);
    if (!decoded.ok) expect.fail(`${text} has ${data}, which is no button: ${decoded.reason}`);
    return { text, data, name: decoded.button, args: decoded.args };
  });
}

/** The button of that name, and with these last arguments, if it is there. */
export function findButton(
  message: BotMessage,
  name: ButtonName,
  ...last: readonly (string | number)[]
): FoundButton | undefined {
  return buttonsOf(message).find(
    found => found.name === name && last.every((arg, index) => found.args.at(index - last.length) === arg),
  );
}

/** Presses a button and waits for its answer and for the next screen. */
export async function press(
  user: SandboxUser,
  message: BotMessage,
  name: ButtonName,
  ...last: readonly (string | number)[]
): Promise<BotMessage> {
  const found = findButton(message, name, ...last);
  if (!found) expect.fail(`No button ${name} ${last.join(' ')} under: ${message.text}`);
  const click = user.click({ data: found.data }, { messageId: message.messageId });
  const shown = await nextScreen(user, click);
  await user.answerOf(click, deadlineMs);
  return shown;
}

/** The newest message with buttons, once there is one that is newer than what was sent. */
export function nextScreen(user: SandboxUser, after: SentUpdate): Promise<BotMessage> {
  return user.waitForMessage(({ keyboard }) => keyboard.length > 0, { after, deadlineMs });
}

/** Whether a client can send it, rather than press a button for it. */
export function canBeSent(raw: RawAnswer): boolean {
  if (raw.kind === 'file') return true;
  // A client cuts blanks off, and sends nothing that is only blank.
  return (
    raw.kind === 'text' && raw.text.trim() !== '' && raw.text.length <= longestMessage && isPlain(raw.text)
  );
}

/** Whether a user can give it with the buttons that are there, or without any. */
export function canBeGiven(raw: RawAnswer, message: BotMessage): boolean {
  return canBeSent(raw) || buttonFor(raw, message) !== undefined;
}

/** Gives the answers one after the other, files of one album at once. Resolves with the screen after the last. */
export async function give(
  user: SandboxUser,
  message: BotMessage,
  answers: readonly RawAnswer[],
): Promise<BotMessage> {
  let shown = message;
  for (const group of inAlbums(answers)) {
    const [raw] = group;
    if (raw === undefined) continue;
    if (group.length > 1) shown = await sendAlbum(user, shown, group);
    else if (canBeSent(raw)) shown = await nextScreen(user, send(user, raw));
    else {
      const found = buttonFor(raw, shown);
      // A list that is full goes on by itself.
      if (found) shown = await press(user, shown, found.name, ...found.args.slice(2));
      else expect.fail(`Nothing stands for ${JSON.stringify(raw)} under: ${shown.text}`);
    }
  }
  return shown;
}

/** Sends what will be refused. Resolves with what the user is hint. */
export async function giveInVain(
  user: SandboxUser,
  raw: RawAnswer,
): Promise<{ readonly sent: SentUpdate; readonly hint: BotMessage }> {
  const sent = send(user, raw);
  return { sent, hint: await user.waitForMessage(() => true, { after: sent, deadlineMs }) };
}

function buttonFor(raw: RawAnswer, message: BotMessage): FoundButton | undefined {
  switch (raw.kind) {
    case 'choice':
      return findButton(message, 'choose', raw.index);
    case 'switch':
      return findButton(message, 'choose', raw.on ? 0 : 1);
    case 'done':
    case 'clear':
      return findButton(message, raw.kind);
    default:
      return undefined;
  }
}

function send(user: SandboxUser, raw: RawAnswer): SentUpdate {
  if (raw.kind === 'text') return user.say(raw.text);
  if (raw.kind === 'file') return sendFile(user, raw);
  return expect.fail(`A client cannot send ${JSON.stringify(raw)}`);
}

function sendFile(user: SandboxUser, raw: FileAnswer): SentUpdate {
  const { mimeType, declaredBytes } = factsOf(raw);
  if (raw.media === 'other')
    return user.sendDocument(undefined, { mimeType: 'application/pdf', fileName: 'a.pdf' });
  if (declaredBytes !== undefined || !isUsual(raw.media, mimeType)) {
    const type = mimeType ?? usualTypes[raw.media];
    return user.sendDocument(undefined, {
      mimeType: type,
      fileName: `a.${type.split('/').at(-1)}`,
      ...(declaredBytes === undefined ? {} : { declaredBytes }),
    });
  }
  switch (raw.media) {
    case 'image':
      return user.sendPhoto();
    case 'video':
      return user.sendVideo();
    case 'audio':
      return user.sendAudio();
  }
}

/** The types of what Telegram's own kinds of messages bring. */
const usualTypes: Readonly<Record<MediaKind, string>> = {
  image: 'image/jpeg',
  video: 'video/mp4',
  audio: 'audio/mpeg',
};
const albumKinds: Readonly<Record<MediaKind, AlbumItem['kind']>> = {
  image: 'photo',
  video: 'video',
  audio: 'audio',
};

function isUsual(media: MediaKind, mimeType: string | undefined): boolean {
  return mimeType === undefined || mimeType === usualTypes[media];
}

/** A size matters only where it is beyond what a test wants to hold. */
function factsOf({ file }: FileAnswer): { mimeType: string | undefined; declaredBytes: number | undefined } {
  if (file.from === 'link') return { mimeType: undefined, declaredBytes: undefined };
  const isLarge = (file.bytes ?? 0) > 1_000_000;
  return { mimeType: file.mimeType, declaredBytes: isLarge ? file.bytes : undefined };
}

async function sendAlbum(
  user: SandboxUser,
  message: BotMessage,
  group: readonly RawAnswer[],
): Promise<BotMessage> {
  const items = group.map((raw): AlbumItem => {
    if (raw.kind !== 'file' || raw.media === 'other') return expect.fail('An album is made of media');
    return { kind: albumKinds[raw.media] };
  });
  const expected = (countOf(message) ?? 0) + items.length;
  const [after] = user.sendAlbum(items);
  if (!after) return expect.fail('The album is empty');
  // Each file is an update with a screen; all but the first edit the screen of the first.
  return user.waitForMessage(
    shown => shown.keyboard.length > 0 && (countOf(shown) ?? expected) === expected,
    { after, deadlineMs },
  );
}

/** How many files the screen of a question says there are; undefined where it says nothing. */
function countOf({ text }: BotMessage): number | undefined {
  const [, count] = /^(?:So far|Уже есть): (\d+)/m.exec(text) ?? [];
  return count === undefined ? undefined : Number(count);
}

function inAlbums(answers: readonly RawAnswer[]): RawAnswer[][] {
  const groups: RawAnswer[][] = [];
  for (const raw of answers) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    const goesAlong =
      raw.kind === 'file' &&
      first?.kind === 'file' &&
      raw.groupId !== undefined &&
      raw.groupId === first.groupId &&
      (group?.length ?? 0) < largestAlbum;
    if (goesAlong) group?.push(raw);
    else groups.push([raw]);
  }
  return groups;
}

function isPlain(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
