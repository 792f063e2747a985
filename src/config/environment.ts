// Variables read each by itself: what is wrong with one hides nothing that is wrong with another, and a rule over
// several is asked only where each of them can be used.
import type { z } from 'zod';
import { AppError } from '../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with a value that is fine by itself, as `NAME what is wrong and what to do`. */
export class Problem {
  readonly sentence: string;

  constructor(sentence: string) {
    this.sentence = sentence;
  }
}

export interface Reading<Values> {
  /**
   * What `make` makes of the variables of these names, which it is handed when each of them can be used; undefined
   * otherwise, because what is wrong is known already, and where it returns a Problem, which is kept.
   */
  derive<const Name extends keyof Values, Derived>(
    names: readonly Name[],
    make: (values: Pick<Values, Name>) => Derived | Problem,
  ): Derived | undefined;
  /** All of them. Throws one AppError CONFIG_INVALID that lists every problem so far, one per line. */
  complete(): Values;
}

export function readVariables<Schemas extends Readonly<Record<string, z.ZodType>>>(
  schemas: Schemas,
  environment: Environment,
): Reading<{ readonly [Name in keyof Schemas]: z.output<Schemas[Name]> }> {
  type Values = { readonly [Name in keyof Schemas]: z.output<Schemas[Name]> };
  const usable: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(schemas)) {
    const parsed = schema.safeParse(environment[name]);
    if (parsed.success) usable[name] = parsed.data;
    else for (const { message } of parsed.error.issues) problems.push(`${name} ${message}`);
  }
  // SAFETY: each value was made by the schema of its name; `derive` and `complete` ask for the names that are missing.
  const values = usable as Values;

  return {
    derive(names, make) {
      if (!names.every(name => Object.hasOwn(usable, name))) return undefined;
      const made = make(values);
      if (!(made instanceof Problem)) return made;
      problems.push(made.sentence);
      return undefined;
    },
    complete() {
      if (problems.length === 0) return values;
      const lines = problems.map(problem => `  ${problem}`).join('\n');
      throw new AppError({
        code: 'CONFIG_INVALID',
        message: `The configuration is not usable:\n${lines}`,
      });
    },
  };
}
