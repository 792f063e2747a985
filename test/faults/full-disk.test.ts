// A disk that does not take the files on their way: it is reported as a fault of ours, never as one of Telegram's or of the
// supplier's, everything else goes on, and money is where it belongs.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startProgram, startSurroundings } from '../support/process.ts';
import { walkToConfirm } from '../support/walk.ts';

const waitMs = 60_000;

test('a result that does not fit on the disk names TMPDIR, and taps are answered all the while', async () => {
  await using surroundings = await startSurroundings();
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-test-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  const noFolder = path.join(folder, 'file');
  await writeFile(noFolder, '');
  await using program = await startProgram({ ...surroundings.environment, TMPDIR: noFolder });
  const user = surroundings.user();
  await walkToConfirm(user, waitMs);
  await user.waitForMessage(({ kind }) => kind === 'photo', {
    after: user.click('🚀 Run'),
    deadlineMs: waitMs,
  });
  // A picture is sent by its address; for the original its bytes pass through the bot.
  user.click('📎 Original file');
  const failed = await program.waitForLine(({ name }) => name === 'DELIVERY_FAILED');
  expect(failed).toMatchObject({
    reason_code: 'INTERNAL_ERROR',
    error_type: 'SPOOL_FAILED',
    reason_detail: 'A file could not be written below TMPDIR: ENOTDIR; will be tried again',
  });
  await user.waitForMessage(/Balance:/, { after: user.say('/balance'), deadlineMs: waitMs });
});
