// Reads the envelope `{code, msg, data}` that wraps every answer of KIE.ai. HTTP status and `code` can
// disagree (200 around a refusal), so `code` decides; the status counts only where there is no envelope.
// Tolerant on purpose: unknown fields and a text under `message` must not break us.
import { z } from 'zod';
import { jsonOrUndefined } from '../json.ts';

export interface Answer {
  readonly code: number;
  /** KIE's words. They can quote the prompt: for classification only, never for an error or a span. */
  readonly text: string;
  readonly data: unknown;
}

const optionalText = z.string().nullish().catch(undefined);
const envelope = z.object({
  code: z.int(),
  msg: optionalText,
  message: optionalText,
  data: z.unknown().optional(),
});

/**
 * The envelope in `body`. Without one, a 4xx status still is a definite refusal (a gateway before KIE's
 * application said no) and becomes its code; for any other status nobody knows, hence undefined.
 */
export function readAnswer(httpStatus: number, body: string): Answer | undefined {
  const parsed = envelope.safeParse(jsonOrUndefined(body));
  if (parsed.success) {
    const { code, msg, message, data } = parsed.data;
    return { code, text: msg ?? message ?? '', data };
  }
  return httpStatus >= 400 && httpStatus < 500 ? { code: httpStatus, text: '', data: undefined } : undefined;
}
