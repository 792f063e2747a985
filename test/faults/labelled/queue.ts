// Faults between the receipt and the work: a chat that is busy, no ACTIVE instance, a lost lock or database, an inbox
// without room.
import type { SandboxUser } from '../../../sandbox/telegram/index.ts';
import { handlers } from '../../../src/handlers/index.ts';
import type { InstanceState } from '../../../src/lock/instance-state.ts';
import { type BotUnderTest, waitFor } from '../../support/bot.ts';
import { cidAfter, cidAtEnd, type Group, userAtMenu } from './scenario.ts';

/** /help is not answered until it may be; then the next one hangs, until all are released. */
function hangingHelp() {
  let isReleased = false;
  let answer = Promise.withResolvers<void>();
  const help: typeof handlers.commands.help = async (context, argument) => {
    if (!isReleased) await answer.promise;
    return handlers.commands.help(context, argument);
  };
  return {
    handlers: { ...handlers, commands: { ...handlers.commands, help } },
    answer() {
      answer.resolve();
      answer = Promise.withResolvers<void>();
    },
    release() {
      isReleased = true;
      answer.resolve();
    },
  };
}

const busy = hangingHelp();

export const busyFaults: Group = {
  name: 'a busy chat',
  options: { overrides: { handlers: busy.handlers } },
  release: async () => busy.release(),
  scenarios: [
    {
      name: 'a tap behind an action that takes long',
      cause: 'waiting_in_queue',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await cidAfter(bot, user.say('/help'), 'COMMAND_START');
        return cidAfter(bot, user.click('🎨 Pictures'), 'ANSWER_CALLBACK_QUERY');
      },
    },
    {
      name: 'a tap that had to wait',
      cause: 'waited_in_queue',
      async provoke(bot) {
        const [waiting] = bot.lines.filter(
          ({ name, latency_ms }) => name === 'ANSWER_CALLBACK_QUERY' && latency_ms !== undefined,
        );
        busy.answer();
        const cid = String(waiting?.cid);
        await bot.waitForEvent(cid, 'DISPATCH_OK');
        return cid;
      },
    },
    {
      name: 'a command that is worked at this moment',
      cause: 'still_running',
      async provoke(bot) {
        return cidAfter(bot, (await userAtMenu(bot)).say('/help'), 'COMMAND_START');
      },
    },
    {
      name: 'an update that is worked for the second time',
      cause: 'worked_again',
      provoke: bot => afterAttempts(bot, 1),
    },
    {
      name: 'an update that three attempts have not ended',
      cause: 'dead_letter',
      provoke: bot => afterAttempts(bot, 3),
    },
  ],
};

type Situation = 'active' | 'abandoned';

function switchableState() {
  let now: Situation = 'active';
  const state: InstanceState = {
    isActive: () => now === 'active',
    isAbandoned: () => now === 'abandoned',
    isHolderLate: () => false,
  };
  return {
    state,
    become(situation: Situation) {
      now = situation;
    },
  };
}

const role = switchableState();
let waitingUser: SandboxUser | undefined;

export const passiveFaults: Group = {
  name: 'no ACTIVE instance',
  options: { overrides: { state: role.state } },
  scenarios: [
    {
      name: 'a tap while nobody is ACTIVE',
      cause: 'no_active_instance',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        role.become('abandoned');
        return cidAfter(bot, user.click('🎨 Pictures'), 'PASSIVE_NOTICE');
      },
    },
    {
      name: 'a message while nobody is ACTIVE',
      cause: 'waiting_for_active',
      async provoke(bot) {
        waitingUser = bot.user();
        return cidAfter(bot, waitingUser.say('/help'), 'PASSIVE_NOTICE');
      },
    },
    {
      name: 'a message that waited for somebody to become ACTIVE',
      cause: 'waited_for_active',
      async provoke(bot) {
        const [waiting] = bot.lines.filter(
          ({ name, event_type }) => name === 'PASSIVE_NOTICE' && event_type === 'command',
        );
        role.become('active');
        // A lane that was left is looked at again with its next update.
        waitingUser?.start();
        const cid = String(waiting?.cid);
        await bot.waitForEvent(cid, 'DISPATCH_OK');
        return cid;
      },
    },
  ],
};

const locked = hangingHelp();
const privacy: typeof handlers.commands.privacy = async () => {
  throw new Error('the row is not there');
};
const lockedHandlers = { ...locked.handlers, commands: { ...locked.handlers.commands, privacy } };

export const databaseFaults: Group = {
  name: 'the database and the lock',
  options: { overrides: { handlers: lockedHandlers } },
  async release(bot) {
    locked.release();
    // The lock comes back only when what hung has ended.
    await waitFor('the lock', () => bot.lines.filter(({ name }) => name === 'LOCK_ACQUIRED').at(1));
  },
  scenarios: [
    {
      name: 'an update that could not be stored',
      cause: 'not_stored',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await bot.database.query('alter table updates rename to updates_away');
        const { updateId } = user.click('🎨 Pictures');
        const { cid } = await bot.waitForLine(line => line.update_id === updateId);
        await bot.waitForLine(({ operation }) => operation === 'store update');
        await bot.database.query('alter table updates_away rename to updates');
        return cid;
      },
    },
    {
      name: 'a command that failed while the database did',
      cause: 'failed_in_outage',
      provoke: async bot => cidAtEnd(bot, (await userAtMenu(bot)).say('/privacy')),
    },
    {
      name: 'an update that was worked when the lock was lost',
      cause: 'lock_lost',
      async provoke(bot) {
        const cid = await cidAfter(bot, (await userAtMenu(bot)).say('/help'), 'COMMAND_START');
        await bot.database.query(
          `select pg_terminate_backend(pid) from pg_locks
           where locktype = 'advisory' and granted
             and database = (select oid from pg_database where datname = current_database())`,
        );
        await bot.waitForLine(({ name }) => name === 'LOCK_LOST');
        return cid;
      },
    },
  ],
};

const full = hangingHelp();

export const fullFaults: Group = {
  name: 'an inbox without room',
  options: { environment: { INBOX_MAX: '3' }, overrides: { handlers: full.handlers } },
  release: async () => full.release(),
  scenarios: [
    {
      name: 'an inbox that is full',
      cause: 'inbox_full',
      async provoke(bot) {
        const user = bot.user({ started: true });
        for (let count = 0; count < 5; count += 1) user.say('/help');
        return (await bot.waitForLine(({ name }) => name === 'QUEUE_FULL')).cid;
      },
    },
  ],
};

const flooded = hangingHelp();

export const floodFaults: Group = {
  name: 'a chat that has its share of the inbox',
  options: { environment: { INBOX_CHAT_MAX: '2' }, overrides: { handlers: flooded.handlers } },
  release: async () => flooded.release(),
  scenarios: [
    {
      name: 'a command of a chat that has too many waiting',
      cause: 'chat_flood',
      async provoke(bot) {
        const user = bot.user({ started: true });
        for (let count = 0; count < 5; count += 1) user.say('/help');
        return (await bot.waitForLine(({ name }) => name === 'COMMAND_REJECTED')).cid;
      },
    },
  ],
};

/** A tap whose earlier picks ended without an outcome, so many of them. */
async function afterAttempts(bot: BotUnderTest, attempts: number): Promise<string> {
  const user = await userAtMenu(bot);
  // Its handler is called at once after this line.
  await cidAfter(bot, user.say('/help'), 'COMMAND_START');
  const tap = user.click('🎨 Pictures');
  await waitFor('the tap in the inbox', async () => {
    const [row] = await bot.database.query(
      'update updates set attempts = $2 where update_id = $1 returning 1',
      [tap.updateId, attempts],
    );
    return row;
  });
  busy.answer();
  return cidAtEnd(bot, tap);
}
