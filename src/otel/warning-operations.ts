// The closed list of what a SYSTEM_WARNING can be about: what did not work. Diagnosis tells trouble apart by these, so
// a name that is not listed here neither can be warned of nor asked for.
/** What an update left to be done. */
export const followUps = [
  'follow up of an unknown kind',
  'follow up erase',
  'follow up export',
  'follow up show',
  'follow up start_task',
  'follow up welcome',
] as const;

/** Housekeeping. */
const chores = [
  'compare the books',
  'delete what is old',
  'clean the queue',
  'keep the journal',
  'erase from the journal',
] as const;

export const warningOperations = [
  ...chores,
  ...followUps,
  'answer a checkout',
  'answer a refused tap',
  'answer a tap for its handler',
  'answer a waiting tap',
  'begin work',
  'check KIE_API_KEY',
  'count the inbox',
  'database connection',
  'dispatch update',
  'end of a handler that was given up',
  'end the former holder of the lock',
  'export lines',
  'finish update',
  'getUpdates',
  'give up a runner of the queue',
  'hold the lock',
  'http request',
  'job queue',
  'join the cluster',
  'leave a group',
  'leave the cluster',
  'look at a task',
  'look at the holder of the lock',
  'look at the other members',
  'look for housekeeping',
  'look for stranded work',
  'look for stuck taps',
  'look for waiting taps',
  'look where updates go',
  'migrate',
  'passive notice',
  'personal data',
  'read the debug level',
  'read the journal',
  'read the settings of models',
  'register at Telegram',
  'renew the membership',
  'restart the lane runner',
  'restart the task runner',
  'show that the lane runner works',
  'show that the task runner works',
  'SIGINT',
  'SIGTERM',
  'source of updates',
  'start',
  'stop',
  'stop a runner of the queue',
  'stop taking updates',
  'stop the workers',
  'stop work in the background',
  'store update',
  'tell of refused messages',
  'tell the user about a fault',
  'tell what was before',
  'work a lane',
  'write lines',
  'write the journal',
] as const;

export type WarningOperation = (typeof warningOperations)[number];
export type ChoreName = (typeof chores)[number];

/** What an update left to be done has failed. */
export type FollowUpOperation = (typeof followUps)[number];
