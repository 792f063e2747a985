// The Suno family: flat orders that must name a callback address, two tracks a task, and callbacks in up to three
// steps: the text, the first track, all of them. Records are in camelCase, callbacks in snake_case.
import { type Family, type FileUrl, readFlatOrder } from './family.ts';
import { failureOf, fileNamesOf, type KieTask, type Stage } from './tasks.ts';

export type SunoStep = 'text' | 'first' | 'complete';

const states: Readonly<Record<Stage, string>> = {
  created: 'PENDING',
  queued: 'TEXT_SUCCESS',
  running: 'FIRST_SUCCESS',
  done: 'SUCCESS',
  failed: 'GENERATE_AUDIO_FAILED',
  lost: 'POSTPONED',
};

const stepAt: Partial<Record<Stage, SunoStep>> = { queued: 'text', running: 'first', done: 'complete' };
const stepTexts: Readonly<Record<SunoStep, string>> = {
  text: 'Text generation complete.',
  first: 'First music track generated.',
  complete: 'All generated successfully.',
};
/** What the samples last. */
const trackSeconds = 1;

export function createSunoFamily(fileUrl: FileUrl, steps: readonly SunoStep[]): Family {
  function readyFiles(task: KieTask): number {
    const all = fileNamesOf(task).length;
    if (task.stage === 'done') return all;
    return task.stage === 'running' ? Math.min(all, 1) : 0;
  }

  function tracksOf(task: KieTask) {
    return fileNamesOf(task).map((name, index) => ({
      id: `${task.taskId}-${index + 1}`,
      url: index < readyFiles(task) ? fileUrl(name) : '',
      prompt: task.input.prompt,
      modelName: `sandbox-${task.model}`,
      title: task.input.title ?? 'Untitled',
      tags: task.input.style ?? '',
      createTime: task.createTime,
      duration: trackSeconds,
    }));
  }

  return {
    api: 'suno',
    orderPath: '/api/v1/generate',
    recordPath: '/api/v1/generate/record-info',
    readOrder(body) {
      const order = readFlatOrder(body);
      if ('model' in order && order.callBackUrl === undefined)
        return { code: 422, text: 'callBackUrl: required' };
      return order;
    },
    stateOf(stage, fate) {
      if (stage === 'failed' && fate === 'reject-content') return 'SENSITIVE_WORD_ERROR';
      return stage === 'done' && fate === 'callback-exception' ? 'CALLBACK_EXCEPTION' : states[stage];
    },
    record(task) {
      const failure = task.stage === 'failed' ? failureOf(task) : undefined;
      const sunoData = tracksOf(task).map(({ url, ...track }) => ({
        ...track,
        audioUrl: url,
        streamAudioUrl: url,
        imageUrl: '',
      }));
      return {
        taskId: task.taskId,
        parentMusicId: '',
        param: JSON.stringify(task.order),
        response:
          task.stage === 'created' ? null : { taskId: task.taskId, sunoData: failure ? [] : sunoData },
        status: task.state,
        type: 'GENERATE',
        errorCode: failure ? errorCodeOf(task) : null,
        errorMessage: failure?.text ?? null,
      };
    },
    callbackBody(task) {
      const step = stepAt[task.stage];
      if (step === undefined) {
        const data = { callbackType: 'error', task_id: task.taskId, data: [] };
        return { code: errorCodeOf(task), msg: failureOf(task).text, data };
      }
      const data = tracksOf(task)
        .slice(0, readyFiles(task))
        .map(({ id, url, prompt, modelName, title, tags, createTime, duration }) => ({
          id,
          audio_url: url,
          stream_audio_url: url,
          image_url: '',
          prompt,
          model_name: modelName,
          title,
          tags,
          createTime,
          duration,
        }));
      return {
        code: 200,
        msg: stepTexts[step],
        data: { callbackType: step, task_id: task.taskId, data },
      };
    },
    callsBackNow(task) {
      const step = stepAt[task.stage];
      return step === undefined ? task.stage === 'failed' : steps.includes(step);
    },
    readyFiles,
  };
}

/** 400 stands for words that may not be sung; 501 is what Suno calls every other failure. */
function errorCodeOf(task: KieTask): number {
  if (task.outcomeFault?.does === 'reject-content') return 400;
  const named = task.outcomeFault?.does === 'fail' ? task.outcomeFault.failCode : undefined;
  return Number(named ?? 501);
}
