// Which file a message brings, read from messages as the stand-in of Telegram makes them.
import { Api } from 'grammy';
import type { Message } from 'grammy/types';
import { expect, test } from 'vitest';
import { createPng } from '../../sandbox/png.ts';
import { type SandboxUser, startTelegramSandbox } from '../../sandbox/telegram/index.ts';
import { incomingFileOf } from '../../src/telegram/incoming-file.ts';

async function messagesOf(act: (user: SandboxUser) => unknown): Promise<Message[]> {
  const telegram = await startTelegramSandbox();
  try {
    act(telegram.user({ started: true }));
    const updates = await new Api(telegram.token, { apiRoot: telegram.apiRoot }).getUpdates();
    return updates.flatMap(({ message }) => (message ? [message] : []));
  } finally {
    await telegram.stop();
  }
}

const fileId = expect.any(String);

test.each<[string, (user: SandboxUser) => unknown, object | undefined]>([
  [
    'a film',
    user => user.sendVideo(Buffer.from('film'), { duration: 7 }),
    { media: 'video', file: { from: 'telegram', fileId, mimeType: 'video/mp4', bytes: 4, seconds: 7 } },
  ],
  [
    'an animation, which is a document too',
    user => user.sendAnimation(Buffer.from('gif'), { duration: 1 }),
    { media: 'video', file: { from: 'telegram', fileId, mimeType: 'video/mp4', bytes: 3, seconds: 1 } },
  ],
  [
    'a round film',
    user => user.sendVideoNote(Buffer.from('film'), { duration: 5 }),
    { media: 'video', file: { from: 'telegram', fileId, mimeType: 'video/mp4', bytes: 4, seconds: 5 } },
  ],
  [
    'a song',
    user => user.sendAudio(Buffer.from('song'), { duration: 180 }),
    { media: 'audio', file: { from: 'telegram', fileId, mimeType: 'audio/mpeg', bytes: 4, seconds: 180 } },
  ],
  [
    'a voice message',
    user => user.sendVoice(Buffer.from('hey'), { duration: 2 }),
    { media: 'audio', file: { from: 'telegram', fileId, mimeType: 'audio/ogg', bytes: 3, seconds: 2 } },
  ],
  [
    'a picture sent as a file',
    user => user.sendDocument(Buffer.from('png'), { mimeType: 'image/png' }),
    { media: 'image', file: { from: 'telegram', fileId, mimeType: 'image/png', bytes: 3 } },
  ],
  [
    'a file of another type',
    user => user.sendDocument(Buffer.from('pdf'), { mimeType: 'application/pdf' }),
    { media: 'other', file: { from: 'telegram', fileId, mimeType: 'application/pdf', bytes: 3 } },
  ],
  [
    'a file of no type',
    user => user.sendDocument(Buffer.from('?')),
    { media: 'other', file: { from: 'telegram', fileId, bytes: 1 } },
  ],
  ['a text', user => user.say('hello'), undefined],
])('%s', async (_what, act, expected) => {
  const [message] = await messagesOf(act);
  expect(message && incomingFileOf(message)).toEqual(expected);
});

test('of a photo the largest size is taken', async () => {
  const picture = createPng(400, 300, [9, 9, 9]);
  const [message] = await messagesOf(user => user.sendPhoto(picture));
  expect(message?.photo).toHaveLength(2);
  expect(message && incomingFileOf(message)).toEqual({
    media: 'image',
    file: {
      from: 'telegram',
      fileId: message?.photo?.[1]?.file_id,
      mimeType: 'image/jpeg',
      bytes: picture.length,
    },
  });
});

test('the files of an album are known by their group', async () => {
  const messages = await messagesOf(user => user.sendAlbum([{ kind: 'photo' }, { kind: 'video' }]));
  const files = messages.map(message => incomingFileOf(message));
  expect(files.map(file => file?.media)).toEqual(['image', 'video']);
  expect(files[0]?.groupId).toEqual(expect.any(String));
  expect(files[1]?.groupId).toBe(files[0]?.groupId);
});
