// What carries the fields of an update to every event that is emitted while it is worked. Cids depend on it, an SDK does not.
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

/** For the rest of the process; changes nothing where that is done already, by an SDK or by this. */
export function carryContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}
