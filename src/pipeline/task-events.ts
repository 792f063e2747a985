// The fields by which every event of a task names it.
import type { TaskRow } from '../storage/task-row.ts';

export interface TaskFields {
  readonly task_id: string;
  readonly model_id: string;
  readonly model_version: string;
}

export function fieldsOf(task: Pick<TaskRow, 'id' | 'modelId' | 'modelVersion'>): TaskFields {
  return { task_id: task.id, model_id: task.modelId, model_version: task.modelVersion };
}
