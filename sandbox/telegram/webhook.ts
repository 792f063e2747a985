// Owns the webhook's registration: setWebhook, deleteWebhook, getWebhookInfo, and which delivery runs because of them.
// Promises Telegram's checks of the secret token and of the call rate. The rule for URLs (HTTPS on 443, 80, 88 or 8443)
// holds only with `isStrict`, because the bot under test listens on a loopback port with plain HTTP.
// Updates that were under way when the webhook changes are delivered again by the next one, as duplicates.
// Source: Client.cpp 15726–15800, 16000–16090; WebhookActor.cpp start_up.
import type { WebhookInfo } from 'grammy/types';
import { badRequest, tooManyRequests } from './api-error.ts';
import { toUnixSeconds } from './chats.ts';
import { isLoopback } from './loopback.ts';
import type { Parameters } from './parameters.ts';
import type { UpdateKind, UpdateQueue } from './update-queue.ts';
import { type Delivery, type DeliveryOptions, startDelivery } from './webhook-delivery.ts';

export interface WebhookOptions
  extends Omit<DeliveryOptions, 'url' | 'secretToken' | 'maxConnections' | 'onError' | 'onGone'> {
  readonly isStrict: boolean;
  /** A webhook is about to be set: whoever polls must stop. */
  readonly onSet: () => void;
}

export interface Webhook {
  readonly isActive: boolean;
  readonly info: WebhookInfo;
  set(parameters: Parameters): Promise<true>;
  delete(parameters: Parameters): Promise<true>;
  stop(): Promise<void>;
}

interface Registration {
  readonly url: string;
  readonly secretToken: string;
  readonly maxConnections: number;
  readonly delivery: Delivery;
}

const DEFAULT_CONNECTIONS = 40;
const MAXIMUM_CONNECTIONS = 100;
const MAXIMUM_SECRET_CHARACTERS = 256;
const SECRET_CHARACTERS = /^[A-Za-z0-9_-]*$/;
const STRICT_PORTS: ReadonlySet<string> = new Set(['', '443', '80', '88', '8443']);
const MINIMUM_SET_INTERVAL_MS = 1000;

export function createWebhook(options: WebhookOptions): Webhook {
  const { queue, now } = options;
  let registration: Registration | undefined;
  let lastError: { readonly description: string; readonly at: number } | undefined;
  let nextSetAllowedAt = 0;

  async function remove(): Promise<void> {
    const delivery = registration?.delivery;
    registration = undefined;
    lastError = undefined;
    await delivery?.close();
  }

  async function drop(parameters: Parameters): Promise<true> {
    await remove();
    if (parameters.flag('drop_pending_updates')) queue.clear();
    options.onSettled();
    return true;
  }

  return {
    get isActive() {
      return registration !== undefined;
    },
    get info() {
      return describe(queue, registration, lastError);
    },
    async set(parameters) {
      const address = parameters.text('url');
      if (address === '') return drop(parameters);
      if (now() < nextSetAllowedAt) throw tooManyRequests(1);
      nextSetAllowedAt = now() + MINIMUM_SET_INTERVAL_MS;
      const url = checkedUrl(address, options.isStrict);
      const secretToken = checkedSecret(parameters.text('secret_token'));
      const maxConnections = parameters.integer(
        'max_connections',
        DEFAULT_CONNECTIONS,
        1,
        MAXIMUM_CONNECTIONS,
      );
      const mustDrop = parameters.flag('drop_pending_updates');
      queue.allow(readAllowedUpdates(parameters));
      const isSame =
        registration?.url === address &&
        registration.secretToken === secretToken &&
        registration.maxConnections === maxConnections;
      if (isSame && !mustDrop) return true;
      options.onSet();
      await remove();
      if (mustDrop) queue.clear();
      const delivery = startDelivery({
        ...options,
        url,
        secretToken,
        maxConnections,
        onError: description => {
          lastError = { description, at: now() };
        },
        onGone: () => void remove(),
      });
      registration = { url: address, secretToken, maxConnections, delivery };
      options.onSettled();
      return true;
    },
    delete: drop,
    stop: remove,
  };
}

/** Reads `allowed_updates`: undefined when it was not given, which leaves the earlier choice as it is. */
export function readAllowedUpdates(parameters: Parameters): readonly string[] | undefined {
  const value = parameters.json('allowed_updates', 'allowed_updates');
  return Array.isArray(value) ? value.map(String) : undefined;
}

function checkedUrl(address: string, isStrict: boolean): URL {
  const complete = /^https?:\/\//i.test(address) ? address : `https://${address}`;
  if (!URL.canParse(complete)) throw badRequest('invalid webhook URL specified');
  const url = new URL(complete);
  if (isStrict) {
    if (url.protocol !== 'https:') throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
    if (!STRICT_PORTS.has(url.port)) {
      throw badRequest('bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443');
    }
  } else if (!isLoopback(url)) {
    throw badRequest('bad webhook: the sandbox delivers to this machine only');
  }
  return url;
}

function checkedSecret(secretToken: string): string {
  if (secretToken.length > MAXIMUM_SECRET_CHARACTERS) throw badRequest('secret token is too long');
  if (!SECRET_CHARACTERS.test(secretToken)) throw badRequest('secret token contains unallowed characters');
  return secretToken;
}

function describe(
  queue: UpdateQueue,
  registration: Registration | undefined,
  lastError: { readonly description: string; readonly at: number } | undefined,
): WebhookInfo {
  const error =
    lastError === undefined
      ? {}
      : { last_error_date: toUnixSeconds(lastError.at), last_error_message: lastError.description };
  const connection =
    registration === undefined
      ? {}
      : { max_connections: registration.maxConnections, ip_address: '127.0.0.1' };
  // SAFETY: kinds that the bot asked for are reported back as they came, unknown ones included.
  const allowed = queue.allowed as UpdateKind[] | undefined;
  return {
    url: registration?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: queue.size,
    ...error,
    ...connection,
    ...(allowed === undefined ? {} : { allowed_updates: allowed }),
  };
}
