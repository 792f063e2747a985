// The tasks of the KIE stand-in and their life: waiting → queuing → generating → success or fail. A task
// moves one state on after `stepMs`, or only when told to. How it ends was decided by its faults when it
// was created. Also writes the record that recordInfo and the callbacks carry.
import { randomBytes } from 'node:crypto';
import type { CallbackFault, FileFault, OutcomeFault } from './faults.ts';
import type { PictureSize } from './models.ts';

interface TaskOrder {
  readonly model: string;
  readonly input: unknown;
  readonly callBackUrl?: string | undefined;
}

interface TaskPlan extends TaskOrder {
  readonly credits: number;
  readonly size: PictureSize;
  readonly outcomeFault?: OutcomeFault | undefined;
  readonly callbackFault?: CallbackFault | undefined;
  readonly fileFault?: FileFault | undefined;
}

export interface KieTask extends TaskPlan {
  readonly taskId: string;
  readonly state: string;
  /** Unix milliseconds of the stand-in's clock. */
  readonly createTime: number;
  readonly updateTime: number;
  readonly completeTime: number | undefined;
}

export interface TaskStoreOptions {
  readonly now: () => number;
  readonly stepMs: number | 'manual';
  /** Where the result of a task lies. */
  readonly fileUrl: (taskId: string) => string;
  /** Called once for each task that reaches its end. */
  readonly onEnd: (task: KieTask) => void;
}

export interface TaskStore {
  create(plan: TaskPlan): KieTask;
  find(taskId: string): KieTask | undefined;
  /** All tasks, in the order of their creation. */
  all(): readonly KieTask[];
  /** Moves every task that is not at its end one state on. */
  advance(): void;
  /** Moves one task to its end at once, without `onEnd`. */
  finish(taskId: string): void;
  /** `data` of recordInfo and of callbacks. */
  record(task: KieTask): Readonly<Record<string, unknown>>;
  stop(): void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function createTaskStore(options: TaskStoreOptions): TaskStore {
  const { now, stepMs, fileUrl, onEnd } = options;
  const tasks = new Map<string, Mutable<KieTask>>();
  const timers = new Map<string, NodeJS.Timeout>();

  function moveTo(task: Mutable<KieTask>, state: string): void {
    task.state = state;
    task.updateTime = now();
    if (isEnd(state)) task.completeTime = task.updateTime;
  }

  function step(task: Mutable<KieTask>): void {
    const next = nextState(task);
    if (next === undefined) return;
    moveTo(task, next);
    if (isEnd(next)) onEnd(task);
  }

  function schedule(task: Mutable<KieTask>): void {
    if (stepMs === 'manual' || nextState(task) === undefined) return;
    const timer = setTimeout(() => {
      timers.delete(task.taskId);
      step(task);
      schedule(task);
    }, stepMs);
    timers.set(task.taskId, timer);
  }

  return {
    create(plan) {
      const createTime = now();
      const task: Mutable<KieTask> = {
        ...plan,
        taskId: randomBytes(16).toString('hex'),
        state: 'waiting',
        createTime,
        updateTime: createTime,
        completeTime: undefined,
      };
      tasks.set(task.taskId, task);
      schedule(task);
      return task;
    },
    find: taskId => tasks.get(taskId),
    all: () => [...tasks.values()],
    advance() {
      for (const task of tasks.values()) step(task);
    },
    finish(taskId) {
      const task = tasks.get(taskId);
      if (!task) return;
      for (let next = nextState(task); next !== undefined; next = nextState(task)) moveTo(task, next);
    },
    record: task => recordOf(task, fileUrl(task.taskId)),
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

function isEnd(state: string): boolean {
  return state === 'success' || state === 'fail';
}

/** Undefined where the task stays as it is. */
function nextState(task: KieTask): string | undefined {
  switch (task.state) {
    case 'waiting':
      return 'queuing';
    case 'queuing':
      return task.outcomeFault?.does === 'unknown-state' ? 'postponed' : 'generating';
    case 'generating':
      switch (task.outcomeFault?.does) {
        case 'fail':
        case 'reject-content':
          return 'fail';
        case 'never-finish':
          return undefined;
        default:
          return 'success';
      }
    default:
      return undefined;
  }
}

function recordOf(task: KieTask, fileUrl: string): Record<string, unknown> {
  const failed = task.state === 'fail';
  const succeeded = task.state === 'success';
  const resultUrls = task.outcomeFault?.does === 'give-no-urls' ? [] : [fileUrl];
  return {
    taskId: task.taskId,
    model: task.model,
    state: task.state,
    param: JSON.stringify({ model: task.model, input: task.input, callBackUrl: task.callBackUrl }),
    resultJson: succeeded ? JSON.stringify({ resultUrls }) : '',
    failCode: failed ? failureOf(task).code : '',
    failMsg: failed ? failureOf(task).text : '',
    costTime: task.completeTime === undefined ? null : task.completeTime - task.createTime,
    completeTime: task.completeTime ?? null,
    createTime: task.createTime,
    updateTime: task.updateTime,
    ...(succeeded ? { creditsConsumed: task.credits } : {}),
  };
}

function failureOf(task: KieTask): { code: string; text: string } {
  const fault = task.outcomeFault;
  if (fault?.does === 'reject-content')
    return { code: '422', text: 'Your prompt was flagged by the content policy as sensitive' };
  return fault?.does === 'fail'
    ? { code: fault.failCode ?? '500', text: fault.failMsg ?? 'Internal Error, please try again later' }
    : { code: '', text: '' };
}
