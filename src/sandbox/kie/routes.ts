// The HTTP side of the KIE stand-in: createTask, recordInfo, the credits and the result files, each with
// the envelope that KIE answers. Refusals come with HTTP 200 and their own `code`, which is the harder
// case for a client. Faults that break a connection act on the socket itself.
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createPng, type Rgb } from '../png.ts';
import { isLoopbackUrl } from './callbacks.ts';
import type { FaultQueue } from './faults.ts';
import { checkOrder } from './models.ts';
import type { KieTask, TaskStore } from './tasks.ts';

export interface RouteOptions {
  readonly apiKey: string;
  readonly faults: FaultQueue;
  readonly tasks: TaskStore;
  /** Takes credits away; false when too few are left. */
  readonly spend: (credits: number) => boolean;
  readonly credits: () => number;
  /** Delivers the callback of a task that has ended. */
  readonly callBack: (task: KieTask) => Promise<void>;
}

const orderSchema = z.object({
  model: z.string(),
  input: z.record(z.string(), z.unknown()),
  // Other spellings are ignored, as KIE ignores them.
  callBackUrl: z.string().optional(),
});
const recordQuerySchema = z.object({ taskId: z.string().min(1) });
const fileParametersSchema = z.object({ taskId: z.string() });

const success = (data: unknown) => ({ code: 200, msg: 'success', data });
const refusal = (code: number, text: string) => ({ code, msg: text, data: null });

export function addKieRoutes(server: FastifyInstance, options: RouteOptions): void {
  const { faults, tasks } = options;

  server.setNotFoundHandler((_request, reply) => reply.code(404).send(refusal(404, 'Not Found')));
  server.setErrorHandler((_error, _request, reply) =>
    reply.code(400).send(refusal(400, 'The request body is not valid JSON')),
  );

  server.register((api, _options, done) => {
    api.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === `Bearer ${options.apiKey}`) return;
      return reply.send(refusal(401, 'You do not have access permissions'));
    });
    api.post('/api/v1/jobs/createTask', createTask);
    api.get('/api/v1/jobs/recordInfo', recordInfo);
    api.get('/api/v1/chat/credit', async () => success(options.credits()));
    done();
  });
  server.get('/files/:taskId(^[0-9a-f]+).png', resultFile);

  async function createTask(request: FastifyRequest, reply: FastifyReply) {
    const fault = faults.take('create');
    if (fault?.does === 'answer') {
      const text = fault.text ?? `Simulated refusal ${fault.code}`;
      return reply.code(fault.httpStatus ?? 200).send(refusal(fault.code, text));
    }
    if (fault?.does === 'refuse') return breakConnection(request, reply);
    if (fault?.does === 'hang') return reply.hijack();

    const order = orderSchema.safeParse(request.body);
    if (!order.success) return reply.send(refusal(400, 'model and input are required'));
    const { model, input, callBackUrl } = order.data;
    const accepted = checkOrder(model, input);
    if ('problem' in accepted) return reply.send(refusal(422, accepted.problem));
    if (callBackUrl !== undefined && !isLoopbackUrl(callBackUrl))
      return reply.send(refusal(422, 'callBackUrl: the stand-in calls back loopback addresses only'));
    if (!options.spend(accepted.credits)) return reply.send(refusal(402, 'Credits insufficient'));

    const task = tasks.create({
      model,
      input,
      callBackUrl,
      ...accepted,
      outcomeFault: faults.take('outcome'),
      callbackFault: faults.take('callback'),
      fileFault: faults.take('file'),
    });
    if (task.callbackFault?.does === 'early') {
      tasks.finish(task.taskId);
      await options.callBack(task);
    }
    if (fault?.does === 'lose-answer') return breakConnection(request, reply);
    if (fault?.does === 'garble-answer') return garbled(reply);
    return reply.send(success({ taskId: task.taskId }));
  }

  async function recordInfo(request: FastifyRequest, reply: FastifyReply) {
    const fault = faults.take('record');
    if (fault?.does === 'answer') {
      const text = fault.text ?? `Simulated refusal ${fault.code}`;
      return reply.code(fault.httpStatus ?? 200).send(refusal(fault.code, text));
    }
    if (fault?.does === 'refuse') return breakConnection(request, reply);
    if (fault?.does === 'hang') return reply.hijack();
    if (fault?.does === 'garble-answer') return garbled(reply);

    const query = recordQuerySchema.safeParse(request.query);
    if (!query.success) return reply.send(refusal(400, 'taskId is required'));
    const task = tasks.find(query.data.taskId);
    if (!task) return reply.code(404).send(refusal(404, 'The task does not exist'));
    return reply.send(success(tasks.record(task)));
  }

  async function resultFile(request: FastifyRequest, reply: FastifyReply) {
    const { taskId } = fileParametersSchema.parse(request.params);
    const task = tasks.find(taskId);
    if (task?.state !== 'success' || task.fileFault?.does === 'miss') return reply.callNotFound();
    const picture = createPng(task.size.width, task.size.height, colourOf(taskId));
    return reply.type('image/png').send(picture);
  }
}

function breakConnection(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return reply;
}

/** What a proxy in front of KIE answers when the application behind it is gone. */
function garbled(reply: FastifyReply): FastifyReply {
  return reply.code(502).type('text/html').send('<html><body>Bad gateway</body></html>');
}

/** Each task has its own colour, so that results can be told apart by eye. */
function colourOf(taskId: string): Rgb {
  const digest = createHash('sha256').update(taskId).digest();
  return [digest.readUInt8(0), digest.readUInt8(1), digest.readUInt8(2)];
}
