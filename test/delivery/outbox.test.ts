// What reaches the user of one file, whatever Telegram and the host of the file do.
import { expect, test } from 'vitest';
import { createPng } from '../../sandbox/png.ts';
import { createStages } from '../../src/pipeline/stages.ts';
import { openOutbox } from '../support/outbox.ts';

const picture = createPng(40, 30, [200, 30, 60]);
const refused = { kind: 'error', code: 400, description: 'Bad Request: IMAGE_PROCESS_FAILED' } as const;
const tooMany = { kind: 'error', code: 429, description: 'Too Many Requests: retry after 31' } as const;

test.each([
  { path: '/a.png', type: 'image/png', bytes: picture, kind: 'photo' },
  { path: '/a.mp4', type: 'video/mp4', bytes: Buffer.from('film'), kind: 'video' },
  { path: '/a.mp3', type: 'audio/mpeg', bytes: Buffer.from('song'), kind: 'audio' },
])(
  'a single file at $path comes as $kind by its URL, with text and buttons',
  async ({ path, kind, ...file }) => {
    await using given = await openOutbox();
    given.served.set(path, file);
    await given.succeed(path);
    await given.settle();

    const [message, another] = given.user.messages();
    expect(another).toBeUndefined();
    expect(message).toMatchObject({ kind, text: '✅ Z-Image' });
    expect(message?.keyboard.flat().length).toBeGreaterThan(0);
    expect(message?.fileBytes?.equals(file.bytes)).toBe(true);
    expect(given.hits(path)).toBe(1);
    expect(await given.rows()).toEqual([
      {
        kind: 'result',
        position: 1,
        attempts: 1,
        sent: true,
        file_id: message?.fileId,
        reason_code: null,
      },
    ]);
    expect(given.linesOf('RESULT_DELIVERED')).toEqual([
      expect.objectContaining({ operation: 'result', position: 1, message_id: message?.messageId }),
    ]);
    expect(given.linesOf('RESULT_DELIVERED')[0]).not.toHaveProperty('reason_detail');
  },
);

test('a file that Telegram cannot fetch is uploaded', async () => {
  await using given = await openOutbox();
  given.served.set('/a.png', { bytes: picture, type: 'application/octet-stream' });
  await given.succeed('/a.png');
  await given.settle();

  expect(given.user.messages()).toMatchObject([{ kind: 'photo', text: '✅ Z-Image' }]);
  const [byUrl, byBytes] = given.telegram.calls('sendPhoto');
  expect([byUrl?.ok, byBytes?.ok]).toEqual([false, true]);
  expect([...(byBytes?.files.values() ?? [])].map(({ fileName }) => fileName)).toEqual(['zimage.png']);
  expect(given.linesOf('RESULT_DELIVERED')[0]?.reason_detail).toBe(
    'sent as bytes, because of Telegram sendPhoto: 400 Bad Request: wrong file identifier/HTTP URL specified',
  );
});

test('a picture that is no photo to Telegram comes as a document, and is fetched once for both uploads', async () => {
  await using given = await openOutbox();
  given.served.set('/a.png', { bytes: createPng(210, 10, [0, 0, 0]), type: 'image/png' });
  await given.succeed('/a.png');
  await given.settle();

  expect(given.user.messages()).toMatchObject([{ kind: 'document', text: '✅ Z-Image' }]);
  expect(given.telegram.callCount('sendPhoto')).toBe(2);
  expect(given.hits('/a.png')).toBe(2);
});

test('a picture above 10 MB is not even tried as a photo by upload', async () => {
  await using given = await openOutbox();
  const bytes = Buffer.concat([picture, Buffer.alloc(10 * 1_048_576)]);
  given.served.set('/a.png', { bytes, type: 'image/png' });
  await given.succeed('/a.png');
  await given.settle();

  const [message] = given.user.messages();
  expect(message?.kind).toBe('document');
  expect(message?.fileBytes?.length).toBe(bytes.length);
  expect(given.telegram.callCount('sendPhoto')).toBe(1);
});

test('a file of another kind comes as a document', async () => {
  await using given = await openOutbox();
  given.served.set('/a.zip', { bytes: Buffer.from('zip'), type: 'application/zip' });
  await given.succeed('/a.zip');
  await given.settle();
  expect(given.user.messages()).toMatchObject([{ kind: 'document' }]);
});

test('a file that is too large to be sent is offered as a link, with text and buttons', async () => {
  await using given = await openOutbox();
  given.served.set('/a.mp4', { bytes: Buffer.alloc(50 * 1_048_576 + 1), type: 'application/octet-stream' });
  await given.succeed('/a.mp4');
  await given.settle();

  const [message] = given.user.messages();
  expect(message).toMatchObject({ kind: 'text', text: expect.stringContaining('does not accept this file') });
  expect(message?.message.entities).toContainEqual(
    expect.objectContaining({ type: 'text_link', url: expect.stringMatching(/\/a\.mp4$/) }),
  );
  expect(message?.keyboard.flat().length).toBeGreaterThan(0);
  expect(await given.rows()).toMatchObject([{ kind: 'result', sent: true, file_id: null }]);
});

test('a file that Telegram takes in no way at all is offered as a link', async () => {
  await using given = await openOutbox();
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  given.telegram.failNext({ ...refused, method: 'sendPhoto', times: 2 });
  given.telegram.failNext({ ...refused, method: 'sendDocument' });
  await given.succeed('/a.png');
  await given.settle();
  expect(given.user.messages()).toMatchObject([{ kind: 'text' }]);
});

test('a file that its host does not give is tried again, then the user learns that it failed and can be sent later', async () => {
  await using given = await openOutbox();
  await given.succeed('/late.png');
  await given.settle();

  expect(given.user.messages()).toMatchObject([{ kind: 'text', text: expect.stringContaining('⚠️ Z-Image') }]);
  expect(given.linesOf('DELIVERY_FAILED')).toMatchObject([
    { operation: 'result', position: 1, reason_detail: expect.stringContaining('will be tried again') },
    { position: 1, attempt: 2, reason_detail: expect.stringContaining('will be tried again') },
    {
      position: 1,
      attempt: 3,
      error_type: 'DOWNLOAD_FAILED',
      reason_detail: expect.not.stringContaining('again'),
    },
  ]);
  expect(given.linesOf('RESULT_DELIVERED')).toMatchObject([{ operation: 'failure' }]);
  expect(await given.database.query('select state, reason_code from tasks')).toEqual([
    { state: 'succeeded', reason_code: 'DOWNSTREAM_ERROR' },
  ]);

  given.served.set('/late.png', { bytes: picture, type: 'image/png' });
  const tap = '00-11111111111111111111111111111111-2222222222222222-01';
  expect(await given.deliveries.redeliver('task-1', tap)).toBe('due');
  expect(await given.deliveries.redeliver('task-1', tap)).toBe('running');
  await given.settle();
  expect(given.user.lastMessage()).toMatchObject({ kind: 'photo', text: '✅ Z-Image' });
  expect(given.linesOf('RESULT_DELIVERED')[1]).toMatchObject({ operation: 'result', cid: '11111111' });
  expect(await given.database.query('select reason_code from tasks')).toEqual([{ reason_code: null }]);
  expect(await given.database.query(`select key from graphile_worker.jobs`)).toEqual([
    { key: 'task:task-1' },
  ]);
});

test('when a file that is sent once more fails again, the user is notified again', async () => {
  await using given = await openOutbox({ timings: { deliveryAttempts: 1 } });
  await given.succeed('/gone.png');
  await given.settle();
  await given.deliveries.redeliver('task-1', '00-11111111111111111111111111111111-2222222222222222-01');
  await given.settle();
  expect(given.linesOf('RESULT_DELIVERED')).toMatchObject([
    { operation: 'failure' },
    { operation: 'failure', cid: '11111111' },
  ]);
  expect(given.user.lastMessage()?.text).toContain('Reference: 11111111');
});

test('Telegram is not asked again before the time that it names, and that is no attempt', async () => {
  await using given = await openOutbox();
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  given.telegram.failNext({ ...tooMany, method: 'sendPhoto', retryAfter: 310 });
  await given.succeed('/a.png');
  await given.look();
  await given.look();

  expect(given.telegram.callCount('sendPhoto')).toBe(1);
  expect(given.linesOf('DELIVERY_FAILED')).toMatchObject([
    { reason_code: 'RATE_LIMIT', reason_detail: expect.stringContaining('will be tried again in 310 s') },
  ]);
  expect(await given.rows()).toMatchObject([{ attempts: 0, sent: false, reason_code: null }]);
  const dueMs = (await given.deliveries.next('task-1', 1_000))?.dueMs;
  expect(dueMs).toBeGreaterThan(200_000);
  expect(dueMs).toBeLessThanOrEqual(310_000);

  await given.database.query('update deliveries set due_at = now()');
  await given.settle();
  expect(given.user.messages()).toMatchObject([{ kind: 'photo' }]);
  expect(await given.rows()).toMatchObject([{ attempts: 1, sent: true }]);
});

test('what a dead process may have sent is sent again, and its event says so', async () => {
  await using given = await openOutbox({ timings: { deliveryClaimMs: 60_000 } });
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  await given.succeed('/a.png');
  await given.deliveries.claim('task-1', 60_000);
  await given.look();
  expect(given.user.messages()).toEqual([]);
  await given.database.query(`update deliveries set claimed_at = now() - interval '2 minutes'`);
  await given.settle();

  expect(given.user.messages()).toHaveLength(1);
  expect(given.linesOf('RESULT_DELIVERED')).toMatchObject([
    { attempt: 2, reason_detail: 'sent again after a crash, may be double' },
  ]);
});

test('what was cut off at each attempt is not sent once more, but given up, and the user is notified once', async () => {
  await using given = await openOutbox({ timings: { deliveryClaimMs: 50 } });
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  await given.succeed('/a.png');
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await given.deliveries.claim('task-1', 50)).toMatchObject({ rows: [{ attempts: attempt }] });
    await given.database.query(`update deliveries set claimed_at = now() - interval '1 minute'`);
  }
  await given.settle();

  expect(given.telegram.callCount('sendPhoto')).toBe(0);
  expect(given.user.messages()).toMatchObject([{ kind: 'text', text: expect.stringContaining('⚠️ Z-Image') }]);
  expect(given.linesOf('DELIVERY_FAILED')).toMatchObject([
    { operation: 'result', attempt: 4, reason_code: 'INTERNAL_ERROR', error_type: 'ATTEMPTS_SPENT' },
  ]);
  expect(given.linesOf('DELIVERY_FAILED')[0]?.reason_detail).not.toContain('tried again');
  expect(given.alarms).toEqual(['delivery: ATTEMPTS_SPENT']);
});

test('of an album only the file that was cut off at each attempt is given up', async () => {
  await using given = await openOutbox();
  for (const path of ['/a.png', '/b.png']) given.served.set(path, { bytes: picture, type: 'image/png' });
  await given.succeed('/a.png', '/b.png');
  await given.database.query('update deliveries set attempts = 3 where position = 2');
  await given.settle();

  expect(await given.rows()).toMatchObject([
    { kind: 'result', position: 1, sent: true },
    { kind: 'result', position: 2, sent: false, reason_code: 'INTERNAL_ERROR' },
    { kind: 'closing', sent: true },
    { kind: 'failure', sent: true },
  ]);
});

test('a delivery whose last attempt fails after its instance was succeeded is not reported as given up', async () => {
  await using given = await openOutbox();
  await given.succeed('/missing.png');
  await given.database.query('update deliveries set attempts = 2');
  // Telegram refuses while the lease goes to another.
  given.telegram.failNext({ ...refused, method: 'sendPhoto' });
  given.served.set('/missing.png', { status: 404 });
  given.onHit('/missing.png', () =>
    given.database.query(`update leases set epoch = epoch + 1 where name = 'test'`),
  );
  await given.look();

  expect(given.linesOf('DELIVERY_FAILED')).toMatchObject([
    { attempt: 3, reason_detail: expect.stringContaining('was sent or will be tried again elsewhere') },
  ]);
  expect(given.alarms).toEqual([]);
  expect(await given.rows()).toMatchObject([{ kind: 'result', sent: false, reason_code: null }]);
});

test('a delivery for which there is no place is not even claimed', async () => {
  await using given = await openOutbox({ stages: createStages({ deliveries: 0 }) });
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  await given.succeed('/a.png');
  // The place of a row (ctid) changes with everything that is written to it.
  const before = await given.database.query('select ctid, * from deliveries');
  await given.look();
  expect(await given.database.query('select ctid, * from deliveries')).toEqual(before);
  expect(await given.database.query('select 1 from graphile_worker.jobs')).toHaveLength(1);
});

test('what is being sent stays claimed, however long that takes', async () => {
  await using given = await openOutbox({ timings: { deliveryClaimMs: 600 } });
  const answered = Promise.withResolvers<void>();
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  given.onHit('/a.png', () => answered.promise);
  await given.succeed('/a.png');
  const look = given.look();
  const claimedAt = async () => {
    const [row] = await given.database.query<{ claimed_at: Date | null }>(
      'select claimed_at from deliveries',
    );
    return row?.claimed_at?.getTime() ?? 0;
  };
  await expect.poll(claimedAt).toBeGreaterThan(0);
  const first = await claimedAt();
  await expect.poll(claimedAt, { timeout: 20_000 }).toBeGreaterThan(first + 600);
  answered.resolve();
  await look;
  expect(await given.rows()).toMatchObject([{ attempts: 1, sent: true }]);
  expect(given.user.messages()).toHaveLength(1);
});

test('a file that the disk of this machine does not take is not blamed on its host, and administrators are called', async () => {
  await using given = await openOutbox({ temporaryFolder: process.execPath });
  given.served.set('/a.png', { bytes: picture, type: 'application/octet-stream' });
  await given.succeed('/a.png');
  await given.settle();

  expect(given.user.messages()).toMatchObject([{ kind: 'text', text: expect.stringContaining('⚠️ Z-Image') }]);
  const lost = given.linesOf('DELIVERY_FAILED');
  expect(lost).toHaveLength(3);
  for (const line of lost)
    expect(line).toMatchObject({ reason_code: 'INTERNAL_ERROR', error_type: 'SPOOL_FAILED' });
  expect(given.alarms).toContain('A file could not be written below TMPDIR: ENOTDIR');
});

test('the original comes as a document as often as it is asked for, and is uploaded once', async () => {
  await using given = await openOutbox();
  given.served.set('/a.png', { bytes: picture, type: 'image/png' });
  await given.succeed('/a.png');
  await given.settle();
  const trace = '00-33333333333333333333333333333333-2222222222222222-01';
  expect(await given.deliveries.requestOriginal('task-1', trace)).toBe('due');
  expect(await given.deliveries.requestOriginal('task-1', trace)).toBe('running');
  await given.settle();
  given.served.clear();
  expect(await given.deliveries.requestOriginal('task-1', trace)).toBe('due');
  await given.settle();

  const [photo, first, second] = given.user.messages();
  expect([photo?.kind, first?.kind, second?.kind]).toEqual(['photo', 'document', 'document']);
  expect(first?.fileBytes?.equals(picture)).toBe(true);
  expect(second?.fileId).toBe(first?.fileId);
  expect(first?.keyboard).toEqual([]);
  expect(given.linesOf('RESULT_DELIVERED').slice(1)).toMatchObject([
    { operation: 'original', position: 1, cid: '33333333', task_id: 'task-1' },
    { operation: 'original', position: 1 },
  ]);
});

test('nothing is owed of a task without a result', async () => {
  await using given = await openOutbox();
  expect(await given.deliveries.requestOriginal('task-1', 'trace')).toBe('nothing');
  expect(await given.deliveries.redeliver('task-1', 'trace')).toBe('nothing');
  expect(await given.rows()).toEqual([]);
});
