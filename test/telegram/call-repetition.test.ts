// What is begun at the end of the time that an update has: a send that could not hear its answer is not made, because it
// would count as one that was perhaps made, and be made once more.
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { createTelegramApi } from '../../src/telegram/api.ts';
import { withDeadline } from '../../src/telegram/call-deadline.ts';
import { refusedBy } from '../../src/telegram/refusal.ts';
import { startLoopbackServer } from '../kie/loopback-server.ts';
import { recordTelemetry } from '../support/telemetry.ts';

test('with no time left nothing is sent, and it counts as not sent; what may be done twice is tried', async () => {
  const asked: string[] = [];
  const server = await startLoopbackServer((request, response) => {
    asked.push(String(request.url).replace(/.*\//, ''));
    response.end(`{"ok":true,"result":${asked.at(-1) === 'sendMessage' ? '{"message_id":5}' : 'true'}}`);
  });
  const { api, stop } = createTelegramApi({
    token: new Secret('1:token'),
    apiRoot: server.url,
    telemetry: recordTelemetry().telemetry,
  });
  onTestFinished(async () => {
    await stop();
    await server.stop();
  });
  const refusal = await withDeadline(100, () => refusedBy(api.sendMessage(7, 'Balance')));
  expect(refusal).toMatchObject({
    reason: 'DOWNSTREAM_TIMEOUT',
    detail: 'there was no time or no connection left to ask Telegram',
    retry: true,
    unheard: false,
  });
  expect(asked).toEqual([]);
  await api.sendMessage(7, 'Balance');
  await refusedBy(withDeadline(100, () => api.answerCallbackQuery('tap')));
  await api.answerCallbackQuery('tap');
  expect(asked[0]).toBe('sendMessage');
  expect(asked.slice(1).every(method => method === 'answerCallbackQuery')).toBe(true);
});
