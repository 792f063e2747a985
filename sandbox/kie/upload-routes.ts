// The upload endpoints: a file as a stream, by its address or as base64, and the addresses at which it can be
// fetched afterwards. The real ones live on a host of their own; here they share the server of the API.
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { playFault } from './answers.ts';
import type { FaultQueue } from './faults.ts';
import type { InputFiles } from './input-files.ts';
import type { KieUpload, UploadStore } from './upload-store.ts';

export interface UploadOptions {
  readonly faults: FaultQueue;
  readonly uploads: UploadStore;
  readonly inputFiles: InputFiles;
  /** The largest file that is taken. */
  readonly limitBytes: number;
  readonly now: () => number;
  /** Where the server listens. */
  readonly baseUrl: () => string;
}

/** A file before it has its place. */
interface IncomingFile {
  readonly bytes: Buffer;
  readonly mimeType: string;
  readonly uploadPath: string;
  readonly fileName: string | undefined;
}

const placeSchema = z.object({
  uploadPath: z.string().regex(/^[^/].*[^/]$|^[^/]$/, 'must not begin or end with a slash'),
  fileName: z.string().min(1).optional(),
});
const streamSchema = placeSchema.extend({ file: z.instanceof(Blob) });
const urlSchema = placeSchema.extend({ fileUrl: z.url({ protocol: /^https?$/ }) });
const base64Schema = placeSchema.extend({ base64Data: z.string().min(1) });
const parametersSchema = z.object({ '*': z.string() });

const octetStream = 'application/octet-stream';
/** Base64 takes a third more than the bytes; the rest is room for the fields beside it. */
const bodyLimitOf = (limitBytes: number): number => Math.ceil(limitBytes * 1.4) + 64 * 1024;

const uploadRefusal = (code: number, text: string) => ({ success: false, code, msg: text, data: null });

/** The endpoints that need the key. */
export function addUploadRoutes(server: FastifyInstance, options: UploadOptions): void {
  const { faults, uploads, limitBytes } = options;
  const route = { bodyLimit: bodyLimitOf(limitBytes) };

  server.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const contentType = request.headers['content-type'] ?? '';
      const response = new Response(new Uint8Array(body), { headers: { 'content-type': contentType } });
      // A form that cannot be read has no fields, and is refused for that.
      const form = await response.formData().catch(() => new FormData());
      return Object.fromEntries(form);
    },
  );
  server.post('/api/file-stream-upload', route, upload(readStream));
  server.post('/api/file-url-upload', route, upload(readUrl));
  server.post('/api/file-base64-upload', route, upload(readBase64));

  function upload(read: (body: unknown) => Promise<IncomingFile | { readonly problem: string }>) {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      if (playFault(faults.take('upload'), request, reply, uploadRefusal)) return reply;
      const file = await read(request.body);
      if ('problem' in file) return reply.send(uploadRefusal(400, file.problem));
      if (file.bytes.length > limitBytes) return reply.send(uploadRefusal(400, 'file: too large'));
      const stored = placed(file);
      uploads.add(stored);
      return reply.send({
        success: true,
        code: 200,
        msg: 'File uploaded successfully',
        data: {
          fileName: stored.fileName,
          filePath: stored.filePath,
          downloadUrl: `${options.baseUrl()}/uploads/${stored.filePath.split('/').map(encodeURIComponent).join('/')}`,
          fileSize: stored.bytes.length,
          mimeType: stored.mimeType,
          uploadedAt: new Date(options.now()).toISOString(),
        },
      });
    };
  }

  async function readUrl(body: unknown): Promise<IncomingFile | { readonly problem: string }> {
    const order = urlSchema.safeParse(body);
    if (!order.success) return { problem: firstProblem(order.error) };
    const { fileUrl, uploadPath, fileName } = order.data;
    const file = await options.inputFiles.read(fileUrl);
    if (!file) return { problem: 'fileUrl: the file could not be fetched' };
    return { bytes: file.bytes, mimeType: file.contentType || octetStream, uploadPath, fileName };
  }
}

/** The files themselves, for whoever knows the address. */
export function addUploadedFiles(server: FastifyInstance, uploads: UploadStore): void {
  server.get('/uploads/*', async (request, reply) => {
    const upload = uploads.find(parametersSchema.parse(request.params)['*']);
    return upload ? reply.type(upload.mimeType).send(upload.bytes) : reply.callNotFound();
  });
}

async function readStream(body: unknown): Promise<IncomingFile | { readonly problem: string }> {
  const form = streamSchema.safeParse(body);
  if (!form.success) return { problem: firstProblem(form.error) };
  const { file, uploadPath, fileName } = form.data;
  const ownName = file instanceof File ? file.name : undefined;
  return {
    bytes: Buffer.from(await file.arrayBuffer()),
    mimeType: file.type || octetStream,
    uploadPath,
    fileName: fileName ?? ownName,
  };
}

async function readBase64(body: unknown): Promise<IncomingFile | { readonly problem: string }> {
  const order = base64Schema.safeParse(body);
  if (!order.success) return { problem: firstProblem(order.error) };
  const { base64Data, uploadPath, fileName } = order.data;
  const [, declaredType, dataOfUrl] = /^data:([^;,]+);base64,(.*)$/s.exec(base64Data) ?? [];
  const encoded = dataOfUrl ?? base64Data;
  const bytes = Buffer.from(encoded, 'base64');
  // Buffer skips what is not base64 and so would take anything.
  if (bytes.toString('base64') !== encoded) return { problem: 'base64Data: not base64' };
  return { bytes, mimeType: declaredType ?? octetStream, uploadPath, fileName };
}

function placed({ bytes, mimeType, uploadPath, fileName }: IncomingFile): KieUpload {
  const name = fileName ?? `${randomBytes(8).toString('hex')}.${mimeType.split('/').at(-1) ?? 'bin'}`;
  return { filePath: `${uploadPath}/${name}`, fileName: name, mimeType, bytes };
}

function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`;
}
