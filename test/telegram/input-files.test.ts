// The files that users send are read by the bot, within its limits, and without a word of where they were.
import { expect, test } from 'vitest';
import { createPng } from '../../sandbox/png.ts';
import { type SandboxUser, startTelegramSandbox } from '../../sandbox/telegram/index.ts';
import { createSpool } from '../../src/kie/spool.ts';
import { Secret } from '../../src/secret.ts';
import { createTelegramApi } from '../../src/telegram/api.ts';
import { createInputFiles } from '../../src/telegram/input-files.ts';
import { spanExporter } from '../support/record-spans.ts';
import { recordTelemetry } from '../support/telemetry.ts';

async function openInputFiles(timeoutMs = 5_000) {
  const telegram = await startTelegramSandbox();
  const { telemetry, output } = recordTelemetry({ level: 'DEBUG' });
  const { apiRoot } = telegram;
  const token = new Secret(telegram.token);
  const api = createTelegramApi({ token, apiRoot, telemetry });
  const spool = createSpool();
  const files = createInputFiles({ telegram: api, token, apiRoot, telemetry, timeoutMs, spool });
  return {
    telegram,
    telemetry,
    user: telegram.user({ started: true }),
    /** Reads the file that the user has sent last. */
    async open(send: (user: SandboxUser) => unknown) {
      send(this.user);
      const updates = await api.polling.getUpdates();
      const { photo, video, document } = updates.at(-1)?.message ?? {};
      return files.open((photo?.at(-1) ?? video ?? document)?.file_id ?? '');
    },
    output,
    async [Symbol.asyncDispose]() {
      await Promise.all([files.close(), api.stop(), spool.stop()]);
      await telegram.stop();
      telegram.assertHealthy();
    },
  };
}

test('a file is read byte for byte, with the type of its ending', async () => {
  await using given = await openInputFiles();
  const picture = createPng(20, 10, [1, 2, 3]);
  const photo = await given.open(user => user.sendPhoto(picture));
  expect([picture.equals(await photo.content.bytes()), photo.mimeType]).toEqual([true, 'image/jpeg']);
  const song = await given.open(user => user.sendDocument(Buffer.from('song'), { fileName: 'a.MP3' }));
  expect([await song.content.text(), song.mimeType]).toEqual(['song', 'audio/mpeg']);
  const unknown = await given.open(user => user.sendDocument(Buffer.from('x')));
  expect(unknown.mimeType).toBe('application/octet-stream');
});

test.each([20 * 1_048_576 + 1, 2_000_000_000])('a file of %i bytes is too big', async declaredBytes => {
  await using given = await openInputFiles();
  await expect(given.open(user => user.sendVideo(undefined, { declaredBytes }))).rejects.toMatchObject({
    code: 'INPUT_FILE_TOO_BIG',
    retryable: false,
  });
});

test('the largest file that bots may have is read', async () => {
  await using given = await openInputFiles();
  const { content } = await given.open(user => user.sendVideo(undefined, { declaredBytes: 20 * 1_048_576 }));
  expect(content.size).toBe(20 * 1_048_576);
});

const gone = { code: 'INPUT_FILE_GONE', retryable: false };
const unreachable = { code: 'INPUT_FILE_UNREACHABLE', retryable: true };

test.each([
  {
    what: 'that Telegram does not know',
    fault: {
      method: 'getFile',
      kind: 'error',
      code: 400,
      description: 'Bad Request: wrong file_id or the file is temporarily unavailable',
    },
    error: gone,
  },
  {
    what: 'whose path is gone',
    fault: { method: 'file', kind: 'error', code: 404, description: 'Not Found' },
    error: gone,
  },
  {
    what: 'that fails with 502',
    fault: { method: 'file', kind: 'error', code: 502, description: 'Bad Gateway' },
    error: unreachable,
  },
  { what: 'whose connection breaks', fault: { method: 'file', kind: 'reset' }, error: unreachable },
  { what: 'that hangs', fault: { method: 'file', kind: 'hang' }, error: unreachable },
] as const)('a file $what is refused without a word of its address', async ({ fault, error }) => {
  await using given = await openInputFiles(300);
  given.telegram.failNext(fault);
  const opened = given.telemetry.inSpan('dispatch update', { root: true }, () =>
    given.open(user => user.sendDocument(Buffer.from('notes'))),
  );
  const rejection = await opened.catch((cause: unknown) => cause);
  expect(rejection).toMatchObject(error);
  const spans = spanExporter
    .getFinishedSpans()
    .map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  const output = JSON.stringify([String(rejection), rejection, spans, given.output]);
  expect(output).toContain('telegram getFile');
  expect(output).not.toContain(given.telegram.token);
});
