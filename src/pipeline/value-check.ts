// Whether a value fits its parameter: the one place with this rule, for a fresh answer and for one that was
// stored before the catalogue changed.
import type { Parameter } from '../catalogue/schema.ts';
import type { FormValue } from '../catalogue/values.ts';
import type { Problem } from './problem.ts';

/** What is wrong with the value, or undefined when it can be sent as it is. */
export function valueProblem(parameter: Parameter, value: FormValue): Problem | undefined {
  switch (parameter.type) {
    case 'text': {
      if (typeof value !== 'string') return 'too_short';
      // The supplier counts characters, not UTF-16 units.
      const length = [...value].length;
      if (length < parameter.minLength) return 'too_short';
      return length > parameter.maxLength ? 'too_long' : undefined;
    }
    case 'choice':
      return parameter.values.some(allowed => allowed === value) ? undefined : 'not_a_choice';
    case 'switch':
      return typeof value === 'boolean' ? undefined : 'not_a_choice';
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'not_a_number';
      if (parameter.whole && !Number.isInteger(value)) return 'not_whole';
      // Beyond the safe integers a number is no longer the one that was typed.
      if (value < Math.max(parameter.min ?? -Infinity, Number.MIN_SAFE_INTEGER)) return 'too_small';
      return value > Math.min(parameter.max ?? Infinity, Number.MAX_SAFE_INTEGER) ? 'too_large' : undefined;
    case 'files':
      if (!Array.isArray(value) || value.length === 0) return 'no_files';
      return value.length > parameter.maxItems ? 'too_many_files' : undefined;
  }
}
