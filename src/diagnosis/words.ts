// Times and durations as people read them.
import { type Locale, type Localized, languageTags } from '../locales.ts';

const units: Localized<Readonly<Record<'milliseconds' | 'seconds' | 'minutes' | 'hours' | 'days', string>>> =
  {
    ru: { milliseconds: 'мс', seconds: 'с', minutes: 'мин', hours: 'ч', days: 'дн.' },
    en: { milliseconds: 'ms', seconds: 's', minutes: 'min', hours: 'h', days: 'days' },
  };

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `340 ms`, `4.2 s`, `17 min`, `5 h`, `3 days`. */
export function durationText(durationMs: number, locale: Locale): string {
  const unit = units[locale];
  if (durationMs < secondMs) return `${Math.round(durationMs)} ${unit.milliseconds}`;
  if (durationMs < minuteMs) return `${decimal(durationMs / secondMs, locale)} ${unit.seconds}`;
  if (durationMs < 2 * hourMs) return `${Math.round(durationMs / minuteMs)} ${unit.minutes}`;
  if (durationMs < 2 * dayMs) return `${Math.round(durationMs / hourMs)} ${unit.hours}`;
  return `${Math.round(durationMs / dayMs)} ${unit.days}`;
}

/** How long a text is: `12 characters`. */
export function charactersText(length: string, locale: Locale): string {
  return { ru: `${length} симв.`, en: `${length} characters` }[locale];
}

/** `2026-11-23 14:03:22 UTC`: admins read it beside log lines, which are in UTC. */
export function timeText(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function decimal(value: number, locale: Locale): string {
  const digits = value < 10 ? 1 : 0;
  return value.toLocaleString(languageTags[locale], {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
