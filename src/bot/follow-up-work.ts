// Who does what updates have left to be done: one entry for each kind.
import type { Account } from '../billing/account.ts';
import type { FollowUpWork } from '../inbox/follow-ups.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { PersonalDataOffice } from './personal-data.ts';

export interface FollowUpWorkOptions {
  readonly account: Pick<Account, 'welcome'>;
  readonly pipeline: Pick<Pipeline, 'start'>;
  readonly personalData: Pick<PersonalDataOffice, 'sendAll' | 'erase'>;
}

export function createFollowUpWork({ account, pipeline, personalData }: FollowUpWorkOptions): FollowUpWork {
  return {
    async welcome(_, { chatId }) {
      await account.welcome(chatId);
      return 'done';
    },
    async start_task({ task }) {
      await pipeline.start(task);
      return 'done';
    },
    export: personalData.sendAll,
    erase: personalData.erase,
  };
}
