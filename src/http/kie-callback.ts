// POST /callbacks/kie/:task: the news of KIE.ai about one task. The last path segment is the task's own secret
// (128 bits); with a webhook HMAC key configured the signature must be right too. Nothing joins the task's
// trace before that. The callback is stored before its 200; what it says is looked up, never believed.
import { SpanKind } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { jsonOrUndefined } from '../json.ts';
import { type Callback, parseCallback, verifyCallback } from '../kie/callback.ts';
import type { DetailCodeOf } from '../otel/events.ts';
import type { Refusals } from '../otel/refusals.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { fieldsOf } from '../pipeline/task-events.ts';
import type { Secret } from '../secret.ts';
import type { CallbackStore } from '../storage/callback-store.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { TaskStore } from '../storage/task-store.ts';

export interface KieCallbackOptions {
  readonly tasks: Pick<TaskStore, 'findByCallbackToken'>;
  readonly callbacks: Pick<CallbackStore, 'save' | 'wake'>;
  readonly hmacKey: Secret | undefined;
  readonly refusals: Refusals;
  readonly telemetry: Telemetry;
}

const paramsSchema = z.object({ task: z.string().regex(/^[0-9a-f]{32}$/) });

export function registerKieCallbackRoute(
  server: FastifyInstance,
  { tasks, callbacks, hmacKey, refusals, telemetry }: KieCallbackOptions,
): void {
  const refuse = (
    reason: 'PERMISSION_DENIED' | 'UNKNOWN_ACTION' | 'VALIDATION_FAILED',
    code: DetailCodeOf<'KIE_CALLBACK'>,
    detail: string,
  ): void =>
    refusals.refused('KIE_CALLBACK', {
      result: 'rejected',
      reason_code: reason,
      detail_code: code,
      reason_detail: detail,
    });

  server.post('/callbacks/kie/:task', async (request, reply) => {
    const params = paramsSchema.safeParse(request.params);
    const found = params.success ? await tasks.findByCallbackToken(params.data.task) : undefined;
    if (!found) {
      refuse('UNKNOWN_ACTION', 'no_such_task', 'no task has this path');
      return reply.code(404).send({ ok: false });
    }
    const { task, nowSeconds } = found;
    const text = String(request.body ?? '');
    const callback = parseCallback(jsonOrUndefined(text));
    if (!callback) {
      refuse('VALIDATION_FAILED', 'no_task_named', 'the body names no task');
      return reply.code(400).send({ ok: false });
    }
    const refusal =
      hmacKey &&
      verifyCallback({
        key: hmacKey,
        headers: request.headers,
        taskId: callback.vendorTaskId,
        // A clock of ours that is wrong must not refuse what KIE.ai signs.
        nowSeconds,
      });
    if (refusal && !refusal.ok) {
      refuse('PERMISSION_DENIED', refusal.reason, refusal.reason);
      return reply.code(401).send({ ok: false });
    }
    if (task.vendorTaskId !== null && task.vendorTaskId !== callback.vendorTaskId) {
      refuse('PERMISSION_DENIED', 'other_task', 'the body names another task than the path');
      return reply.code(401).send({ ok: false });
    }
    await accept(task, callback);
    return { ok: true };
  });

  function accept(task: TaskRow, callback: Callback): Promise<void> {
    const ids = fieldsOf(task);
    return telemetry.inSpan(
      'kie callback',
      {
        kind: SpanKind.SERVER,
        traceparent: task.traceparent,
        fields: { event_type: 'kie_callback', ...ids },
      },
      async () => {
        await callbacks.save(task.id, callback);
        telemetry.emit('KIE_CALLBACK', { result: 'accepted', reason_code: 'SUCCESS', ...ids });
        // Woken last, so that the events of what the callback leads to come after its own.
        await callbacks.wake(task.id);
      },
    );
  }
}
