// The tasks of the KIE stand-in and their life, the same in each family: created → queued → running → done or
// failed. A task moves one stage on after `stepMs`, or only when asked to. How it ends was decided by its faults
// when it was created. What a stage is called outside is up to the families (family.ts).
import { randomBytes } from 'node:crypto';
import type { CallbackFault, FileFault, OutcomeFault } from './faults.ts';
import type { ApiFamily, MediaKind } from './models.ts';
import type { PictureSize } from './order-yield.ts';
import { fileTypes } from './result-files.ts';

/** `lost` is a stage that no documentation knows. */
export type Stage = 'created' | 'queued' | 'running' | 'done' | 'failed' | 'lost';

interface TaskPlan {
  readonly api: ApiFamily;
  readonly model: string;
  /** Without the model and the callback address, whichever way the family wraps them. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly callBackUrl: string | undefined;
  /** The body of the order as it came. */
  readonly order: unknown;
  readonly credits: number;
  readonly output: MediaKind;
  /** How many files were ordered. */
  readonly results: number;
  readonly size: PictureSize;
  readonly outcomeFault: OutcomeFault | undefined;
  readonly callbackFault: CallbackFault | undefined;
  readonly fileFault: FileFault | undefined;
}

export interface KieTask extends TaskPlan {
  readonly taskId: string;
  readonly stage: Stage;
  /** The stage in the words of the task's family. */
  readonly state: string;
  /** Unix milliseconds of the stand-in's clock. */
  readonly createTime: number;
  readonly updateTime: number;
  readonly completeTime: number | undefined;
}

export interface TaskStoreOptions {
  readonly now: () => number;
  readonly stepMs: number | 'manual';
  readonly stateOf: (task: Pick<KieTask, 'api' | 'stage' | 'outcomeFault'>) => string;
  /** Called after each move of a task. */
  readonly onMove: (task: KieTask) => void;
}

export interface TaskStore {
  create(plan: TaskPlan): KieTask;
  find(taskId: string): KieTask | undefined;
  /** All tasks, in the order of their creation. */
  all(): readonly KieTask[];
  /** Moves every task that is not at its end one stage on. */
  advance(): void;
  /** Moves one task through all its stages at once. */
  finish(taskId: string): void;
  stop(): void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function createTaskStore(options: TaskStoreOptions): TaskStore {
  const { now, stepMs, stateOf, onMove } = options;
  const tasks = new Map<string, Mutable<KieTask>>();
  const timers = new Map<string, NodeJS.Timeout>();

  /** False where the task stays as it is. */
  function step(task: Mutable<KieTask>): boolean {
    const next = nextStage(task);
    if (next === undefined) return false;
    task.stage = next;
    task.state = stateOf(task);
    task.updateTime = now();
    if (next === 'done' || next === 'failed') task.completeTime = task.updateTime;
    onMove(task);
    return true;
  }

  function schedule(task: Mutable<KieTask>): void {
    if (stepMs === 'manual' || nextStage(task) === undefined) return;
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
      const stage = 'created';
      const task: Mutable<KieTask> = {
        ...plan,
        taskId: randomBytes(16).toString('hex'),
        stage,
        state: stateOf({ ...plan, stage }),
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
      while (task && step(task));
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

/** Names of the files that the task gives in the end. The first begins with the task's id alone. */
export function fileNamesOf(task: KieTask): string[] {
  const { extension } = fileTypes[task.output];
  return Array.from({ length: givenResults(task) }, (_, index) =>
    index === 0 ? `${task.taskId}.${extension}` : `${task.taskId}-${index + 1}.${extension}`,
  );
}

function givenResults(task: KieTask): number {
  switch (task.outcomeFault?.does) {
    case 'give-no-urls':
      return 0;
    case 'give-fewer-files':
      return task.results - 1;
    default:
      return task.results;
  }
}

export interface Failure {
  /** A number as text. */
  readonly code: string;
  readonly text: string;
}

/** Why a failed task failed. */
export function failureOf(task: KieTask): Failure {
  const fault = task.outcomeFault;
  if (fault?.does === 'reject-content')
    return { code: '422', text: 'Your prompt was flagged by the content policy as sensitive' };
  return {
    code: (fault?.does === 'fail' ? fault.failCode : undefined) ?? '500',
    text: (fault?.does === 'fail' ? fault.failMsg : undefined) ?? 'Internal Error, please try again later',
  };
}

/** Undefined where the task stays as it is. */
function nextStage(task: KieTask): Stage | undefined {
  const fate = task.outcomeFault?.does;
  switch (task.stage) {
    case 'created':
      return 'queued';
    case 'queued':
      return fate === 'unknown-state' ? 'lost' : 'running';
    case 'running':
      if (fate === 'never-finish') return undefined;
      return fate === 'fail' || fate === 'reject-content' ? 'failed' : 'done';
    default:
      return undefined;
  }
}
