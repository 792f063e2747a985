// What is known afterwards of everything that happened, from all who know of it: the users, Telegram, KIE.ai, the
// database, the lines of the bot, and whoever watched the processes. Data only; laws.ts judges it.

/** Times are Unix milliseconds. */
export interface History {
  /** In a cluster each member has epochs of its own. */
  readonly isCluster: boolean;
  /** Every update that Telegram got a 200 for, once. */
  readonly acknowledged: readonly number[];
  /** In the order in which their outcomes were committed. */
  readonly updates: readonly StoredUpdate[];
  /** Calls that answered a tap or a checkout, also those that Telegram did not take. */
  readonly answers: readonly QueryAnswer[];
  /** How long an answer may take after the receipt of its tap. */
  readonly answerLimitMs: number;
  /** When answers could not be expected to arrive. */
  readonly excused: readonly Period[];
  readonly tasks: readonly StoredTask[];
  /** What KIE.ai has taken. */
  readonly orders: readonly Order[];
  readonly wallets: readonly Wallet[];
  /** In the order in which they were made. */
  readonly moves: readonly Move[];
  /** What should have been done by now, each in a few words. */
  readonly leftovers: readonly Finding[];
  /** What was open when the faults were over, and had no job that would look at it, before anything was started again. */
  readonly jobless: readonly Finding[];
  readonly bursts: readonly Burst[];
  readonly lastRequests: readonly LastRequest[];
  /** How many requests of users led to something that they saw in time, and how many did not. */
  readonly requests: { readonly seen: number; readonly unseen: number };
  /** Lines of the bot that are not as they must be. */
  readonly lines: readonly Finding[];
  /** What was seen of the processes while they ran: idle ones that said they were ready, ends that nobody asked for. */
  readonly processes: readonly Finding[];
  readonly memory: readonly MemoryPeak[];
  readonly faults: readonly StruckFault[];
  readonly efforts: readonly Effort[];
}

/** What has to have happened so often, or the history says nothing of the bot. */
export interface Effort {
  readonly what: string;
  readonly count: number;
  readonly least: number;
}

/** What became of all faults of one kind. */
export interface StruckFault {
  readonly name: string;
  readonly occasions: number;
  /** How many processes, sessions, connections and calls they have hit. */
  readonly hits: number;
}

export interface Period {
  readonly from: number;
  readonly to: number;
}

export interface Finding {
  /** An update, a cid, a task, a chat or an instance. */
  readonly subject: string;
  readonly problem: string;
}

export interface StoredUpdate {
  readonly id: number;
  readonly updateId: number;
  readonly lane: number;
  /** Telegram waits for the 200 to one before it sends the next of the same chat and the same type. */
  readonly eventType: string;
  readonly cid: string;
  readonly outcome: string | null;
  /** Null for what was ended at its receipt, which overtakes what waits. */
  readonly epoch: number | null;
  readonly receivedAt: number;
  /** Null while it has no outcome. */
  readonly finishedAt: number | null;
  /** Of the tap or checkout that it is. */
  readonly queryId: string | null;
}

export interface QueryAnswer {
  readonly queryId: string;
  readonly at: number;
  /** It was executed, whether or not the bot has heard of it. */
  readonly ok: boolean;
}

export interface StoredTask {
  readonly id: string;
  readonly state: string;
  /** Something was held for it. */
  readonly isSold: boolean;
  /** The user was notified that it failed, or that its result could not be delivered. */
  readonly isReportedFailed: boolean;
  readonly callbackToken: string;
}

export interface Order {
  readonly vendorTaskId: string;
  readonly callBackUrl: string | undefined;
}

export interface Wallet {
  readonly chatId: number;
  readonly available: number;
  readonly held: number;
}

export interface Move {
  readonly chatId: number;
  readonly kind: string;
  readonly available: number;
  readonly held: number;
  readonly taskId: string | null;
}

/** Requests that a user made without waiting, each of which leads to a screen that no other of them leads to. */
export interface Burst {
  readonly chatId: number;
  readonly updateIds: readonly number[];
  readonly asked: readonly string[];
  /** What the chat was shown from the first request to the next thing that the user did. */
  readonly shown: readonly string[];
}

export interface LastRequest {
  readonly chatId: number;
  readonly updateId: number;
  /** The user has seen something new since: a screen, a message, or words on the button. */
  readonly isAnswered: boolean;
}

export interface MemoryPeak {
  readonly process: string;
  readonly megabytes: number;
  readonly limitMegabytes: number;
}

/** Only what a test is about: all else is as if nothing had been done. */
export function historyOf(known: Partial<History>): History {
  return {
    isCluster: false,
    acknowledged: [],
    updates: [],
    answers: [],
    answerLimitMs: 15_000,
    excused: [],
    tasks: [],
    orders: [],
    wallets: [],
    moves: [],
    leftovers: [],
    jobless: [],
    bursts: [],
    lastRequests: [],
    requests: { seen: 0, unseen: 0 },
    lines: [],
    processes: [],
    memory: [],
    faults: [],
    efforts: [],
    ...known,
  };
}
