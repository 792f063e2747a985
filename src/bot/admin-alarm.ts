// Calls the administrators when only they can help; about the account at most once an hour. An administrator who
// cannot be reached fails nothing; the event says so.
import type { Telemetry } from '../otel/telemetry.ts';
import type { Alarm } from '../pipeline/ports.ts';
import type { TelegramApi } from './api.ts';
import { refusedBy } from './refusal.ts';

export interface AdminAlarmOptions {
  readonly telegram: Pick<TelegramApi, 'api'>;
  readonly adminIds: readonly number[];
  readonly telemetry: Telemetry;
}

const accountIntervalMs = 60 * 60_000;

export function createAdminAlarm({ telegram, adminIds, telemetry }: AdminAlarmOptions): Alarm {
  let accountToldAt = Number.NEGATIVE_INFINITY;

  async function tell(operation: string, text: string): Promise<void> {
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
      if (performance.now() - accountToldAt < accountIntervalMs) return;
      accountToldAt = performance.now();
      await tell(
        'supplier account',
        `⚠️ KIE.ai refuses our account (${detail}). Check credits, key and caps at kie.ai. cid ${telemetry.cid()}`,
      );
    },
    async modelSwitchedOff(modelId) {
      await tell(
        'model switched off',
        `⚠️ KIE.ai has switched ${modelId} off; it is not offered any more. trt catalogue enable ${modelId} brings it back. cid ${telemetry.cid()}`,
      );
    },
  };
}
