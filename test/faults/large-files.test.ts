// Many orders with large files at once, found by an instance that takes over: the process stays small.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { createTelegramApi } from '../../src/telegram/api.ts';
import { startLoopbackServer } from '../kie/loopback-server.ts';
import { waitFor } from '../support/bot.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { startProgram, startSurroundings } from '../support/process.ts';
import { storeOrders } from '../support/stored-tasks.ts';
import { recordTelemetry } from '../support/telemetry.ts';

const orders = 24;
const fileBytes = 19 * 1_048_576;
const mostMegabytes = 400;

/** The most that the process has ever had in memory; the kernel keeps it. */
async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

test.runIf(process.platform === 'linux')(
  'two dozen orders with a file of 19 MB each stay below 400 MB',
  async () => {
    await using surroundings = await startSurroundings();
    let uploads = 0;
    const files = await startLoopbackServer((request, response) => {
      request.resume().on('end', () => {
        uploads += 1;
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ code: 200, data: { downloadUrl: 'https://files.example/input.mp4' } }));
      });
    });
    const { telegram, database, environment } = surroundings;
    const user = surroundings.user();
    user.sendVideo(undefined, { declaredBytes: fileBytes });
    const api = createTelegramApi({
      token: new Secret(telegram.token),
      apiRoot: telegram.apiRoot,
      telemetry: recordTelemetry().telemetry,
    });
    const [update] = await api.polling.getUpdates();
    await api.stop();
    for (let chat = 1; chat <= orders; chat++)
      await storeOrders(database, 1, {
        chatId: chat,
        modelId: 'topaz/video-upscale',
        modelKey: 'm119',
        values: { video_url: [{ from: 'telegram', fileId: update?.message?.video?.file_id }] },
      });

    await using program = await startProgram({ ...environment, KIE_UPLOAD_URL: files.url });
    await waitFor(
      'all uploads',
      () => uploads >= orders || undefined,
      () => `${uploads} of ${orders} were made`,
      patienceMs,
    );

    expect(await peakMegabytes(program.pid)).toBeLessThan(mostMegabytes);
    await program.stop();
    await files.stop();
  },
  testLimitMs,
);
