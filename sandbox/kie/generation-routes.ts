// The two endpoints of each family: the order, which is checked, paid and becomes a task, and the record of a
// task. A model is sold at the endpoints of its own family only.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { breakConnection, garbled, playFault, refusal, success } from './answers.ts';
import { isLoopbackUrl } from './callbacks.ts';
import type { Family } from './family.ts';
import type { FaultQueue } from './faults.ts';
import type { InputFiles } from './input-files.ts';
import type { ModelList } from './models.ts';
import { filesOf, findProblem } from './order-check.ts';
import { creditsOf, pictureSizeOf, resultCountOf } from './order-yield.ts';
import type { TaskStore } from './tasks.ts';

export interface GenerationOptions {
  readonly families: readonly Family[];
  readonly models: ModelList;
  readonly faults: FaultQueue;
  readonly tasks: TaskStore;
  readonly inputFiles: InputFiles;
  /** Whether one more order is within the account's limit. */
  readonly admit: () => boolean;
  /** Takes credits away; false when too few are left. */
  readonly spend: (credits: number) => boolean;
  /** Resolves when the task's callbacks were taken or given up. */
  readonly callbacksSettled: (taskId: string) => Promise<void>;
}

const recordQuerySchema = z.object({ taskId: z.string().min(1) });

export function addGenerationRoutes(server: FastifyInstance, options: GenerationOptions): void {
  const { models, faults, tasks } = options;
  for (const family of options.families) {
    server.post(family.orderPath, (request, reply) => order(family, request, reply));
    server.get(family.recordPath, (request, reply) => record(family, request, reply));
  }

  async function order(family: Family, request: FastifyRequest, reply: FastifyReply) {
    if (!options.admit())
      return reply.code(429).send(refusal(429, 'Your call frequency is too high. Please try again later.'));
    const fault = faults.take('create');
    if (playFault(fault, request, reply)) return reply;

    const read = family.readOrder(request.body);
    if ('code' in read) return reply.send(refusal(read.code, read.text));
    const { values, callBackUrl } = read;
    const model = models.find(family.api, read.model);
    if (!model) return reply.send(refusal(422, 'The model name is not supported'));
    const problem = findProblem(model, values);
    if (problem !== undefined) return reply.send(refusal(422, problem));
    if (callBackUrl !== undefined && !isLoopbackUrl(callBackUrl))
      return reply.send(refusal(422, 'callBackUrl: the stand-in calls back loopback addresses only'));
    const badFile = await options.inputFiles.findProblem(filesOf(model, values));
    if (badFile) return reply.send(refusal(badFile.code, badFile.text));
    const credits = creditsOf(model, values);
    if (!options.spend(credits)) return reply.send(refusal(402, 'Credits insufficient'));

    const task = tasks.create({
      api: family.api,
      model: model.id,
      input: read.input,
      callBackUrl,
      order: request.body,
      credits,
      output: model.output,
      results: resultCountOf(model, values),
      size: pictureSizeOf(values),
      outcomeFault: faults.take('outcome'),
      callbackFault: faults.take('callback'),
      fileFault: faults.take('file'),
    });
    if (task.callbackFault?.does === 'early') {
      tasks.finish(task.taskId);
      await options.callbacksSettled(task.taskId);
    }
    if (fault?.does === 'lose-answer') return breakConnection(request, reply);
    if (fault?.does === 'garble-answer') return garbled(reply);
    return reply.send(success({ taskId: task.taskId }));
  }

  async function record(family: Family, request: FastifyRequest, reply: FastifyReply) {
    const fault = faults.take('record');
    if (playFault(fault, request, reply)) return reply;
    if (fault?.does === 'garble-answer') return garbled(reply);

    const query = recordQuerySchema.safeParse(request.query);
    if (!query.success) return reply.send(refusal(400, 'taskId is required'));
    const task = tasks.find(query.data.taskId);
    if (task?.api !== family.api) return reply.code(404).send(refusal(404, 'The task does not exist'));
    return reply.send(success(family.record(task)));
  }
}
