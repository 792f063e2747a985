// The part of the program that sells and makes generations, put together: models, prices, wallets, the supplier, the
// pipeline, and what of Telegram it needs to read inputs and deliver results.
import { type Account, createAccount } from '../billing/account.ts';
import { createPriceList, type PriceList } from '../billing/price-list.ts';
import { createWallet } from '../billing/wallet.ts';
import { type Catalogue, createCatalogue } from '../catalogue/catalogue.ts';
import { type Config, isLoopback } from '../config/config.ts';
import { createProgressBoard } from '../delivery/progress-board.ts';
import { createTelegramSender } from '../delivery/telegram-sender.ts';
import { createKieClient, type KieClient } from '../kie/client.ts';
import { createDownloader } from '../kie/download.ts';
import type { LinkRules } from '../kie/link.ts';
import { createSpool } from '../kie/spool.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { CurrentLease } from '../lock/lease.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { createLiveSettings } from '../pipeline/live-settings.ts';
import { createPipeline, type Pipeline } from '../pipeline/pipeline.ts';
import type { PipelineTimings } from '../pipeline/timings.ts';
import { type CallbackStore, createCallbackStore } from '../storage/callback-store.ts';
import type { Database } from '../storage/database.ts';
import { createDeliveryStore } from '../storage/delivery-store.ts';
import type { MessageStore } from '../storage/message-store.ts';
import { createModelSettings } from '../storage/model-settings.ts';
import { createTaskStore, type TaskStore } from '../storage/task-store.ts';
import { createAdminAlarm } from '../telegram/admin-alarm.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { createInputFiles } from '../telegram/input-files.ts';
import type { Texts } from '../ui/texts.ts';

export interface Generations {
  readonly catalogue: Catalogue;
  readonly prices: PriceList;
  readonly account: Account;
  readonly pipeline: Pipeline;
  readonly tasks: TaskStore;
  readonly callbacks: CallbackStore;
  readonly kie: KieClient;
  readonly linkRules: LinkRules;
  /** Reads the settings of the models; rejects when that is not possible. */
  start(): Promise<void>;
}

export interface GenerationsOptions {
  readonly config: Config;
  readonly database: Database;
  readonly lease: CurrentLease;
  readonly telegram: TelegramApi;
  readonly messages: MessageStore;
  readonly pseudonyms: Pseudonyms;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
  readonly instanceId: string;
  readonly timings: PipelineTimings;
  /** Where the supplier reaches us; undefined where it cannot. Known once the server listens. */
  readonly publicUrl: () => string | undefined;
}

const downloadTimeoutMs = 60_000;

/** Throws when the catalogue is bad. */
export function createGenerations(options: GenerationsOptions): Generations {
  const { config, database, lease, telegram, texts, telemetry, lifecycle, instanceId } = options;
  const catalogue = createCatalogue({
    hasPublicAddress: () => options.publicUrl() !== undefined,
    ...(config.singleModel === undefined ? {} : { singleModel: config.singleModel }),
  });
  const settings = createLiveSettings({
    catalogue,
    store: createModelSettings(database),
    telemetry,
    instanceId,
  });
  lifecycle.onStop('settings of models', async () => settings.stop());
  const prices = createPriceList({ catalogue, rates: config.money.rates });
  const wallet = createWallet(lease);
  const kie = createKieClient({ ...config.kie, telemetry });
  lifecycle.onStop('KIE client', () => kie.close());
  // Files of a stand-in on this machine may be fetched from it; a public supplier may never point here.
  const allowLoopback = isLoopback(new URL(config.kie.apiUrl).hostname);
  const spool = createSpool();
  lifecycle.onStop('files on their way', () => spool.stop());
  const downloader = createDownloader({ allowLoopback, timeoutMs: downloadTimeoutMs, spool });
  lifecycle.onStop('downloader', () => downloader.close());
  const inputFiles = createInputFiles({ telegram, ...config.telegram, telemetry, spool });
  lifecycle.onStop('input files', () => inputFiles.close());
  const tasks = createTaskStore(database, lease);
  const callbacks = createCallbackStore(database);
  const shown = { telegram, messages: options.messages, catalogue, texts };
  const pipeline = createPipeline({
    database,
    tasks,
    callbacks,
    deliveries: createDeliveryStore({ database, lease, instanceId }),
    wallet,
    catalogue,
    kie,
    inputFiles,
    sender: createTelegramSender({ ...shown, startingPrice: prices.startingPrice, downloader, telemetry }),
    board: createProgressBoard(shown),
    alarm: createAdminAlarm({ telegram, adminIds: config.adminIds, telemetry }),
    offer: settings,
    telemetry,
    timings: options.timings,
    callbackUrl(token) {
      const base = options.publicUrl();
      return base === undefined ? undefined : `${base}/callbacks/kie/${token}`;
    },
  });
  const account = createAccount({
    database,
    wallet,
    welcomeCredit: config.money.welcomeCredit,
    userHash: options.pseudonyms.user,
    telemetry,
  });
  return {
    catalogue,
    prices,
    account,
    pipeline,
    tasks,
    callbacks,
    kie,
    linkRules: { allowLoopback },
    start: () => settings.start(),
  };
}
