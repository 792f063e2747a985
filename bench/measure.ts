// The measurements. A tap counts as done when the last of its calls has reached the stand-in of Telegram, not
// when its update is acknowledged.
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatchDelays } from './dispatch-delay.ts';
import { type Latency, latencyOf } from './latency.ts';
import { createLoad, type Load } from './load.ts';
import { cpuSeconds, treeCpuSeconds } from './processes.ts';
import type { Telegram } from './variants.ts';

export interface Target {
  readonly pid: number;
  readonly port: number;
  readonly telegram: Telegram;
  /** Absent for a bot without a database. */
  readonly postgresPid?: number;
  /** Its stdout; absent for a bot that writes no lines. */
  readonly output?: string;
}

export interface Throughput {
  readonly perSecond: number;
  /** CPU of the bot's process, µs per update. */
  readonly botMicroseconds: number;
  readonly postgresMicroseconds: number;
}

export interface Latencies {
  /** From the request to its 200. */
  readonly ack: Latency;
  /** From the moment an update is stored to the moment a worker has it. */
  readonly dispatch: Latency | undefined;
}

interface Rate {
  readonly chats: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** As long at the same rate before it is measured: V8 goes on optimizing for some ten seconds. */
  readonly warmupSeconds: number;
}

const settleDeadlineMs = 20_000;

/** Closed loop: `connections` taps under way all the time, over `chats` chats. */
export async function closedLoop(
  target: Target,
  options: {
    readonly chats: number;
    readonly connections: number;
    readonly warmupMs: number;
    readonly measureMs: number;
  },
): Promise<Throughput> {
  const load = createLoad(target.port, options.chats, options.connections);
  await load.start();
  let chat = 0;
  let posted = 0;
  const startEdits = await target.telegram.ended();
  const run = async (milliseconds: number): Promise<void> => {
    const endsAt = performance.now() + milliseconds;
    const worker = async (): Promise<void> => {
      while (performance.now() < endsAt) {
        chat = (chat + 1) % options.chats;
        posted += 1;
        await load.tap(chat);
        // Closed by what is done, not by what is acknowledged: a durable queue must not run ahead of its work.
        while (posted - (await ended()) > options.connections * 2) await sleep(1);
      }
    };
    await Promise.all(Array.from({ length: options.connections }, worker));
    await settled(target.telegram, startEdits + posted);
  };
  const ended = throttled(async () => (await target.telegram.ended()) - startEdits);
  await run(options.warmupMs);
  const before = usage(target);
  const startedAt = performance.now();
  const countedFrom = posted;
  await run(options.measureMs);
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = usage(target);
  await load.close();
  const updates = posted - countedFrom;
  return {
    perSecond: updates / seconds,
    botMicroseconds: ((after.bot - before.bot) / updates) * 1e6,
    postgresMicroseconds: ((after.postgres - before.postgres) / updates) * 1e6,
  };
}

/** Open loop: taps at a fixed rate, whatever the bot does. */
export async function openLoop(target: Target, rate: Rate): Promise<Latencies> {
  const load = createLoad(target.port, rate.chats, 64);
  await load.start();
  const startEdits = await target.telegram.ended();
  const warmup = await atRate(load, rate, rate.warmupSeconds);
  await settled(target.telegram, startEdits + warmup.length);
  const since = Date.now();
  const acks = await atRate(load, rate, rate.seconds);
  await settled(target.telegram, startEdits + warmup.length + acks.length);
  await load.close();
  return {
    ack: latencyOf(acks),
    dispatch: target.output ? latencyOf(await dispatchDelays(target.output, since)) : undefined,
  };
}

/** How many taps per second are worked when more are offered, each Bot API call taking its time. */
export async function capacity(target: Target, rate: Rate): Promise<number> {
  const load = createLoad(target.port, rate.chats, 256);
  await load.start();
  await sleep(1_000);
  const startEdits = await target.telegram.ended();
  const warmup = await atRate(load, rate, rate.warmupSeconds);
  await settled(target.telegram, startEdits + warmup.length);
  const startedAt = performance.now();
  const posting = atRate(load, rate, rate.seconds);
  await sleep(rate.seconds * 1_000);
  const worked = (await target.telegram.ended()) - startEdits - warmup.length;
  const seconds = (performance.now() - startedAt) / 1_000;
  await settled(target.telegram, startEdits + warmup.length + (await posting).length);
  await load.close();
  return worked / seconds;
}

/** A backlog in each chat, posted at once: milliseconds from the first post until all of it is worked. */
export async function drain(
  target: Target,
  options: { readonly chats: number; readonly perChat: number; readonly warmupRounds: number },
): Promise<number> {
  const load = createLoad(target.port, options.chats, 64);
  await load.start();
  let edits = await target.telegram.ended();
  const round = async (): Promise<number> => {
    const startedAt = performance.now();
    const taps = Array.from({ length: options.chats * options.perChat }, (_none, index) =>
      load.tap(index % options.chats),
    );
    edits += taps.length;
    await Promise.all(taps);
    await settled(target.telegram, edits);
    return performance.now() - startedAt;
  };
  for (let warmup = 0; warmup < options.warmupRounds; warmup += 1) await round();
  const milliseconds = await round();
  await load.close();
  return milliseconds;
}

async function atRate(
  load: Load,
  { chats, perSecond }: Pick<Rate, 'chats' | 'perSecond'>,
  seconds: number,
): Promise<number[]> {
  const total = perSecond * seconds;
  const startedAt = performance.now();
  const taps: Promise<number>[] = [];
  while (taps.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond));
    while (taps.length < due) taps.push(load.tap(taps.length % chats));
    await sleep(2);
  }
  return Promise.all(taps);
}

async function settled(telegram: Telegram, edits: number): Promise<void> {
  const endsAt = Date.now() + settleDeadlineMs;
  while ((await telegram.ended()) < edits) {
    if (Date.now() > endsAt) throw new Error(`Only ${await telegram.ended()} of ${edits} taps were worked`);
    await sleep(5);
  }
}

/** Asks at most every 5 ms, so that asking costs nothing. */
function throttled(ask: () => Promise<number>): () => Promise<number> {
  let last = ask();
  let askedAt = performance.now();
  return () => {
    if (performance.now() - askedAt > 5) {
      askedAt = performance.now();
      last = ask();
    }
    return last;
  };
}

function usage(target: Target): { bot: number; postgres: number } {
  return {
    bot: cpuSeconds(target.pid),
    postgres: target.postgresPid === undefined ? 0 : treeCpuSeconds(target.postgresPid),
  };
}
