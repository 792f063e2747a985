// Calls the administrators when only they can help. About the account, the disk and what was given up it calls at most
// once an hour, because one cause leads to many calls. It fails nothing when an administrator cannot be reached; the
// event says so.
import type { OperationOf } from '../otel/events.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Alarm } from '../pipeline/ports.ts';
import type { TelegramApi } from './api.ts';
import { refusedBy } from './refusal.ts';

export interface AdminAlarmOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly adminIds: readonly number[];
  readonly telemetry: Telemetry;
}

const intervalMs = 60 * 60_000;

export function createAdminAlarm({ telegram, adminIds, telemetry }: AdminAlarmOptions): Alarm {
  const calledAt = new Map<string, number>();

  function isTooSoon(what: string): boolean {
    const last = calledAt.get(what);
    if (last !== undefined && performance.now() - last < intervalMs) return true;
    calledAt.set(what, performance.now());
    return false;
  }

  async function call(operation: OperationOf<'ADMIN_ALARM'>, text: string): Promise<void> {
    for (const adminId of adminIds) {
      const refusal = await refusedBy(telegram.api.sendMessage(adminId, text).then(() => undefined));
      telemetry.emit('ADMIN_ALARM', {
        operation,
        result: refusal ? 'failed' : 'accepted',
        reason_detail: refusal?.detail,
      });
    }
  }

  return {
    async accountRefused(detail) {
      if (isTooSoon('account')) return;
      await call(
        'supplier account',
        `⚠️ KIE.ai refuses our account (${detail}). Check credits, key and caps at kie.ai. cid ${telemetry.cid()}`,
      );
    },
    async diskRefused(detail) {
      if (isTooSoon('disk')) return;
      await call(
        'disk of files',
        `⚠️ Files of users and results cannot be passed on. ${detail}. Make room there, or set TMPDIR to a folder that the bot may write to. cid ${telemetry.cid()}`,
      );
    },
    async givenUp(detail) {
      if (isTooSoon('given up')) return;
      await call(
        'task given up',
        `⚠️ A task was ended, or its delivery given up, because of a fault of ours (${detail}); its user has been notified. You will hear of no other such case within the next hour. trt trace ${telemetry.cid()} shows it.`,
      );
    },
    async modelSwitchedOff(modelId) {
      await call(
        'model switched off',
        `⚠️ KIE.ai has switched ${modelId} off; it is not offered any more. trt catalogue enable ${modelId} brings it back. cid ${telemetry.cid()}`,
      );
    },
  };
}
