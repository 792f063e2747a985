// A file on its way to KIE.ai's file host, which gives it a URL that orders can name. Every upload has a random
// name, because one that is used twice overwrites the first and caches may still give that.
import { randomBytes } from 'node:crypto';
import { FormData } from 'undici';
import { z } from 'zod';
import type { Answer } from './answer-envelope.ts';
import { extensionOf } from './media-type.ts';
import { isWebUrl } from './task-status.ts';

export interface UploadFile {
  /** Bytes, or a Blob, which may lie on disk (`fs.openAsBlob`): an upload that fails is sent again. */
  readonly content: Uint8Array | Blob;
  /** Decides the name's extension as well, by which some models judge a file. */
  readonly mimeType: string;
}

export const uploadPath = '/api/file-stream-upload';

/** A folder of the account; KIE wants no slash around it. */
const folder = 'inputs';

export function uploadForm({ content, mimeType }: UploadFile): FormData {
  const form = new FormData();
  const fileName = `${randomBytes(16).toString('hex')}${extensionOf(mimeType)}`;
  form.append('file', new Blob([content], { type: mimeType }), fileName);
  form.append('uploadPath', folder);
  form.append('fileName', fileName);
  return form;
}

const uploadedSchema = z.object({ downloadUrl: z.unknown().optional(), fileUrl: z.unknown().optional() });

/** The file's URL in an answer; undefined when there is none. */
export function uploadedUrl(answer: Answer): string | undefined {
  const { data } = uploadedSchema.safeParse(answer.data);
  return [data?.downloadUrl, data?.fileUrl].find(isWebUrl);
}
