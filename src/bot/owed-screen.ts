// What a user is owed after a turn that could not show it. It is kept as it was drawn, so that any release can send it,
// whatever has changed since; with it, where the user is once it is shown. Committed with the outcome of the
// turn as a follow-up (inbox/follow-up.ts), and worked by owed-screens.ts.
import { z } from 'zod';
import type { FollowUp } from '../inbox/follow-up.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Refusal } from '../telegram/refusal.ts';
import { type ScreenId, screenIds, screenRecordSchema } from '../ui/screens.ts';

export const owedScreenSchema = z.object({
  /** Absent where it is words alone. */
  screen: z
    .string()
    .transform(name => screenIds.find(id => id === name))
    .optional(),
  record: screenRecordSchema,
  drawn: z.object({
    text: z.string(),
    rows: z.array(z.array(z.object({ text: z.string(), data: z.string() })).readonly()).readonly(),
    copy: z.object({ text: z.string(), value: z.string() }).exactOptional(),
  }),
  /** The message whose place it takes. */
  place: z.int().optional(),
  /** Present where the user is there then: with the form that is open, or null. */
  session: z.object({ form: z.looseObject({}).nullable() }).optional(),
  /** How many sendings were begun whose end nobody knows: each may have been done. An edit may be done twice. */
  unheard: z.int(),
});

export type OwedScreen = z.infer<typeof owedScreenSchema>;

/** How it is left to be shown; `screen` as its telemetry names it. */
export interface Owed {
  readonly owed: OwedScreen;
  readonly dueInMs: number;
}

/** After a failure that names no time. */
const pauseMs = 2_000;
/** What was asked for longer ago is not wanted any more. */
export const owedHorizonMs = 15 * 60_000;

/**
 * What is owed for a refusal, and said so in an event; undefined where the refusal says that it will never get through,
 * or not before anybody cares.
 */
export function owedAfter(
  telemetry: Pick<Telemetry, 'emit'>,
  what: Omit<OwedScreen, 'unheard'>,
  { refusal, isSent }: { readonly refusal: Refusal /** A sending was begun. */; readonly isSent: boolean },
): Owed | undefined {
  if (!refusal.retry) return undefined;
  const dueInMs = refusal.retryAfterMs ?? pauseMs;
  const fields = { screen_id: nameOf(what.screen), reason_code: refusal.reason } as const;
  if (dueInMs > owedHorizonMs) {
    telemetry.emit('RENDER_DROPPED', {
      ...fields,
      reason_detail: `${refusal.detail}; nobody waits that long`,
    });
    return undefined;
  }
  telemetry.emit('RENDER_OWED', {
    ...fields,
    reason_detail: `${refusal.detail}; it is due in ${Math.ceil(dueInMs / 1_000)} s`,
  });
  return { owed: { ...what, unheard: isSent && refusal.unheard ? 1 : 0 }, dueInMs };
}

/** To be committed with the outcome. */
export function followUpsFor(owed: Owed | undefined): readonly FollowUp[] {
  return owed ? [{ kind: 'show', ...owed }] : [];
}

/** For telemetry. */
export function nameOf(screen: ScreenId | undefined): string {
  return screen ?? 'NONE';
}
