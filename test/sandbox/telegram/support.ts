// Owns what the tests of the sandbox share: a sandbox that ends with its test, grammY's own client on it, and a webhook
// receiver that answers what the test asks for.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Api, Bot, type BotConfig, type Context, GrammyError, webhookCallback } from 'grammy';
import type { Update } from 'grammy/types';
import { onTestFinished } from 'vitest';
import {
  startTelegramSandbox,
  type TelegramSandbox,
  type TelegramSandboxOptions,
} from '../../../sandbox/telegram/index.ts';

/** Quick repetitions, so that no test waits for seconds. */
const QUICK_RETRIES = { base: 20, cap: 40 };

/** Starts a sandbox that is stopped when the running test ends. */
export async function openSandbox(options: TelegramSandboxOptions = {}): Promise<TelegramSandbox> {
  const sandbox = await startTelegramSandbox({ retryDelaysMs: QUICK_RETRIES, ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

/** grammY's client, without a bot around it. */
export function openApi(sandbox: TelegramSandbox, timeoutSeconds?: number): Api {
  const timeout = timeoutSeconds === undefined ? {} : { timeoutSeconds };
  return new Api(sandbox.token, { apiRoot: sandbox.apiRoot, ...timeout });
}

export function openBot(sandbox: TelegramSandbox, config: BotConfig<Context> = {}): Bot {
  return new Bot(sandbox.token, { ...config, client: { apiRoot: sandbox.apiRoot } });
}

/** Runs a bot by long polling until the test ends. */
export async function pollWith(bot: Bot): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const running = bot.start({ onStart: () => resolve() });
    running.catch(reject);
    onTestFinished(() => bot.stop());
  });
}

/** Runs a bot behind a webhook until the test ends. Returns the webhook's URL. */
export async function serveWebhook(sandbox: TelegramSandbox, bot: Bot): Promise<string> {
  const url = await listen(webhookCallback(bot, 'http'));
  await openApi(sandbox).setWebhook(url);
  return url;
}

/** One request that a webhook got. */
export interface Delivery {
  readonly update: Update;
  readonly headers: IncomingMessage['headers'];
  readonly at: number;
}

export type WebhookAnswer = (delivery: Delivery, response: ServerResponse, count: number) => void;

/** A webhook that keeps what it gets and answers by `answer`, with 200 if not given. Call `setWebhook(url)` yourself. */
export async function openReceiver(answer?: WebhookAnswer): Promise<{ url: string; deliveries: Delivery[] }> {
  const deliveries: Delivery[] = [];
  const url = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const delivery: Delivery = {
        update: JSON.parse(Buffer.concat(chunks).toString()),
        headers: request.headers,
        at: performance.now(),
      };
      deliveries.push(delivery);
      if (answer === undefined) response.end();
      else answer(delivery, response, deliveries.length);
    });
  });
  return { url, deliveries };
}

/** Serves HTTP on a loopback port until the test ends. Returns the URL. */
export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  // SAFETY: a server that listens on a TCP port has an AddressInfo.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`;
}

/** The refusal of a call: its description. Fails when the call succeeds or is not refused by the Bot API. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  return (await grammyErrorOf(call)).description;
}

/** The refusal of a call. Fails when the call succeeds or is not refused by the Bot API. */
export async function grammyErrorOf(call: Promise<unknown>): Promise<GrammyError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof GrammyError) return error;
    throw error;
  }
  throw new Error('the call was not refused');
}
