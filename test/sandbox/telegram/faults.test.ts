import { GrammyError, HttpError } from 'grammy';
import { describe, expect, it } from 'vitest';
import { grammyErrorOf, openApi, openSandbox } from './support.ts';

async function openChat(timeoutSeconds?: number) {
  const sandbox = await openSandbox();
  return { sandbox, user: sandbox.user({ started: true }), api: openApi(sandbox, timeoutSeconds) };
}

describe('a planned fault', () => {
  it('of kind error is answered without executing the method', async () => {
    const { sandbox, user, api } = await openChat();
    const description = 'Too Many Requests: retry after 7';
    sandbox.failNext({ kind: 'error', code: 429, description, retryAfter: 7 });
    const error = await grammyErrorOf(api.sendMessage(user.id, 'x'));
    expect(error).toMatchObject({ error_code: 429, description, parameters: { retry_after: 7 } });
    expect(user.messages()).toEqual([]);
    await api.sendMessage(user.id, 'x');
    expect(sandbox.calls('sendMessage').map(({ ok, attempt, fault }) => ({ ok, attempt, fault }))).toEqual([
      { ok: false, attempt: 1, fault: 'error' },
      { ok: true, attempt: 2, fault: undefined },
    ]);
  });

  it('of kind error with an HTML body is what a broken proxy sends', async () => {
    const { sandbox, user, api } = await openChat();
    sandbox.failNext({ kind: 'error', code: 502, description: 'Bad Gateway', body: 'html' });
    await expect(api.sendMessage(user.id, 'x')).rejects.toBeInstanceOf(HttpError);
    expect(sandbox.calls('sendMessage')[0]?.error).toEqual({ code: 502, description: 'Bad Gateway' });
  });

  it('of kind hang is never answered and not executed', async () => {
    const { sandbox, user, api } = await openChat(0.05);
    sandbox.failNext({ kind: 'hang' });
    await expect(api.sendMessage(user.id, 'x')).rejects.toBeInstanceOf(HttpError);
    expect(user.messages()).toEqual([]);
  });

  it('of kind reset breaks the connection without executing', async () => {
    const { sandbox, user, api } = await openChat();
    sandbox.failNext({ kind: 'reset' });
    await expect(api.sendMessage(user.id, 'x')).rejects.toMatchObject({ error: { code: 'ECONNRESET' } });
    expect(user.messages()).toEqual([]);
    expect(sandbox.calls('sendMessage', { fault: 'reset' })).toMatchObject([{ ok: false }]);
  });

  it('of kind lost-answer executes, so that a careless repetition sends twice', async () => {
    const { sandbox, user, api } = await openChat();
    sandbox.failNext({ kind: 'lost-answer' });
    await expect(api.sendMessage(user.id, 'x')).rejects.toBeInstanceOf(HttpError);
    await api.sendMessage(user.id, 'x');
    expect(user.messages()).toHaveLength(2);
    expect(sandbox.calls('sendMessage').map(({ ok, attempt }) => [ok, attempt])).toEqual([
      [true, 1],
      [true, 2],
    ]);
  });

  it('of kind delay executes later', async () => {
    const { sandbox, user, api } = await openChat();
    sandbox.failNext({ kind: 'delay', ms: 300 });
    const begin = performance.now();
    const slow = api.sendMessage(user.id, 'slow');
    await api.sendMessage(user.id, 'quick');
    await slow;
    expect(performance.now() - begin).toBeGreaterThanOrEqual(299);
    expect(user.messages().map(({ text }) => text)).toEqual(['quick', 'slow']);
  });

  it('waits for the method and the chat that it is for, as often as it was set to', async () => {
    const { sandbox, user, api } = await openChat();
    const other = sandbox.user({ started: true });
    const reply_markup = { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] };
    await api.sendMessage(user.id, 'menu', { reply_markup });
    const plan = { kind: 'error', code: 500, description: 'Internal Server Error' } as const;
    sandbox.failNext({ ...plan, method: 'sendMessage', chatId: user.id, times: 2 });
    sandbox.failNext({ ...plan, method: 'answerCallbackQuery', chatId: user.id });
    await api.sendMessage(other.id, 'x');
    await api.sendChatAction(user.id, 'typing');
    for (let time = 0; time < 2; time += 1) {
      await expect(api.sendMessage(user.id, 'x')).rejects.toBeInstanceOf(GrammyError);
    }
    await api.sendMessage(user.id, 'x');
    const { callbackId } = user.click('A', { messageId: 1 });
    await expect(api.answerCallbackQuery(callbackId)).rejects.toBeInstanceOf(GrammyError);
    expect(await api.answerCallbackQuery(callbackId)).toBe(true);
    sandbox.assertHealthy();
  });

  it('without a method does not strike the polling', async () => {
    const { sandbox, api } = await openChat();
    sandbox.failNext({ kind: 'error', code: 500, description: 'x' });
    expect(await api.getUpdates()).toEqual([]);
    await expect(api.getMe()).rejects.toBeInstanceOf(GrammyError);
  });

  it('that never struck makes the sandbox unhealthy', async () => {
    const { sandbox } = await openChat();
    sandbox.failNext({ kind: 'hang', method: 'sendPhoto' });
    expect(() => sandbox.assertHealthy()).toThrow(
      'planned, but never struck: {"kind":"hang","method":"sendPhoto"}',
    );
  });

  it('of kind hang does not keep the sandbox from stopping', async () => {
    const { sandbox, user, api } = await openChat();
    sandbox.failNext({ kind: 'hang' });
    const hanging = api.sendMessage(user.id, 'x');
    const failure = expect(hanging).rejects.toBeInstanceOf(HttpError);
    await expect.poll(() => sandbox.callCount('sendMessage')).toBe(1);
    await sandbox.stop();
    await failure;
  });
});
