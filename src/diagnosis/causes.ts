// All causes, in the order in which they are asked: what never became an update of ours goes first, then what went
// wrong last in the chain (a dead letter, a generation, the update itself), then why a tap was refused, then what is
// still under way, then what followed the end, then the good ends. The first that is recognized is the cause.
import type { CauseDefinition } from './cause.ts';
import { deliveryCauses, pendingCauses } from './causes/delivery.ts';
import { endingCauses, lastCauses } from './causes/ending.ts';
import { deadLetterCauses, faultCauses, unfinishedCauses } from './causes/fault.ts';
import { followUpCauses } from './causes/follow-up.ts';
import { inputCauses } from './causes/input.ts';
import { callbackCauses, processCauses } from './causes/process.ts';
import { receiptCauses } from './causes/receipt.ts';
import { tapCauses } from './causes/tap.ts';
import { taskCauses } from './causes/task.ts';

export const causes = {
  ...receiptCauses,
  ...callbackCauses,
  ...processCauses,
  ...deadLetterCauses,
  ...taskCauses,
  ...deliveryCauses,
  ...faultCauses,
  ...tapCauses,
  ...inputCauses,
  ...unfinishedCauses,
  ...pendingCauses,
  ...followUpCauses,
  ...endingCauses,
  ...lastCauses,
} as const satisfies Readonly<Record<string, CauseDefinition>>;

export type Cause = keyof typeof causes;
