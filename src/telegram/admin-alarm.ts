// Calls the administrators when only they can help; about the account, the disk, and what was given up, at most once an
// hour, since one cause makes many of them. An administrator who cannot be reached fails nothing; the event says so.
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
  const toldAt = new Map<string, number>();

  function isTooSoon(what: string): boolean {
    const last = toldAt.get(what);
    if (last !== undefined && performance.now() - last < intervalMs) return true;
    toldAt.set(what, performance.now());
    return false;
  }

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
      if (isTooSoon('account')) return;
      await tell(
        'supplier account',
        `⚠️ KIE.ai refuses our account (${detail}). Check credits, key and caps at kie.ai. cid ${telemetry.cid()}`,
      );
    },
    async diskRefused(detail) {
      if (isTooSoon('disk')) return;
      await tell(
        'disk of files',
        `⚠️ Files of users and results cannot be passed on. ${detail}. Make room there, or set TMPDIR to a folder that the bot may write to. cid ${telemetry.cid()}`,
      );
    },
    async givenUp(detail) {
      if (isTooSoon('given up')) return;
      await tell(
        'task given up',
        `⚠️ A task was ended, or its delivery given up, because of a fault of ours (${detail}); its user is told. What follows within an hour is not told here. trt trace ${telemetry.cid()} shows it.`,
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
