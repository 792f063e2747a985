// Owns the way from an HTTP request to Parameters: query string, JSON, urlencoded form and multipart, the four forms in
// which the Bot API takes arguments. A body argument wins over one of the same name in the query string.
// It promises never to hold more than the upload limit of the cloud Bot API in memory.
import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from './api-error.ts';
import { isJsonObject, Parameters, type UploadedFile } from './parameters.ts';

/** Bots upload at most 50 MB (core.telegram.org/bots/api#sending-files); the rest of a form is small. */
const MAXIMUM_BODY_BYTES = 52 * 1024 * 1024;

/** Reads the whole request. Throws ApiError 413 for too long a body and 400 for one that cannot be parsed. */
export async function readParameters(request: IncomingMessage, query: URLSearchParams): Promise<Parameters> {
  const body = await readBody(request);
  const queryValues = query.size === 0 ? undefined : Object.fromEntries(query);
  if (body.length === 0) return new Parameters(queryValues ?? {});
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data')) return readForm(body, contentType, queryValues);
  const values = contentType.startsWith('application/json') ? parseJsonBody(body) : parseUrlEncoded(body);
  return new Parameters(queryValues === undefined ? values : { ...queryValues, ...values });
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAXIMUM_BODY_BYTES) {
        request.removeAllListeners('data').resume();
        reject(new ApiError(413, 'Request Entity Too Large'));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on('error', reject);
  });
}

function parseJsonBody(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (!isJsonObject(value)) throw badRequest("can't parse request: JSON object expected");
  return value;
}

function parseUrlEncoded(body: Buffer): Readonly<Record<string, unknown>> {
  return Object.fromEntries(new URLSearchParams(body.toString('utf8')));
}

async function readForm(
  body: Buffer,
  contentType: string,
  queryValues: Readonly<Record<string, unknown>> | undefined,
): Promise<Parameters> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw badRequest("can't parse request: multipart form expected");
  }
  const values: Record<string, unknown> = { ...queryValues };
  const files = new Map<string, UploadedFile>();
  for (const [name, part] of form) {
    if (typeof part === 'string') {
      values[name] = part;
    } else {
      const bytes = Buffer.from(await part.arrayBuffer());
      files.set(name, { fileName: part.name, contentType: part.type, bytes });
    }
  }
  return new Parameters(values, files);
}
