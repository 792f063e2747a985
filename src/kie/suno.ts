// The Suno family: flat orders that need a callback address, and records that fill with tracks.
import { z } from 'zod';
import { generationFailure } from './codes.ts';
import { type Family, flatOrder, readerOf } from './family.ts';
import {
  detailsSchema,
  isWebUrl,
  succeeded,
  type TaskStatus,
  unfinished,
  unknownState,
} from './task-status.ts';

const trackSchema = z.object({ audioUrl: z.unknown().optional(), streamAudioUrl: z.unknown().optional() });

const recordSchema = detailsSchema.extend({
  status: z.string().nullish().catch(undefined),
  response: z
    .object({ sunoData: z.array(trackSchema.catch({})).nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  errorCode: z.union([z.string(), z.number()]).nullish().catch(undefined),
  errorMessage: z.string().nullish().catch(undefined),
});
type SunoRecord = z.infer<typeof recordSchema>;

export const suno: Family = {
  orderPath: '/api/v1/generate',
  needsCallback: true,
  statusPath: '/api/v1/generate/record-info',
  orderBody: flatOrder,
  readStatus: readerOf(recordSchema, toStatus),
};

function toStatus(record: SunoRecord): TaskStatus {
  switch (record.status) {
    case 'PENDING':
      return unfinished('queued', record);
    case 'TEXT_SUCCESS':
    case 'FIRST_SUCCESS':
      return unfinished('running', record);
    case 'SUCCESS':
      return succeeded(audioUrls(record), record);
    // Says only that our endpoint failed when KIE called it: the tracks may be there all the same.
    case 'CALLBACK_EXCEPTION': {
      const urls = audioUrls(record).filter(isWebUrl);
      return urls.length > 0 ? succeeded(urls, record) : failed(record);
    }
    case 'CREATE_TASK_FAILED':
    case 'GENERATE_AUDIO_FAILED':
      return failed(record);
    case 'SENSITIVE_WORD_ERROR':
      return { state: 'failed', reason: 'CONTENT_REJECTED', code: record.status };
    default:
      return unknownState(record.status);
  }
}

function failed({ status, errorCode, errorMessage }: SunoRecord): TaskStatus {
  return { state: 'failed', ...generationFailure(errorCode ?? status, errorMessage) };
}

/** One of each track: the finished file or, where there is none, the stream. */
function audioUrls(record: SunoRecord): readonly unknown[] {
  const tracks = record.response?.sunoData ?? [];
  return tracks.map(({ audioUrl, streamAudioUrl }) => (isWebUrl(audioUrl) ? audioUrl : streamAudioUrl));
}
