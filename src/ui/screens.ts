// The screens of the bot: what each needs to be drawn, what is remembered of it beside its message, and
// how it treats the form. Names are stored and logged: they never change their meaning.
import { z } from 'zod';
import type { Category } from '../catalogue/schema.ts';
import type { Action } from '../diagnosis/action.ts';
import type { Dashboard, Judged, ServiceStatus } from '../diagnosis/admin-diagnostics.ts';
import type { Verdict } from '../diagnosis/verdict.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Form } from '../pipeline/form.ts';

/** Where the user's money is after a task that gave no result: back, kept because KIE.ai delivered, or never taken. */
export type MoneyAfterFailure = 'returned' | 'charged' | 'untouched';

/** One line of the history of a balance; kopecks, negative when it went down. */
export interface BalanceMove {
  readonly kind: string;
  readonly amount: number;
  readonly at: Date;
}

/** What a handler must hand over to show a screen. */
export interface ScreenData {
  MAIN_MENU: Record<never, never>;
  CATEGORY_PICK: { readonly category: Category /** From 0. */; readonly page?: number };
  BEST: Record<never, never>;
  FREE: Record<never, never>;
  /** Without `found` it only asks what to look for; those found are keys of models. */
  SEARCH: { readonly found?: readonly string[] };
  MODEL_PICK: { readonly model: string };
  PARAMS_FORM: { readonly form: Form };
  OPTIONS: { readonly form: Form };
  /** `available`: what the user can spend, in kopecks. */
  CONFIRM: { readonly form: Form; readonly price: number; readonly available: number };
  PROCESSING: { readonly task: string; readonly model: string /** 0–100. */; readonly progress?: number };
  RESULT: { readonly task: string; readonly model: string };
  RESULT_ERROR: {
    readonly task: string;
    readonly model: string;
    readonly reason: ReasonCode;
    readonly cid: string;
    readonly money: MoneyAfterFailure;
    /** There is a result, and only its delivery failed. */
    readonly hasResult: boolean;
  };
  BALANCE: { readonly available: number; readonly held: number; readonly moves: readonly BalanceMove[] };
  HELP: Record<never, never>;
  /** `consent`: texts may stand in telemetry. `journalDays`: 0 without a journal. */
  PRIVACY: { readonly consent: boolean; readonly journalDays: number };
  /** What would be lost, in kopecks. */
  PRIVACY_ERASE: { readonly available: number };
  UPDATING: Record<never, never>;
  /** Something failed: the sentence with its cid, in words without markup. Beside the screen that the user is on. */
  FAULT: { readonly notice: string };
  /** For administrators, as the two below. */
  DEBUG: {
    readonly status: ServiceStatus;
    readonly dashboard: Dashboard;
    /** Until when all instances tell more; undefined when they do not. */
    readonly debugUntil: Date | undefined;
  };
  /** All traces of a cid; `nothing` where there are none. */
  DEBUG_CHAIN: {
    readonly cid: string;
    readonly judged: readonly Judged[];
    readonly nothing: Verdict | undefined;
  };
  DEBUG_USER: {
    readonly who: string;
    readonly actions: readonly Action[];
    /** Why the journal could not be read, in a sentence. */
    readonly unread?: string | undefined;
    /** The user has reported a problem: the verdicts on what went wrong lately. */
    readonly complaint?: readonly string[];
  };
}

export type ScreenId = keyof ScreenData;

interface ScreenDefinition {
  /** Showing the screen opens or moves the form it is given, keeps the user's form, or closes it. */
  readonly form: 'holds' | 'keeps' | 'closes';
}

export const screens = {
  MAIN_MENU: { form: 'closes' },
  CATEGORY_PICK: { form: 'closes' },
  BEST: { form: 'closes' },
  FREE: { form: 'closes' },
  SEARCH: { form: 'closes' },
  MODEL_PICK: { form: 'closes' },
  PARAMS_FORM: { form: 'holds' },
  OPTIONS: { form: 'holds' },
  CONFIRM: { form: 'holds' },
  PROCESSING: { form: 'closes' },
  RESULT: { form: 'keeps' },
  RESULT_ERROR: { form: 'keeps' },
  BALANCE: { form: 'keeps' },
  HELP: { form: 'keeps' },
  PRIVACY: { form: 'keeps' },
  PRIVACY_ERASE: { form: 'keeps' },
  UPDATING: { form: 'keeps' },
  FAULT: { form: 'keeps' },
  DEBUG: { form: 'keeps' },
  DEBUG_CHAIN: { form: 'keeps' },
  DEBUG_USER: { form: 'keeps' },
} as const satisfies Record<ScreenId, ScreenDefinition>;

export const screenIds = Object.keys(screens) as ScreenId[];

/** What is stored beside a message about the screen it shows: ids only, never what a user wrote. */
export const screenRecordSchema = z.object({
  category: z.string().optional(),
  /** From 1: the first one, 0, is left out. */
  page: z.int().optional(),
  model: z.string().optional(),
  draft: z.string().optional(),
  revision: z.int().optional(),
  task: z.string().optional(),
});
export type ScreenRecord = z.infer<typeof screenRecordSchema>;

/** What is stored of a screen beside its message: identifiers alone, no texts. */
export function recordOf<S extends ScreenId>(data: ScreenData[S]): ScreenRecord {
  // SAFETY: every member of ScreenData is a subset of this union of optional fields.
  const { form, category, page, model, task } = data as {
    form?: Form;
    category?: string;
    page?: number;
    model?: string;
    task?: string;
  };
  if (form) return { model: form.model, draft: form.draft, revision: form.revision };
  return {
    ...(category === undefined ? {} : { category }),
    ...(page ? { page } : {}),
    ...(model === undefined ? {} : { model }),
    ...(task === undefined ? {} : { task }),
  };
}
