// Several files of one result: albums, what is left out of them, and the text that closes them.
import { expect, test } from 'vitest';
import { createPng } from '../../sandbox/png.ts';
import type { BotMessage } from '../../sandbox/telegram/index.ts';
import { type OutboxUnderTest, openOutbox } from '../support/outbox.ts';

const picture = (red: number): Buffer => createPng(40, 30, [red, 30, 60]);

function serve(given: OutboxUnderTest, ...paths: string[]): void {
  for (const [index, path] of paths.entries()) {
    if (path.endsWith('.mp4')) given.served.set(path, { bytes: Buffer.from(path), type: 'video/mp4' });
    else if (path.endsWith('.mp3')) given.served.set(path, { bytes: Buffer.from(path), type: 'audio/mpeg' });
    else given.served.set(path, { bytes: picture(index), type: 'image/png' });
  }
}

const kinds = (messages: readonly BotMessage[]): string[] => messages.map(({ kind }) => kind);
const albumIds = (messages: readonly BotMessage[]): (string | undefined)[] =>
  messages.map(({ message }) => message.media_group_id);

test('files come as one album without buttons, and a text with the buttons closes it', async () => {
  await using given = await openOutbox();
  serve(given, '/1.png', '/2.mp4', '/3.png');
  await given.succeed('/1.png', '/2.mp4', '/3.png');
  await given.settle();

  const messages = given.user.messages();
  expect(kinds(messages)).toEqual(['photo', 'video', 'photo', 'text']);
  const [album] = albumIds(messages);
  expect(album).toEqual(expect.any(String));
  expect(albumIds(messages)).toEqual([album, album, album, undefined]);
  const closing = messages.at(-1);
  expect(closing).toMatchObject({ text: '✅ Z-Image' });
  expect(closing?.keyboard.flat().length).toBeGreaterThan(0);
  expect(given.telegram.callCount('sendMediaGroup')).toBe(1);
  expect(given.linesOf('RESULT_DELIVERED').map(({ operation, position }) => [operation, position])).toEqual([
    ['result', 1],
    ['result', 2],
    ['result', 3],
    ['closing', undefined],
  ]);
  expect(await given.rows()).toMatchObject([
    { kind: 'result', position: 1, file_id: messages[0]?.fileId, sent: true },
    { kind: 'result', position: 2, file_id: messages[1]?.fileId, sent: true },
    { kind: 'result', position: 3, file_id: messages[2]?.fileId, sent: true },
    { kind: 'closing', sent: true },
  ]);
  expect(
    await given.database.query('select screen_id from messages where message_id = $1', [closing?.messageId]),
  ).toEqual([{ screen_id: 'RESULT' }]);
});

test('sounds make an album of their own', async () => {
  await using given = await openOutbox();
  serve(given, '/1.mp3', '/2.png', '/3.mp3', '/4.png');
  await given.succeed('/1.mp3', '/2.png', '/3.mp3', '/4.png');
  await given.settle();
  expect(kinds(given.user.messages())).toEqual(['audio', 'audio', 'photo', 'photo', 'text']);
  expect(given.telegram.callCount('sendMediaGroup')).toBe(2);
});

test('more than ten files come as several albums, and a single one that is left over alone', async () => {
  await using given = await openOutbox();
  const paths = Array.from({ length: 11 }, (_, index) => `/${index}.png`);
  serve(given, ...paths);
  await given.succeed(...paths);
  await given.settle();

  const messages = given.user.messages();
  expect(messages).toHaveLength(12);
  expect(new Set(albumIds(messages.slice(0, 10))).size).toBe(1);
  expect(messages[10]).toMatchObject({ kind: 'photo', text: '', keyboard: [] });
  expect(messages[11]?.kind).toBe('text');
});

test('an album that Telegram cannot fetch is uploaded', async () => {
  await using given = await openOutbox();
  serve(given, '/1.png', '/2.png');
  given.served.set('/2.png', { bytes: picture(9), type: 'application/octet-stream' });
  await given.succeed('/1.png', '/2.png');
  await given.settle();

  const messages = given.user.messages();
  expect(kinds(messages)).toEqual(['photo', 'photo', 'text']);
  expect(messages[1]?.fileBytes?.equals(picture(9))).toBe(true);
  const names = [...(given.telegram.calls('sendMediaGroup')[1]?.files.values() ?? [])];
  expect(names.map(({ fileName }) => fileName)).toEqual(['zimage-1.png', 'zimage-2.png']);
});

test('one bad file does not spoil the album: it comes by itself, as a document', async () => {
  await using given = await openOutbox();
  serve(given, '/1.png', '/2.png', '/3.png');
  given.served.set('/2.png', { bytes: createPng(210, 10, [0, 0, 0]), type: 'image/png' });
  await given.succeed('/1.png', '/2.png', '/3.png');
  await given.settle();

  expect(kinds(given.user.messages())).toEqual(['photo', 'photo', 'document', 'text']);
  expect(await given.rows()).toMatchObject([
    { position: 1, sent: true },
    { position: 2, sent: true },
    { position: 3, sent: true },
    { kind: 'closing', sent: true },
  ]);
});

test('a file that cannot be had leaves the rest complete, and both the operator and the user learn of it', async () => {
  await using given = await openOutbox();
  serve(given, '/1.png', '/3.png');
  await given.succeed('/1.png', '/2.png', '/3.png');
  await given.settle();

  expect(kinds(given.user.messages())).toEqual(['photo', 'photo', 'text', 'text']);
  const texts = given.user.messages().map(({ text }) => text);
  expect(texts[2]).toBe('✅ Z-Image');
  expect(texts[3]).toContain('⚠️ Z-Image');
  const final = given.linesOf('DELIVERY_FAILED').at(-1);
  expect(final).toMatchObject({ operation: 'result', position: 2, reason_code: 'DOWNSTREAM_ERROR' });
  expect(await given.rows()).toMatchObject([
    { position: 1, sent: true },
    { position: 2, sent: false, reason_code: 'DOWNSTREAM_ERROR' },
    { position: 3, sent: true },
    { kind: 'closing', sent: true },
    { kind: 'failure', sent: true },
  ]);

  serve(given, '/2.png');
  await given.deliveries.redeliver('task-1', '00-11111111111111111111111111111111-2222222222222222-01');
  await given.settle();
  expect(kinds(given.user.messages()).slice(4)).toEqual(['photo', 'text']);
});

test('the closing text waits for a file that comes late', async () => {
  await using given = await openOutbox({ timings: { deliveryRetryMs: 60_000 } });
  serve(given, '/1.png', '/3.png');
  await given.succeed('/1.png', '/2.png', '/3.png');
  await given.look();
  expect(kinds(given.user.messages())).toEqual(['photo', 'photo']);
  serve(given, '/2.png');
  await given.database.query('update deliveries set due_at = now()');
  await given.settle();
  expect(kinds(given.user.messages())).toEqual(['photo', 'photo', 'photo', 'text']);
  expect(given.linesOf('RESULT_DELIVERED').map(({ position }) => position)).toEqual([1, 3, 2, undefined]);
});

test('where no file could be had, only the notice of the failure is sent', async () => {
  await using given = await openOutbox();
  await given.succeed('/1.png', '/2.png');
  await given.settle();
  expect(given.user.messages().map(({ text }) => text)).toEqual([expect.stringContaining('⚠️ Z-Image')]);
  expect(await given.rows()).toMatchObject([
    { kind: 'result', sent: false },
    { kind: 'result', sent: false },
    { kind: 'closing', sent: false, reason_code: 'DOWNSTREAM_ERROR' },
    { kind: 'failure', sent: true },
  ]);
});

test('an album that is put off is sent whole, later', async () => {
  await using given = await openOutbox();
  serve(given, '/1.png', '/2.png');
  given.telegram.failNext({
    method: 'sendMediaGroup',
    kind: 'error',
    code: 429,
    description: 'Too Many Requests: retry after 40',
    retryAfter: 40,
  });
  await given.succeed('/1.png', '/2.png');
  await given.look();
  expect(given.user.messages()).toEqual([]);
  expect(await given.rows()).toMatchObject([
    { attempts: 0 },
    { attempts: 0 },
    { kind: 'closing', attempts: 0 },
  ]);
  expect((await given.deliveries.next('task-1', 1_000))?.dueMs).toBeGreaterThan(30_000);

  await given.database.query('update deliveries set due_at = now()');
  await given.settle();
  expect(kinds(given.user.messages())).toEqual(['photo', 'photo', 'text']);
});

test('a user who has blocked the bot is tried once for all files, and remembered', async () => {
  await using given = await openOutbox();
  const paths = Array.from({ length: 12 }, (_, index) => `/${index}.png`);
  serve(given, ...paths);
  given.user.block();
  await given.succeed(...paths);
  await given.settle();

  expect(given.telegram.callCount()).toBe(1);
  expect(given.linesOf('DELIVERY_FAILED').map(({ position }) => position)).toEqual(
    paths.map((_, index) => index + 1),
  );
  expect(await given.database.query('select blocked_at is not null as blocked from users')).toEqual([
    { blocked: true },
  ]);
  const rows = await given.rows();
  expect(rows).toHaveLength(13);
  expect(rows.every(({ reason_code }) => reason_code === 'DOWNSTREAM_ERROR')).toBe(true);
});

test('of two workers at once only one sends', async () => {
  await using given = await openOutbox();
  serve(given, '/1.png', '/2.png', '/3.png');
  await given.succeed('/1.png', '/2.png', '/3.png');
  await Promise.all([given.look(), given.look(), given.look()]);
  await given.settle();
  expect(kinds(given.user.messages())).toEqual(['photo', 'photo', 'photo', 'text']);
});

test('after a crash between two calls only what had not been recorded is sent', async () => {
  await using given = await openOutbox({ timings: { deliveryClaimMs: 100 } });
  serve(given, '/1.mp3', '/2.mp3', '/3.png', '/4.png');
  await given.succeed('/1.mp3', '/2.mp3', '/3.png', '/4.png');
  const claim = await given.deliveries.claim('task-1', 100);
  const [first, second] = claim?.rows ?? [];
  await given.deliveries.finish(
    [first, second].map(row => ({ id: row?.id ?? 0, messageId: 1, fileId: undefined })),
  );
  await given.settle();

  expect(kinds(given.user.messages())).toEqual(['photo', 'photo', 'text']);
  expect(given.linesOf('RESULT_DELIVERED')).toMatchObject([
    { position: 3, reason_detail: 'sent again after a crash, may be double' },
    { position: 4, reason_detail: 'sent again after a crash, may be double' },
    { operation: 'closing' },
  ]);
});
