// Serves the result files of tasks, without a key, as KIE's file hosts do; a file appears when its task has got
// that far. File faults act here.
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Family } from './family.ts';
import type { FileFault } from './faults.ts';
import type { ApiFamily } from './models.ts';
import { fileTypes, type ResultFiles } from './result-files.ts';
import { fileNamesOf, type TaskStore } from './tasks.ts';

export interface ResultRouteOptions {
  readonly tasks: TaskStore;
  readonly familyOf: (api: ApiFamily) => Family;
  readonly files: ResultFiles;
}

const parametersSchema = z.object({ name: z.string() });
const hugeBytes = 64 * 1024 * 1024;
const chunkBytes = 64 * 1024;

export function addResultRoutes(server: FastifyInstance, options: ResultRouteOptions): void {
  server.get('/files/:name', resultFile);

  async function resultFile(request: FastifyRequest, reply: FastifyReply) {
    const { name } = parametersSchema.parse(request.params);
    const task = options.tasks.find(/^[0-9a-f]+/.exec(name)?.[0] ?? '');
    if (!task) return reply.callNotFound();
    const index = fileNamesOf(task).indexOf(name);
    const fault = faultOf(task.fileFault, index + 1);
    const ready = options.familyOf(task.api).readyFiles(task);
    if (index < 0 || index >= ready || fault?.does === 'miss') return reply.callNotFound();
    if (fault?.does === 'hang') return reply.hijack();

    reply.type(fileTypes[task.output].contentType);
    const bytes = options.files.bytesOf(task.output, name, task.size);
    if (fault?.does !== 'huge') return reply.send(bytes);
    const length = fault.bytes ?? hugeBytes;
    if (fault.unannounced !== true) reply.header('content-length', length);
    return reply.send(Readable.from(padded(bytes, length)));
  }
}

function faultOf(fault: FileFault | undefined, number: number): FileFault | undefined {
  return fault?.number === undefined || fault.number === number ? fault : undefined;
}

/** The file, then zeros up to the length, never all in memory. */
function* padded(bytes: Buffer, length: number): Generator<Buffer> {
  yield bytes.subarray(0, length);
  const zeros = Buffer.alloc(chunkBytes);
  for (let left = length - bytes.length; left > 0; left -= chunkBytes)
    yield zeros.subarray(0, Math.min(left, chunkBytes));
}
