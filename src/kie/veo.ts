// The Veo family: flat orders, and records whose state is a number.
import { z } from 'zod';
import { jsonOrUndefined } from '../json.ts';
import { generationFailure } from './codes.ts';
import { type Family, flatOrder, readerOf } from './family.ts';
import { detailsSchema, succeeded, type TaskStatus, unfinished, unknownState } from './task-status.ts';

const recordSchema = detailsSchema.extend({
  successFlag: z.union([z.number(), z.string()]).nullish().catch(undefined),
  response: z.object({ resultUrls: z.unknown().optional() }).nullish().catch(undefined),
  errorCode: z.union([z.string(), z.number()]).nullish().catch(undefined),
  errorMessage: z.string().nullish().catch(undefined),
});

export const veo: Family = {
  orderPath: '/api/v1/veo/generate',
  needsCallback: false,
  statusPath: '/api/v1/veo/record-info',
  orderBody: flatOrder,
  readStatus: readerOf(recordSchema, toStatus),
};

function toStatus(record: z.infer<typeof recordSchema>): TaskStatus {
  switch (record.successFlag) {
    case 0:
      return unfinished('running', record);
    case 1:
      return succeeded(listed(record.response?.resultUrls), record);
    // 3: the task was created, its generation failed.
    case 2:
    case 3:
      return { state: 'failed', ...generationFailure(record.errorCode, record.errorMessage) };
    default:
      return unknownState(record.successFlag);
  }
}

/** A list, or a text that looks like one: as JSON, or in brackets without quotes. */
function listed(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return [];
  const parsed = jsonOrUndefined(value);
  if (Array.isArray(parsed)) return parsed;
  // A comma may stand inside a URL; one between two URLs is followed by the next scheme.
  return value
    .replace(/^\s*\[|\]\s*$/g, '')
    .split(/\s*,\s*(?=https?:)/)
    .map(url => url.trim());
}
