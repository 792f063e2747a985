// POST /webhook: Telegram's updates. The secret is checked before the body is read; the 200 is sent only
// once the update is durable. Whatever has an integer update_id is stored, unknown kinds too, because
// Telegram repeats what is not accepted and holds everything behind it. While the inbox is full nothing but
// payments is stored and the answer is 429: Telegram keeps the update and sends it again.
import type { FastifyError, FastifyInstance } from 'fastify';
import type { WebhookConfig } from '../config/config.ts';
import type { InboxDepth } from '../inbox/inbox-depth.ts';
import { jsonOrUndefined } from '../json.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Refusals } from '../otel/refusals.ts';
import type { Intake } from '../reception/intake.ts';
import { type IncomingUpdate, readIncoming } from '../telegram/incoming.ts';
import { createSecretCheck } from './secret-header.ts';

export interface WebhookOptions {
  readonly bot: WebhookConfig;
  readonly intake: Intake;
  readonly depth: InboxDepth;
  readonly refusals: Refusals;
}

const secretHeader = 'x-telegram-bot-api-secret-token';
const retryAfterSeconds = 2;

export function registerWebhookRoute(
  server: FastifyInstance,
  { bot, intake, depth, refusals }: WebhookOptions,
): void {
  const isSecret = createSecretCheck([bot.secretToken, bot.previousSecretToken]);

  const refuse = (reason: ReasonCode, text: string, detail?: string): void =>
    refusals.refused('UPDATE_REFUSED', { reason_code: reason, reason_text: text, reason_detail: detail });

  /** A checkout that is not answered within 10 s fails, and money that was paid must be known: both never wait. */
  async function admit(update: IncomingUpdate, store: () => Promise<boolean>): Promise<boolean> {
    if (!update.isPayment) return depth.admit(store);
    await depth.add(store);
    return true;
  }

  server.post(
    '/webhook',
    {
      onRequest: async (request, reply) => {
        if (isSecret(request.headers[secretHeader]?.toString())) return;
        refuse('PERMISSION_DENIED', 'The secret header is missing or wrong');
        await reply.code(401).send({ ok: false, error: 'wrong secret token' });
      },
      errorHandler: async (error: FastifyError, _request, reply) => {
        const status = error.statusCode ?? 500;
        if (status < 500) refuse('VALIDATION_FAILED', 'The request could not be read', error.code);
        await reply.code(status).send({ ok: false, error: error.code });
      },
    },
    async (request, reply) => {
      const receivedAt = Date.now();
      const text = String(request.body ?? '');
      const update = readIncoming(jsonOrUndefined(text));
      if (!update) {
        refuse('VALIDATION_FAILED', 'The body is not a JSON object with an integer update_id');
        return reply.code(400).send({ ok: false, error: 'not an update' });
      }
      try {
        if (await admit(update, () => intake.take(update, text, receivedAt))) return { ok: true };
        refusals.refused('QUEUE_FULL', { queue_depth: depth.unfinished(), reason_code: 'RATE_LIMIT' });
        return reply
          .code(429)
          .header('retry-after', retryAfterSeconds)
          .send({ ok: false, error: 'the inbox is full, send it again' });
      } catch {
        // Why is logged under the cid of the update.
        return reply
          .code(503)
          .header('retry-after', retryAfterSeconds)
          .send({ ok: false, error: 'not stored, send it again' });
      }
    },
  );
}
