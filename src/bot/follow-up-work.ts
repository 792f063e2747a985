// Does the follow-ups of updates: one entry for each kind.
import type { Account } from '../billing/account.ts';
import type { FollowUpWork } from '../inbox/follow-ups.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { withDeadline } from '../telegram/call-deadline.ts';
import type { OwedScreens } from './owed-screens.ts';
import type { PersonalDataOffice } from './personal-data.ts';

export interface FollowUpWorkOptions {
  readonly account: Pick<Account, 'welcome'>;
  readonly pipeline: Pick<Pipeline, 'start'>;
  readonly personalData: Pick<PersonalDataOffice, 'sendAll' | 'erase'>;
  readonly owedScreens: OwedScreens;
  /** What each has for everything that it calls: its chat waits for it. */
  readonly deadlineMs: number;
}

export function createFollowUpWork(options: FollowUpWorkOptions): FollowUpWork {
  const { account, pipeline, personalData, owedScreens, deadlineMs } = options;
  return {
    async welcome(_, { chatId }) {
      await account.welcome(chatId);
      return 'done';
    },
    async start_task({ task }) {
      await pipeline.start(task);
      return 'done';
    },
    show: (owed, circumstances) => withDeadline(deadlineMs, () => owedScreens.show(owed, circumstances)),
    export: (asked, circumstances) =>
      withDeadline(deadlineMs, () => personalData.sendAll(asked, circumstances)),
    erase: (asked, circumstances) => withDeadline(deadlineMs, () => personalData.erase(asked, circumstances)),
  };
}
