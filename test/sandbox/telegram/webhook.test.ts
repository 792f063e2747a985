import { describe, expect, it } from 'vitest';
import { openApi, openBot, openReceiver, openSandbox, refusalOf, serveWebhook } from './support.ts';

async function openChat(options: Parameters<typeof openSandbox>[0] = {}) {
  const sandbox = await openSandbox(options);
  return { sandbox, user: sandbox.user({ started: true }), api: openApi(sandbox) };
}

describe('a webhook', () => {
  it('serves a bot of grammY', async () => {
    const { sandbox, user } = await openChat();
    const bot = openBot(sandbox);
    bot.on('message:text', context => context.reply(context.message.text.toUpperCase()));
    await serveWebhook(sandbox, bot);
    user.say('hello');
    expect((await user.waitForMessage(/./)).text).toBe('HELLO');
    await sandbox.idle();
    sandbox.assertHealthy();
  });

  it('gets the secret in the header', async () => {
    const { sandbox, user, api } = await openChat();
    const { url, deliveries } = await openReceiver();
    await api.setWebhook(url, { secret_token: 'S3cret_-' });
    user.say('x');
    await sandbox.idle();
    expect(deliveries[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': 'S3cret_-',
    });
  });

  it('gets what was waiting when it was set, unless that is dropped', async () => {
    const { sandbox, user, api } = await openChat();
    const { url, deliveries } = await openReceiver();
    user.say('old');
    expect(sandbox.webhookInfo.pending_update_count).toBe(1);
    await api.deleteWebhook({ drop_pending_updates: true });
    user.say('kept');
    await api.setWebhook(url);
    await sandbox.idle();
    expect(deliveries.map(({ update }) => update.message?.text)).toEqual(['kept']);
  });

  it.each([400, 404, 302, 500])(
    'that answers %i gets the update again, and the error is reported',
    async status => {
      const { sandbox, user, api } = await openChat();
      const { url, deliveries } = await openReceiver((_delivery, response, count) => {
        response.writeHead(count <= 2 ? status : 200, { location: 'http://127.0.0.1:1/' }).end();
      });
      await api.setWebhook(url);
      const { updateId } = user.say('x');
      await sandbox.idle();
      expect(deliveries.map(({ update }) => update.update_id)).toEqual([updateId, updateId, updateId]);
      const info = await api.getWebhookInfo();
      expect(info.last_error_message).toMatch(`Wrong response from the webhook: ${status} `);
      expect(info).toMatchObject({ url, pending_update_count: 0, max_connections: 40 });
    },
  );

  it('gets repetitions at once, then after a wait that doubles up to the cap', async () => {
    const { sandbox, user, api } = await openChat({ retryDelaysMs: { base: 200, cap: 300 } });
    const { url, deliveries } = await openReceiver((_delivery, response, count) => {
      response.writeHead(count <= 4 ? 500 : 200).end();
    });
    await api.setWebhook(url);
    user.say('x');
    await sandbox.idle();
    const [first = 0, second = 0, third = 0, fourth = 0] = deliveries
      .slice(1)
      .map(({ at }, index) => at - (deliveries[index]?.at ?? 0));
    // The least waits are sure; how much longer they take depends on the machine.
    expect(first).toBeLessThan(second / 2);
    expect(second).toBeGreaterThanOrEqual(199);
    expect(third).toBeGreaterThanOrEqual(299);
    expect(fourth).toBeGreaterThanOrEqual(299);
  });

  it('that closes the connection or does not answer in time gets the update again', async () => {
    const { sandbox, user, api } = await openChat({ webhookTimeoutMs: 50 });
    const { url, deliveries } = await openReceiver((_delivery, response, count) => {
      if (count === 1) response.destroy();
      else if (count !== 2) response.end();
    });
    await api.setWebhook(url);
    user.say('x');
    await expect.poll(() => sandbox.webhookInfo.last_error_message).toBe('Webhook connection closed');
    await sandbox.idle();
    expect(deliveries).toHaveLength(3);
    expect(sandbox.webhookInfo.last_error_message).toBe('Read timeout expired');
  });

  it('that nobody serves reports that, and keeps its updates', async () => {
    const { sandbox, user, api } = await openChat();
    await api.setWebhook('http://127.0.0.1:1/');
    user.say('x');
    await expect.poll(() => sandbox.webhookInfo.last_error_message).toBe('Connection refused');
    expect(sandbox.webhookInfo.pending_update_count).toBe(1);
    await expect(sandbox.idle(20)).rejects.toThrow('Connection refused');
  });

  it('is waited for as long as its Retry-After says', async () => {
    const { sandbox, user, api } = await openChat();
    const { url, deliveries } = await openReceiver((_delivery, response, count) => {
      response.writeHead(count === 1 ? 429 : 200, { 'retry-after': '1' }).end();
    });
    await api.setWebhook(url);
    user.say('x');
    await sandbox.idle();
    expect((deliveries[1]?.at ?? 0) - (deliveries[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('is not sent an update that has expired meanwhile', async () => {
    let now = 1_700_000_000_000;
    const { sandbox, user, api } = await openChat({ now: () => now });
    const { url, deliveries } = await openReceiver((_delivery, response, count) => {
      if (count === 2) now += 150_000;
      response.writeHead(500).end();
    });
    await api.sendMessage(user.id, 'menu');
    await api.setWebhook(url);
    user.rawCallback('x');
    await sandbox.idle();
    expect(deliveries).toHaveLength(2);
  });

  it('that is gone for 23 hours is removed', async () => {
    let now = 1_700_000_000_000;
    const { sandbox, user, api } = await openChat({ now: () => now });
    const { url } = await openReceiver((_delivery, response) => {
      now += 12 * 3_600_000;
      response.writeHead(410).end();
    });
    await api.setWebhook(url);
    for (const text of ['a', 'b']) user.say(text);
    sandbox.user().say('c');
    await expect.poll(() => sandbox.webhookInfo.url).toBe('');
  });

  it('can answer with a call, which is executed, but not with one that only asks', async () => {
    const { sandbox, user, api } = await openChat();
    const { url } = await openReceiver((_delivery, response, count) => {
      const sent = { method: 'sendMessage', chat_id: user.id, text: 'by reply' };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(count === 1 ? sent : { method: count === 2 ? 'getMe' : 'deleteWebhook' }));
    });
    await api.setWebhook(url);
    for (const text of ['a', 'b', 'c']) user.say(text);
    await user.waitForMessage(/by reply/);
    await sandbox.idle();
    expect(sandbox.callCount('getMe')).toBe(0);
    expect(sandbox.webhookInfo.url).toBe(url);
  });

  it('gets a duplicate when the test wants it', async () => {
    const { sandbox, user, api } = await openChat();
    const { url, deliveries } = await openReceiver();
    await api.setWebhook(url);
    sandbox.duplicateNextUpdate();
    const ids = [user.say('twice').updateId, user.say('once').updateId];
    await sandbox.idle();
    expect(deliveries.map(({ update }) => update.update_id)).toEqual([ids[0], ids[0], ids[1]]);
  });
});

describe('deliveries', () => {
  it('are one at a time per chat and per presser of buttons, and in parallel otherwise', async () => {
    const { sandbox, user, api } = await openChat();
    const other = sandbox.user({ started: true });
    await api.sendMessage(user.id, 'menu');
    const open: (() => void)[] = [];
    const { url, deliveries } = await openReceiver(
      (_delivery, response) => void open.push(() => response.end()),
    );
    await api.setWebhook(url);
    user.say('first');
    user.say('second');
    user.rawCallback('pressed');
    other.say('other');
    await expect.poll(() => deliveries.length).toBe(3);
    await api.getMe();
    const seen = deliveries.map(({ update }) => update.message?.text ?? update.callback_query?.data);
    expect(seen.toSorted()).toEqual(['first', 'other', 'pressed']);
    for (const release of open.splice(0)) release();
    await expect.poll(() => deliveries.length).toBe(4);
    expect(deliveries[3]?.update.message?.text).toBe('second');
    for (const release of open) release();
    await sandbox.idle();
  });

  it('overtake each other across chats while one chat is being repeated', async () => {
    const { sandbox, user, api } = await openChat();
    const other = sandbox.user({ started: true });
    let isBroken = true;
    const { url, deliveries } = await openReceiver(({ update }, response) => {
      response.writeHead(isBroken && update.message?.text === 'stuck' ? 500 : 200).end();
      if (update.message?.text === 'last') isBroken = false;
    });
    await api.setWebhook(url);
    user.say('stuck');
    user.say('behind');
    other.say('last');
    await sandbox.idle();
    const seen = deliveries.map(({ update }) => update.message?.text);
    expect(seen.indexOf('last')).toBeLessThan(seen.lastIndexOf('stuck'));
    expect(seen.at(-1)).toBe('behind');
  });

  it('are as many at a time as max_connections allows', async () => {
    const { sandbox, api } = await openChat();
    const open: (() => void)[] = [];
    const { url, deliveries } = await openReceiver(
      (_delivery, response) => void open.push(() => response.end()),
    );
    await api.setWebhook(url, { max_connections: 2 });
    for (let count = 0; count < 3; count += 1) sandbox.user().say('x');
    await expect.poll(() => deliveries.length).toBe(2);
    await api.getMe();
    expect(deliveries).toHaveLength(2);
    open.shift()?.();
    await expect.poll(() => deliveries.length).toBe(3);
    for (const release of open) release();
    await sandbox.idle();
  });

  it('of a changed webhook begin anew, with what was under way', async () => {
    let now = 1_700_000_000_000;
    const { sandbox, user, api } = await openChat({ now: () => now });
    const old = await openReceiver(() => undefined);
    const next = await openReceiver();
    await api.setWebhook(old.url);
    const { updateId } = user.say('x');
    await expect.poll(() => old.deliveries.length).toBe(1);
    now += 1000;
    await api.setWebhook(next.url);
    await sandbox.idle();
    expect(next.deliveries.map(({ update }) => update.update_id)).toEqual([updateId]);
  });

  it('carry a thousand updates of a thousand users', async () => {
    const { sandbox, api } = await openChat({ keepHistory: false });
    const { url, deliveries } = await openReceiver();
    await api.setWebhook(url);
    const users = Array.from({ length: 1000 }, () => sandbox.user());
    const ids = users.map(user => user.say('x').updateId);
    await sandbox.idle();
    expect(deliveries.map(({ update }) => update.update_id).toSorted((a, b) => a - b)).toEqual(ids);
  });
});

describe('setWebhook', () => {
  it('checks the secret', async () => {
    let now = 1_700_000_000_000;
    const { api } = await openChat({ now: () => (now += 1000) });
    const url = 'http://127.0.0.1:1/';
    expect(await refusalOf(api.setWebhook(url, { secret_token: 'x'.repeat(257) }))).toBe(
      'Bad Request: secret token is too long',
    );
    expect(await refusalOf(api.setWebhook(url, { secret_token: 'a b' }))).toBe(
      'Bad Request: secret token contains unallowed characters',
    );
  });

  it('is taken once a second', async () => {
    let now = 1_700_000_000_000;
    const { api } = await openChat({ now: () => now });
    await api.setWebhook('http://127.0.0.1:1/');
    await expect(api.setWebhook('http://127.0.0.1:1/')).rejects.toMatchObject({
      error_code: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    now += 1000;
    expect(await api.setWebhook('http://127.0.0.1:1/')).toBe(true);
  });

  it('takes this machine only, and with the strict rule only HTTPS on the four ports', async () => {
    let now = 1_700_000_000_000;
    const clock = () => (now += 1000);
    const loose = await openChat({ now: clock });
    expect(await refusalOf(loose.api.setWebhook('https://example.com/'))).toContain('bad webhook');
    expect(await loose.api.setWebhook('http://localhost:1/')).toBe(true);
    const strict = await openChat({ now: clock, strictWebhook: true });
    expect(await refusalOf(strict.api.setWebhook('http://example.com/'))).toBe(
      'Bad Request: bad webhook: An HTTPS URL must be provided for webhook',
    );
    expect(await refusalOf(strict.api.setWebhook('https://example.com:8080/'))).toBe(
      'Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443',
    );
    expect(await strict.api.setWebhook('https://example.com:8443/hook')).toBe(true);
    strict.user.say('stays on this machine');
    await expect.poll(() => strict.sandbox.webhookInfo.last_error_message).toBe('Connection timed out');
  });

  it('keeps the kinds of updates until they are set again', async () => {
    let now = 1_700_000_000_000;
    const { user, api } = await openChat({ now: () => (now += 1000) });
    const url = 'http://127.0.0.1:1/';
    await api.setWebhook(url, { allowed_updates: ['callback_query', 'message'] });
    await api.setWebhook(url);
    expect((await api.getWebhookInfo()).allowed_updates).toEqual(['callback_query', 'message']);
    expect(user.block().isQueued).toBe(false);
    await api.setWebhook(url, { allowed_updates: [] });
    expect(await api.getWebhookInfo()).not.toHaveProperty('allowed_updates');
    user.unblock();
    expect(user.say('x').isQueued).toBe(true);
  });
});

describe('sendRaw', () => {
  it('delivers any object under the next id or its own', async () => {
    const { sandbox, user, api } = await openChat();
    const { url, deliveries } = await openReceiver();
    await api.setWebhook(url, { allowed_updates: ['message'] });
    const first = sandbox.sendRaw({ holo_message: { text: 'from the future' } });
    sandbox.sendRaw({ update_id: first.updateId + 10, holo_message: {} });
    const after = user.say('x');
    expect(after.updateId).toBe(first.updateId + 11);
    await sandbox.idle();
    const ids = deliveries.map(({ update }) => update.update_id);
    expect(ids.toSorted((a, b) => a - b)).toEqual([first.updateId, first.updateId + 10, after.updateId]);
    const raw = deliveries.find(({ update }) => update.update_id === first.updateId);
    expect(raw?.update).toEqual({ update_id: first.updateId, holo_message: { text: 'from the future' } });
  });

  it('makes its queries answerable', async () => {
    const { sandbox, user, api } = await openChat();
    const from = { id: user.id, is_bot: false, first_name: 'Ada' };
    sandbox.sendRaw({ callback_query: { id: 'raw', from, data: 'x', chat_instance: '1' } });
    sandbox.sendRaw({
      pre_checkout_query: {
        id: 'checkout',
        from,
        currency: 'XTR',
        total_amount: 5,
        invoice_payload: 'order',
      },
    });
    await api.answerCallbackQuery('raw', { text: 'Answered' });
    expect(sandbox.transcript(user.id)).toContainEqual({ from: 'bot', kind: 'toast', text: 'Answered' });
    const wordless = api.raw.answerPreCheckoutQuery({ pre_checkout_query_id: 'checkout', ok: false });
    expect(await refusalOf(wordless)).toBe('Bad Request: parameter "error_message" is required');
    expect(await api.answerPreCheckoutQuery('checkout', true)).toBe(true);
    expect(await refusalOf(api.answerPreCheckoutQuery('checkout', true))).toContain('query is too old');
  });
});
