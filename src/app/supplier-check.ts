// Whether the supplier takes our key, asked once at the start.
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, errorType } from '../errors.ts';
import type { KieClient } from '../kie/client.ts';
import type { Telemetry } from '../otel/telemetry.ts';

const waitMs = 2_000;

/** By a call that costs nothing. Never rejects, and never waits long: without the supplier all but generating works. */
export async function checkSupplierKey(
  kie: Pick<KieClient, 'creditsLeft'>,
  telemetry: Pick<Telemetry, 'emit' | 'scrub'>,
): Promise<void> {
  const checked = kie.creditsLeft().then(
    () => undefined,
    (error: unknown) => {
      const isRefused = errorType(error) === 'KIE_REFUSED';
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'check KIE_API_KEY',
        error_type: errorType(error),
        error_message: telemetry.scrub(
          `${isRefused ? 'Look at KIE_API_KEY and its account: ' : ''}${errorMessage(error)}. Everything but generating works`,
        ),
      });
    },
  );
  await Promise.race([checked, sleep(waitMs, undefined, { ref: false })]);
}
