import { GrammyError } from 'grammy';
import { fetch } from 'undici';
import { describe, expect, it } from 'vitest';
import { openApi, openBot, openSandbox, refusalOf } from './support.ts';

interface Envelope {
  ok: boolean;
  result?: unknown;
  error_code?: number;
  description?: string;
}

async function get(
  url: string,
  init?: Parameters<typeof fetch>[1],
): Promise<{ status: number; body: Envelope }> {
  const response = await fetch(url, init);
  // SAFETY: every answer of the Bot API is such an envelope; the assertions look at its fields.
  return { status: response.status, body: (await response.json()) as Envelope };
}

describe('a call', () => {
  it('is answered to grammY, which learns who the bot is', async () => {
    const sandbox = await openSandbox({ token: '7000000042:SANDBOX', botUsername: 'painter_bot' });
    const bot = openBot(sandbox);
    await bot.init();
    expect(bot.botInfo).toMatchObject({ id: 7_000_000_042, is_bot: true, username: 'painter_bot' });
  });

  it('takes its arguments from the query, a form, JSON and multipart, whatever the case of its name', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    const url = `${sandbox.apiRoot}/bot${sandbox.token}/SENDmessage`;
    await get(`${url}?chat_id=${user.id}&text=query`);
    await get(url, { method: 'POST', body: new URLSearchParams({ chat_id: `${user.id}`, text: 'form' }) });
    const form = new FormData();
    form.set('chat_id', `${user.id}`);
    form.set('text', 'multipart');
    await get(url, { method: 'POST', body: await new Response(form).blob() });
    await get(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chat_id: user.id, text: 'json' }),
    });
    expect(user.messages().map(message => message.text)).toEqual(['query', 'form', 'multipart', 'json']);
    expect(sandbox.callCount('sendMessage')).toBe(4);
    expect(sandbox.callCount()).toBe(4);
  });

  it('with a wrong token is 401, and outside of the API 404', async () => {
    const sandbox = await openSandbox();
    expect(await get(`${sandbox.apiRoot}/bot1:wrong/getMe`)).toEqual({
      status: 401,
      body: { ok: false, error_code: 401, description: 'Unauthorized' },
    });
    expect(await get(`${sandbox.apiRoot}/elsewhere`)).toMatchObject({ status: 404 });
    expect(await get(`${sandbox.apiRoot}/file/bot${sandbox.token}/photos/none.jpg`)).toMatchObject({
      status: 404,
    });
    expect(await get(`${sandbox.apiRoot}/file/bot1:wrong/photos/none.jpg`)).toMatchObject({ status: 401 });
  });

  it('with a body that is not what it says is refused', async () => {
    const sandbox = await openSandbox();
    const url = `${sandbox.apiRoot}/bot${sandbox.token}/getMe`;
    const json = { 'content-type': 'application/json' };
    expect(await get(url, { method: 'POST', headers: json, body: '{"a":' })).toMatchObject({ status: 400 });
    const form = { 'content-type': 'multipart/form-data; boundary=x' };
    expect(await get(url, { method: 'POST', headers: form, body: 'no form' })).toMatchObject({ status: 400 });
    sandbox.assertHealthy();
  });

  it('of a method that is not built is 404 and makes the sandbox unhealthy', async () => {
    const sandbox = await openSandbox();
    const api = openApi(sandbox);
    sandbox.assertHealthy();
    const error = await api.sendDice(1, '🎲').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GrammyError);
    expect(error).toMatchObject({ error_code: 404, description: 'Not Found: method not found' });
    expect(sandbox.unimplementedMethods).toEqual(['sendDice']);
    expect(() => sandbox.assertHealthy()).toThrow('called: sendDice');
  });

  it('with a parse mode that is not built is refused and makes the sandbox unhealthy', async () => {
    const sandbox = await openSandbox();
    const user = sandbox.user({ started: true });
    const call = openApi(sandbox).sendMessage(user.id, '*x*', { parse_mode: 'MarkdownV2' });
    expect(await refusalOf(call)).toBe('Bad Request: unsupported parse_mode');
    expect(() => sandbox.assertHealthy()).toThrow('sendMessage with parse_mode markdownv2');
  });

  it('is recorded with its arguments, its result and the number of the attempt', async () => {
    const sandbox = await openSandbox({ now: () => 1_700_000_000_000 });
    const api = openApi(sandbox);
    const user = sandbox.user();
    const text = 'hello';
    await refusalOf(api.sendMessage(user.id, text));
    await refusalOf(api.sendMessage(user.id, 'other'));
    user.start();
    const message = await api.sendMessage(user.id, text);
    await api.sendMessage(user.id, text);
    const [first, second, third] = sandbox.calls('sendMessage', call => call.payload.text === text);
    expect(first).toMatchObject({
      method: 'sendMessage',
      payload: { chat_id: user.id, text },
      chatId: user.id,
      at: 1_700_000_000_000,
      attempt: 1,
      ok: false,
      error: { code: 403 },
    });
    expect(second).toMatchObject({ attempt: 2, ok: true, result: message });
    expect(third).toMatchObject({ attempt: 1, ok: true });
    expect(sandbox.calls('sendMessage', { ok: false })).toHaveLength(2);
    expect(sandbox.calls()).toHaveLength(4);
  });

  it('is only counted without history', async () => {
    const sandbox = await openSandbox({ keepHistory: false });
    const api = openApi(sandbox);
    const user = sandbox.user({ started: true });
    const { message_id } = await api.sendMessage(user.id, 'one');
    await api.editMessageText(user.id, message_id, 'two');
    expect(sandbox.callCount('editMessageText')).toBe(1);
    expect(() => sandbox.calls()).toThrow('no history');
    expect(user.lastMessage()?.text).toBe('two');
  });

  it('waits as long as the sandbox was set to', async () => {
    const sandbox = await openSandbox({ delayMs: 40 });
    const begin = performance.now();
    await openApi(sandbox).getMe();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(39);
  });
});

describe('the commands of the bot', () => {
  it('are kept per scope and language', async () => {
    const sandbox = await openSandbox();
    const api = openApi(sandbox);
    const english = [{ command: 'start', description: 'Begin' }];
    const russian = [{ command: 'start', description: 'Начать' }];
    const admin = [{ command: 'debug', description: 'Panel' }];
    const scope = { type: 'chat', chat_id: 5 } as const;
    await api.setMyCommands(english);
    await api.setMyCommands(russian, { language_code: 'ru' });
    await api.setMyCommands(admin, { scope });
    expect(await api.getMyCommands()).toEqual(english);
    expect(await api.getMyCommands({ language_code: 'ru' })).toEqual(russian);
    expect(await api.getMyCommands({ scope })).toEqual(admin);
    await api.deleteMyCommands({ language_code: 'ru' });
    expect(await api.getMyCommands({ language_code: 'ru' })).toEqual([]);
    expect(await api.getMyCommands()).toEqual(english);
  });

  it.each([
    ['', 'x', 'command must be non-empty'],
    ['a'.repeat(33), 'x', 'command length must not exceed 32'],
    ['Start', 'x', 'BOT_COMMAND_INVALID'],
    ['start', '', 'command description must be non-empty'],
    ['start', 'x'.repeat(257), 'command description length must not exceed 256'],
  ])('refuse %j with the description %j', async (command, description, refusal) => {
    const sandbox = await openSandbox();
    const call = openApi(sandbox).setMyCommands([{ command, description }]);
    expect(await refusalOf(call)).toBe(`Bad Request: ${refusal}`);
  });
});
