// The Market family: createTask and recordInfo, the states that most models go through, one callback at the end
// with the record in it. Models that make videos report their progress.
import { z } from 'zod';
import { type Family, type FileUrl, hasEnded } from './family.ts';
import { failureOf, fileNamesOf, type KieTask, type Stage } from './tasks.ts';

const orderSchema = z.object({
  model: z.string(),
  input: z.record(z.string(), z.unknown()),
  // Other spellings are ignored, as KIE ignores them.
  callBackUrl: z.string().optional(),
});

const states: Readonly<Record<Stage, string>> = {
  created: 'waiting',
  queued: 'queuing',
  running: 'generating',
  done: 'success',
  failed: 'fail',
  lost: 'postponed',
};

const percents: Readonly<Record<Stage, number>> = {
  created: 0,
  queued: 10,
  running: 60,
  done: 100,
  failed: 60,
  lost: 10,
};

export function createMarketFamily(fileUrl: FileUrl): Family {
  function record(task: KieTask): Record<string, unknown> {
    const failure = task.stage === 'failed' ? failureOf(task) : { code: '', text: '' };
    const succeeded = task.stage === 'done';
    return {
      taskId: task.taskId,
      model: task.model,
      state: task.state,
      param: JSON.stringify(task.order),
      resultJson: succeeded ? JSON.stringify({ resultUrls: fileNamesOf(task).map(fileUrl) }) : '',
      failCode: failure.code,
      failMsg: failure.text,
      costTime: task.completeTime === undefined ? null : task.completeTime - task.createTime,
      completeTime: task.completeTime ?? null,
      createTime: task.createTime,
      updateTime: task.updateTime,
      ...(task.output === 'video' ? { progress: percents[task.stage] } : {}),
      ...(succeeded ? { creditsConsumed: task.credits } : {}),
    };
  }

  return {
    api: 'market',
    orderPath: '/api/v1/jobs/createTask',
    recordPath: '/api/v1/jobs/recordInfo',
    readOrder(body) {
      const order = orderSchema.safeParse(body);
      if (!order.success) return { code: 400, text: 'model and input are required' };
      const { model, input, callBackUrl } = order.data;
      return { model, values: input, input, callBackUrl };
    },
    stateOf: stage => states[stage],
    record,
    callbackBody(task) {
      const data = record(task);
      return task.stage === 'done'
        ? { code: 200, msg: 'Playground task completed successfully.', data }
        : { code: 501, msg: 'Playground task failed.', data };
    },
    callsBackNow: hasEnded,
    readyFiles: task => (task.stage === 'done' ? fileNamesOf(task).length : 0),
  };
}
