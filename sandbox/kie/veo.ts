// The Veo family: flat orders, a success flag instead of a state, and one callback at the end whose shape is not
// that of the record. The flag says 2 when the content was refused and 3 when a created task failed.
import { type Family, type FileUrl, hasEnded, readFlatOrder } from './family.ts';
import { failureOf, fileNamesOf, type KieTask, type Stage } from './tasks.ts';

const flags: Readonly<Record<Stage, number>> = {
  created: 0,
  queued: 0,
  running: 0,
  done: 1,
  failed: 3,
  lost: 7,
};
const refusedFlag = 2;

export function createVeoFamily(fileUrl: FileUrl): Family {
  const flagOf = (stage: Stage, fate: string | undefined): number =>
    stage === 'failed' && fate === 'reject-content' ? refusedFlag : flags[stage];

  const resultOf = (task: KieTask) => ({
    resultUrls: fileNamesOf(task).map(fileUrl),
    originUrls: fileNamesOf(task).map(fileUrl),
    resolution: task.input.resolution ?? '720p',
  });

  return {
    api: 'veo',
    orderPath: '/api/v1/veo/generate',
    recordPath: '/api/v1/veo/record-info',
    readOrder: readFlatOrder,
    stateOf: (stage, fate) => String(flagOf(stage, fate)),
    record(task) {
      const failure = task.stage === 'failed' ? failureOf(task) : undefined;
      return {
        taskId: task.taskId,
        paramJson: JSON.stringify(task.order),
        completeTime: task.completeTime === undefined ? null : dateText(task.completeTime),
        response: task.stage === 'done' ? { taskId: task.taskId, ...resultOf(task) } : null,
        successFlag: flagOf(task.stage, task.outcomeFault?.does),
        errorCode: failure ? errorCodeOf(task) : null,
        errorMessage: failure?.text ?? '',
        createTime: dateText(task.createTime),
        fallbackFlag: false,
      };
    },
    callbackBody(task) {
      const common = { taskId: task.taskId, promptJson: JSON.stringify(task.order), fallbackFlag: false };
      if (task.stage !== 'done') return { code: errorCodeOf(task), msg: failureOf(task).text, data: common };
      const info = resultOf(task);
      const asText = task.callbackFault?.does === 'urls-as-text';
      return {
        code: 200,
        msg: 'Veo3.1 video generated successfully.',
        data: {
          ...common,
          info: asText
            ? { ...info, resultUrls: listText(info.resultUrls), originUrls: listText(info.originUrls) }
            : info,
        },
      };
    },
    callsBackNow: hasEnded,
    readyFiles: task => (task.stage === 'done' ? fileNamesOf(task).length : 0),
  };
}

/** 400 stands for a breach of the content policy. */
function errorCodeOf(task: KieTask): number {
  return task.outcomeFault?.does === 'reject-content' ? 400 : Number(failureOf(task).code);
}

/** Some of KIE's samples carry lists like this: brackets around addresses without quotes. */
function listText(urls: readonly string[]): string {
  return `[${urls.join(',')}]`;
}

function dateText(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('T', ' ').slice(0, 19);
}
