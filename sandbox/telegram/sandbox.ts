// Owns the composition: the state of one bot, the HTTP server in front of it, and the handle by which a test, a demo or
// a benchmark plays Telegram and its users.
// Promises determinism (all ids from counters, the clock injected, nothing random) and that stop() leaves nothing
// behind. Each sandbox is one bot with a token that is visibly no real one; it talks to this machine only.
// It does not know the bot under test: that one comes over HTTP, as it would to api.telegram.org.
import type { User, UserFromGetMe, WebhookInfo } from 'grammy/types';
import { createAlbumIds } from './album.ts';
import { createBotCommands } from './bot-commands.ts';
import type { BotState } from './bot-state.ts';
import { type ApiCall, type CallFilter, createCallJournal } from './call-journal.ts';
import { createChanges } from './changes.ts';
import { createChats } from './chats.ts';
import { createDispatcher } from './dispatcher.ts';
import { createFaults, type Fault } from './faults.ts';
import { createFileStore } from './file-store.ts';
import { startHttpServer } from './http-server.ts';
import { createLongPoll } from './long-poll.ts';
import { createMethods } from './methods/index.ts';
import { createQueries } from './queries.ts';
import { admitRawUpdate } from './raw-update.ts';
import { type TranscriptEntry, transcriptOf } from './transcript.ts';
import { createUpdateQueue } from './update-queue.ts';
import {
  createUser,
  DEFAULT_DEADLINE_MS,
  type SandboxUser,
  type SentUpdate,
  type UserOptions,
} from './user.ts';
import { createWebhook } from './webhook.ts';

export interface TelegramSandboxOptions {
  /** `<bot id>:<anything>`; a visibly false one if not given. */
  readonly token?: string;
  readonly botUsername?: string;
  /** Enforces Telegram's rule for webhook URLs: HTTPS on 443, 80, 88 or 8443. Without it loopback HTTP is taken. */
  readonly strictWebhook?: boolean;
  /** How long a pressed button can be answered, on the sandbox's clock; 15 s if not given. */
  readonly callbackLifetimeMs?: number;
  /**
   * The waits between deliveries of an update that the webhook does not accept. The first repetition comes at once, the
   * second after `base` (2 s), then twice as long each time up to `cap` (60 s).
   */
  readonly retryDelaysMs?: { readonly base?: number; readonly cap?: number };
  /** How long a webhook may take to answer; 60 s if not given. */
  readonly webhookTimeoutMs?: number;
  /** Wait before each call is executed, for benchmarks. */
  readonly delayMs?: number;
  /** False keeps only counts of calls and the newest messages of each chat, for long load tests. */
  readonly keepHistory?: boolean;
  /** Milliseconds; decides dates, lifetimes and rates. Waits and deadlines are real time. */
  readonly now?: () => number;
}

export interface TelegramSandbox {
  /** What a Bot API client takes as its root, `http://127.0.0.1:<port>`. */
  readonly apiRoot: string;
  readonly token: string;
  readonly bot: UserFromGetMe;
  /** A new user with a private chat. Throws when the id is taken. */
  user(options?: UserOptions): SandboxUser;
  /** The calls of the bot in the order in which they were decided. Throws without history. */
  calls(method?: string, filter?: CallFilter): ApiCall[];
  /** How many calls there were; known without history, too. */
  callCount(method?: string): number;
  /** Plans a failure for the next call that it matches. */
  failNext(fault: Fault): void;
  /** How many calls a planned failure has struck so far. */
  readonly faultsStruck: number;
  /** From now on nothing fails that was planned to. */
  clearFaults(): void;
  /** The next update is delivered twice. */
  duplicateNextUpdate(): void;
  /** What the chat shows now and what its user did, in order. */
  transcript(chatId: number): TranscriptEntry[];
  /** The bytes of a file that the bot or a user has sent. Throws for an unknown file_id. */
  fileBytes(fileId: string): Buffer;
  /**
   * Puts any update object into delivery, whatever its kind and whatever `allowed_updates` says, with its own
   * `update_id` or else the next one.
   */
  sendRaw(update: Readonly<Record<string, unknown>>): SentUpdate;
  readonly webhookInfo: WebhookInfo;
  /** Whether a getUpdates is waiting right now. */
  readonly isPolled: boolean;
  /**
   * Resolves when no update is waiting or under way: a webhook has accepted all of them, a poller has confirmed them.
   * Says nothing about the work that the bot does afterwards. Rejects at the deadline with what was left.
   */
  idle(deadlineMs?: number): Promise<void>;
  /** Methods and parse modes that were asked for and do not exist here. */
  readonly unimplementedMethods: readonly string[];
  /** Throws when something unimplemented was called, a planned fault never struck, or the sandbox itself has failed. */
  assertHealthy(): void;
  stop(): Promise<void>;
}

const DEFAULT_TOKEN = '7000000001:SANDBOX-this-is-no-real-bot-token-1';
const DEFAULT_USERNAME = 'sandbox_bot';
/** Above 2³², as the ids of new accounts are, so that a bot that stores them too small fails here. */
const FIRST_USER_ID = 6_100_000_001;
const DEFAULT_CALLBACK_LIFETIME_MS = 15_000;
const DEFAULT_RETRY_BASE_MS = 2000;
/** Telegram takes 60–120 s at random. */
const DEFAULT_RETRY_CAP_MS = 60_000;
const DEFAULT_WEBHOOK_TIMEOUT_MS = 60_000;

/** Starts a sandbox on an ephemeral loopback port. Resolves when it can be called. */
export async function startTelegramSandbox(options: TelegramSandboxOptions = {}): Promise<TelegramSandbox> {
  const { token = DEFAULT_TOKEN, now = Date.now, keepHistory = true } = options;
  const callbackLifetimeMs = options.callbackLifetimeMs ?? DEFAULT_CALLBACK_LIFETIME_MS;
  const bot = createBot(token, options.botUsername ?? DEFAULT_USERNAME);
  const changes = createChanges();
  const crashes: unknown[] = [];
  const onCrash = (error: unknown) => void crashes.push(error);
  const queue = createUpdateQueue(now);
  const queries = createQueries(now);
  const files = createFileStore();
  const longPoll = createLongPoll(queue, () => void changes.record());
  const journal = createCallJournal({ keepHistory, now });
  const faults = createFaults();
  const webhook = createWebhook({
    queue,
    now,
    isStrict: options.strictWebhook ?? false,
    retryBaseMs: options.retryDelaysMs?.base ?? DEFAULT_RETRY_BASE_MS,
    retryCapMs: options.retryDelaysMs?.cap ?? DEFAULT_RETRY_CAP_MS,
    timeoutMs: options.webhookTimeoutMs ?? DEFAULT_WEBHOOK_TIMEOUT_MS,
    execute: (method, parameters) =>
      void dispatcher.call(method, parameters, { onDisconnect: () => undefined }),
    onSettled: () => void changes.record(),
    onSet: () => longPoll.endBySetWebhook(),
  });
  const state: BotState = {
    bot,
    botUser: plainUser(bot),
    now,
    chats: createChats({ changes, now, keepHistory }),
    files,
    albumIds: createAlbumIds(),
    queue,
    longPoll,
    webhook,
    queries,
    commands: createBotCommands(),
  };
  const dispatcher = createDispatcher({
    methods: createMethods(state),
    faults,
    files,
    journal,
    queries,
    delayMs: options.delayMs ?? 0,
    onCrash,
  });
  const server = await startHttpServer({ token, dispatcher, onCrash });
  let nextUserId = FIRST_USER_ID;

  return {
    apiRoot: server.origin,
    token,
    bot,
    user(userOptions = {}) {
      while (state.chats.find(nextUserId) !== undefined) nextUserId += 1;
      const id = userOptions.id ?? nextUserId;
      if (state.chats.find(id) !== undefined) throw new Error(`user ${id} exists already`);
      return createUser(id, userOptions, { state, changes, callbackLifetimeMs });
    },
    calls: (method, filter) => journal.list(method, filter),
    callCount: method => journal.count(method),
    failNext: fault => faults.plan(fault),
    get faultsStruck() {
      return faults.struck;
    },
    clearFaults: faults.clear,
    duplicateNextUpdate: () => queue.duplicateNext(),
    transcript(chatId) {
      const chat = state.chats.find(chatId);
      return chat === undefined ? [] : transcriptOf(chat);
    },
    fileBytes(fileId) {
      const file = files.find(fileId);
      if (file === undefined) throw new Error(`no file ${fileId}`);
      return file.bytes;
    },
    sendRaw(update) {
      const { update_id } = queue.addRaw(update, admitRawUpdate(update, state, callbackLifetimeMs));
      return { updateId: update_id, isQueued: true, moment: changes.record(), messageId: undefined };
    },
    get webhookInfo() {
      return webhook.info;
    },
    get isPolled() {
      return longPoll.isWaiting;
    },
    async idle(deadlineMs = DEFAULT_DEADLINE_MS) {
      await changes.until(
        () => queue.isEmpty || undefined,
        deadlineMs,
        () => `updates are still waiting: ${describeQueue([...queue], webhook.info)}`,
      );
    },
    get unimplementedMethods() {
      return dispatcher.unimplemented();
    },
    assertHealthy() {
      const complaints = [
        ...dispatcher.unimplemented().map(name => `not implemented by the sandbox, but called: ${name}`),
        ...faults.unmet.map(fault => `planned, but never struck: ${JSON.stringify(fault)}`),
        ...crashes.map(error => `the sandbox itself failed: ${String(error)}`),
      ];
      if (complaints.length > 0) throw new AggregateError(crashes, complaints.join('\n'));
    },
    async stop() {
      changes.stop();
      longPoll.stop();
      await Promise.all([webhook.stop(), server.stop()]);
    },
  };
}

function createBot(token: string, username: string): UserFromGetMe {
  const id = Number.parseInt(token, 10);
  if (!/^\d+:\S+$/.test(token)) throw new Error('a bot token looks like 123456:letters');
  return {
    id,
    is_bot: true,
    first_name: 'Sandbox Bot',
    username,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
  };
}

function plainUser({ id, is_bot, first_name, username }: UserFromGetMe): User {
  return { id, is_bot, first_name, username };
}

function describeQueue(
  entries: readonly { update: { update_id: number }; kind: string }[],
  info: WebhookInfo,
): string {
  const updates = entries.map(({ update, kind }) => `${kind} ${update.update_id}`).join(', ');
  return info.last_error_message === undefined ? updates : `${updates} (${info.last_error_message})`;
}
