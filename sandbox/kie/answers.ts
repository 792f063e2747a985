// The answers that all endpoints of the KIE stand-in share: the envelope, and what an asked-for fault does to a
// connection. Refusals come with HTTP 200 and their own `code`, which is the harder case for a client.
import type { FastifyReply, FastifyRequest } from 'fastify';

export const success = (data: unknown) => ({ code: 200, msg: 'success', data });
export const refusal = (code: number, text: string) => ({ code, msg: text, data: null });

/** Why something is refused, with the envelope's `code`. */
export interface Refusal {
  readonly code: number;
  readonly text: string;
}

type ImmediateFault =
  | { readonly does: 'answer'; readonly code: number; readonly text?: string; readonly httpStatus?: number }
  | { readonly does: string };

/** Plays a fault that takes effect before anything is done; false where it is none of those. */
export function playFault(
  fault: ImmediateFault | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  bodyOf: (code: number, text: string) => unknown = refusal,
): boolean {
  if (fault === undefined) return false;
  if ('code' in fault) {
    const text = fault.text ?? `Simulated refusal ${fault.code}`;
    reply.code(fault.httpStatus ?? 200).send(bodyOf(fault.code, text));
    return true;
  }
  if (fault.does === 'hang') {
    reply.hijack();
    return true;
  }
  if (fault.does !== 'refuse') return false;
  breakConnection(request, reply);
  return true;
}

export function breakConnection(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return reply;
}

/** What a proxy in front of KIE answers when the application behind it is gone. */
export function garbled(reply: FastifyReply): FastifyReply {
  return reply.code(502).type('text/html').send('<html><body>Bad gateway</body></html>');
}
