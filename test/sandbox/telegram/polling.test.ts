import { describe, expect, it } from 'vitest';
import { openApi, openBot, openReceiver, openSandbox, pollWith, refusalOf } from './support.ts';

const OTHER_POLL =
  'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';

async function openChat(options: Parameters<typeof openSandbox>[0] = {}) {
  const sandbox = await openSandbox(options);
  return { sandbox, user: sandbox.user({ started: true }), api: openApi(sandbox) };
}

describe('getUpdates', () => {
  it('returns the same updates until an offset confirms them', async () => {
    const { sandbox, user, api } = await openChat();
    const ids = ['a', 'b', 'c'].map(text => user.say(text).updateId);
    expect((await api.getUpdates()).map(update => update.update_id)).toEqual(ids);
    expect(await api.getUpdates({ limit: 2 })).toHaveLength(2);
    const rest = await api.getUpdates({ offset: (ids[1] ?? 0) + 1 });
    expect(rest.map(update => update.message?.text)).toEqual(['c']);
    await expect(sandbox.idle(20)).rejects.toThrow(`message ${ids[2]}`);
    expect(await api.getUpdates({ offset: (ids[2] ?? 0) + 1 })).toEqual([]);
    await sandbox.idle();
  });

  it('gives consecutive ids', async () => {
    const { user } = await openChat();
    const first = user.say('a').updateId;
    expect([user.say('b').updateId, user.block().updateId]).toEqual([first + 1, first + 2]);
  });

  it('with a negative offset forgets all but the newest', async () => {
    const { user, api } = await openChat();
    for (const text of ['a', 'b', 'c']) user.say(text);
    expect((await api.getUpdates({ offset: -1 })).map(update => update.message?.text)).toEqual(['c']);
    expect(await api.getUpdates()).toHaveLength(1);
  });

  it('waits for an update', async () => {
    const { sandbox, user, api } = await openChat();
    const poll = api.getUpdates({ timeout: 30 });
    await expect.poll(() => sandbox.isPolled).toBe(true);
    user.say('here');
    expect((await poll)[0]?.message?.text).toBe('here');
    expect(sandbox.isPolled).toBe(false);
  });

  it('answers without updates when its time is over', async () => {
    const { api } = await openChat();
    const begin = performance.now();
    expect(await api.getUpdates({ timeout: 1 })).toEqual([]);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
  });

  it('clamps the limit', async () => {
    const { user, api } = await openChat();
    for (let count = 0; count < 105; count += 1) user.say('x');
    expect(await api.getUpdates({ limit: 1000 })).toHaveLength(100);
    expect(await api.getUpdates({ limit: 0 })).toHaveLength(1);
    expect(await api.getUpdates()).toHaveLength(100);
  });

  it('ends a poll that waits when another one waits too', async () => {
    const { sandbox, api } = await openChat();
    const first = refusalOf(api.getUpdates({ timeout: 30 }));
    await expect.poll(() => sandbox.isPolled).toBe(true);
    const second = api.getUpdates({ timeout: 1 });
    expect(await first).toBe(OTHER_POLL);
    expect(await second).toEqual([]);
  });

  it('that can be answered at once displaces nobody', async () => {
    const { sandbox, user, api } = await openChat();
    const waiting = api.getUpdates({ timeout: 30 });
    await expect.poll(() => sandbox.isPolled).toBe(true);
    expect(await api.getUpdates({ limit: 1 })).toEqual([]);
    expect(sandbox.callCount('getUpdates')).toBe(1);
    user.say('still there');
    expect(await waiting).toHaveLength(1);
  });

  it('does not work beside a webhook, which ends a waiting poll', async () => {
    const { sandbox, api } = await openChat();
    const { url } = await openReceiver();
    const waiting = refusalOf(api.getUpdates({ timeout: 30 }));
    await expect.poll(() => sandbox.isPolled).toBe(true);
    await api.setWebhook(url);
    expect(await waiting).toBe('Conflict: terminated by setWebhook request');
    expect(await refusalOf(api.getUpdates())).toBe(
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
    await api.deleteWebhook();
    expect(await api.getUpdates()).toEqual([]);
    sandbox.assertHealthy();
  });

  it('brings only the kinds that were asked for, and remembers the choice', async () => {
    const { user, api } = await openChat();
    await api.getUpdates({ allowed_updates: ['my_chat_member'] });
    expect(user.say('unwanted').isQueued).toBe(false);
    await api.getUpdates({ timeout: 0 });
    user.say('still unwanted');
    user.block();
    user.unblock();
    const updates = await api.getUpdates();
    expect(updates.map(update => update.my_chat_member?.new_chat_member.status)).toEqual([
      'kicked',
      'member',
    ]);
    await api.getUpdates({ allowed_updates: [] });
    expect(user.say('wanted').isQueued).toBe(true);
  });

  it('does not bring queries that are older than 150 seconds and messages that are older than a day', async () => {
    let now = 1_700_000_000_000;
    const { user, api } = await openChat({ now: () => now });
    await api.sendMessage(user.id, 'menu');
    user.say('hello');
    user.rawCallback('data');
    now += 150_000;
    expect((await api.getUpdates()).map(update => update.message?.text)).toEqual(['hello']);
    now += 86_400_000;
    expect(await api.getUpdates()).toEqual([]);
  });
});

describe('a client that goes away', () => {
  it('ends its poll, so that nobody is in conflict with it', async () => {
    const { sandbox, user, api } = await openChat();
    const gone = new AbortController();
    // SAFETY: grammY's types know another class of the same name; the signal works for both.
    const signal = gone.signal as Parameters<typeof api.getUpdates>[1];
    const poll = api.getUpdates({ timeout: 30 }, signal).catch((error: unknown) => error);
    await expect.poll(() => sandbox.isPolled).toBe(true);
    gone.abort();
    expect(await poll).toBeInstanceOf(Error);
    await expect.poll(() => sandbox.isPolled).toBe(false);
    user.say('for the next one');
    expect(await api.getUpdates({ timeout: 1 })).toHaveLength(1);
  });
});

describe('a polling bot of grammY', () => {
  it('gets everything once and confirms it when it stops', async () => {
    const { sandbox, user } = await openChat();
    const bot = openBot(sandbox);
    const seen: string[] = [];
    bot.on('message:text', context => void seen.push(context.message.text));
    await pollWith(bot);
    user.say('one');
    user.say('two');
    await sandbox.idle();
    await bot.stop();
    expect(seen).toEqual(['one', 'two']);
    expect(bot.isRunning()).toBe(false);
  });

  it('gets an update twice when the test wants it', async () => {
    const { sandbox, user } = await openChat();
    const bot = openBot(sandbox);
    const seen: number[] = [];
    bot.on('message:text', context => void seen.push(context.update.update_id));
    await pollWith(bot);
    sandbox.duplicateNextUpdate();
    const { updateId } = user.say('twice');
    const next = user.say('once').updateId;
    await sandbox.idle();
    expect(seen.toSorted()).toEqual([updateId, updateId, next]);
  });

  it('gets the copy also when the first one was confirmed before', async () => {
    const { sandbox, user, api } = await openChat();
    sandbox.duplicateNextUpdate();
    const { updateId } = user.say('twice');
    const ids = async (offset: number) =>
      (await api.getUpdates({ offset, limit: 1 })).map(update => update.update_id);
    expect(await ids(0)).toEqual([updateId]);
    expect(await ids(updateId + 1)).toEqual([updateId]);
    expect(await ids(updateId + 1)).toEqual([]);
  });

  it('gets a repeated update also after its id was confirmed', async () => {
    const { sandbox, user, api } = await openChat();
    const { updateId } = user.say('first');
    await api.getUpdates();
    await api.getUpdates({ offset: updateId + 1 });
    sandbox.sendRaw({ update_id: updateId, message: { text: 'again' } });
    const [again] = await api.getUpdates({ offset: updateId + 1 });
    expect(again).toMatchObject({ update_id: updateId });
    expect(await api.getUpdates({ offset: updateId + 1 })).toEqual([]);
  });

  it('is thrown out by a second one', async () => {
    const { sandbox } = await openChat();
    const first = openBot(sandbox);
    const running = first.start();
    await expect.poll(() => sandbox.isPolled).toBe(true);
    const other = openApi(sandbox).getUpdates({ timeout: 1 });
    await expect(running).rejects.toThrow(OTHER_POLL);
    expect(await other).toEqual([]);
  });
});
