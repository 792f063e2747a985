// The Market family: most models, one endpoint for orders and one for records.
import { z } from 'zod';
import { jsonOrUndefined } from '../json.ts';
import { generationFailure } from './codes.ts';
import { type Family, readerOf } from './family.ts';
import { detailsSchema, succeeded, type TaskStatus, unfinished, unknownState } from './task-status.ts';

const recordSchema = detailsSchema.extend({
  state: z.string().nullish().catch(undefined),
  resultJson: z.unknown().optional(),
  failCode: z.union([z.string(), z.number()]).nullish().catch(undefined),
  failMsg: z.string().nullish().catch(undefined),
});

const resultSchema = z.object({ resultUrls: z.array(z.unknown()) });

export const market: Family = {
  orderPath: '/api/v1/jobs/createTask',
  needsCallback: false,
  statusPath: '/api/v1/jobs/recordInfo',
  orderBody: ({ vendorModel, input, callbackUrl }) => ({
    model: vendorModel,
    input,
    callBackUrl: callbackUrl,
  }),
  readStatus: readerOf(recordSchema, toStatus),
};

function toStatus(record: z.infer<typeof recordSchema>): TaskStatus {
  switch (record.state) {
    case 'waiting':
    case 'queuing':
      return unfinished('queued', record);
    case 'generating':
      return unfinished('running', record);
    case 'success':
      return succeeded(resultUrls(record.resultJson), record);
    case 'fail':
      return { state: 'failed', ...generationFailure(record.failCode, record.failMsg) };
    default:
      return unknownState(record.state);
  }
}

/** `resultJson` is JSON inside a string; an object in its place is taken as well. */
function resultUrls(resultJson: unknown): readonly unknown[] {
  const result = resultSchema.safeParse(
    typeof resultJson === 'string' ? jsonOrUndefined(resultJson) : resultJson,
  );
  return result.success ? result.data.resultUrls : [];
}
