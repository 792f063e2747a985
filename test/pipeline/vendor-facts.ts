// Judges an order by the supplier's facts alone: the file in which the stand-in keeps them, in the supplier's
// words, read here with a checker of its own. Nothing of the catalogue or of the forms is used.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const factsSchema = z.object({
  id: z.string(),
  api: z.string(),
  at_least_one: z.array(z.string()).default([]),
  not_together: z.array(z.array(z.string())).default([]),
  params: z.record(
    z.string(),
    z.object({
      type: z.string(),
      required: z.boolean().default(false),
      required_if: z.record(z.string(), scalar).optional(),
      enum: z.array(scalar).optional(),
      min: z.number().default(-Infinity),
      max: z.number().default(Infinity),
      min_length: z.number().default(0),
      max_length: z.number().default(Infinity),
      max_items: z.number().default(Infinity),
    }),
  ),
});
export type Facts = z.infer<typeof factsSchema>;
type Rule = Facts['params'][string];

const all = z
  .array(factsSchema)
  .parse(JSON.parse(readFileSync(new URL('../../sandbox/kie/models.json', import.meta.url), 'utf8')));

export function factsOf({ api, vendorModel }: { api: string; vendorModel: string }): Facts {
  const facts = all.find(entry => entry.api === api && entry.id === vendorModel);
  if (!facts) throw new Error(`There are no facts of ${api} ${vendorModel}`);
  return facts;
}

/** Everything that is wrong with the input, as sentences; the model's name belongs to the order, not to the input. */
export function problemsOf(facts: Facts, input: Readonly<Record<string, unknown>>): string[] {
  const rules = Object.entries(facts.params).filter(([name]) => name !== 'model');
  const known = new Set(rules.map(([name]) => name));
  return [
    ...Object.keys(input)
      .filter(name => !known.has(name))
      .map(name => `${name} is unknown`),
    ...rules.flatMap(([name, rule]) => {
      if (Object.hasOwn(input, name))
        return parameterProblems(rule, input[name]).map(text => `${name} ${text}`);
      const needed =
        rule.required ||
        (rule.required_if &&
          Object.entries(rule.required_if).every(([other, wanted]) => input[other] === wanted));
      return needed ? [`${name} is missing`] : [];
    }),
    ...(facts.at_least_one.length > 0 && !facts.at_least_one.some(name => Object.hasOwn(input, name))
      ? [`none of ${facts.at_least_one.join(', ')} is given`]
      : []),
    ...facts.not_together
      .filter(names => names.every(name => Object.hasOwn(input, name)))
      .map(names => `${names.join(' and ')} are given together`),
  ];
}

function parameterProblems(rule: Rule, value: unknown): string[] {
  if (!rule.type.endsWith('[]')) return valueProblems(rule, rule.type, value);
  if (!Array.isArray(value)) return ['is no list'];
  if (value.length < 1 || value.length > rule.max_items) return [`has ${value.length} items`];
  return value.flatMap(item => valueProblems(rule, rule.type.slice(0, -2), item));
}

function valueProblems(rule: Rule, type: string, value: unknown): string[] {
  if (rule.enum) return rule.enum.some(allowed => allowed === value) ? [] : ['is none of the choices'];
  switch (type) {
    case 'string':
      return typeof value === 'string' ? textProblems(rule, value) : ['is no text'];
    case 'boolean':
      return typeof value === 'boolean' ? [] : ['is no boolean'];
    case 'integer':
      return Number.isInteger(value) ? rangeProblems(rule, Number(value)) : ['is no integer'];
    case 'number':
      return typeof value === 'number' ? rangeProblems(rule, value) : ['is no number'];
    default:
      return typeof value === 'string' && /^https?:\/\/./.test(value) ? [] : ['is no address'];
  }
}

function textProblems(rule: Rule, text: string): string[] {
  const length = Array.from(text).length;
  if (length < rule.min_length || length > rule.max_length) return [`has ${length} characters`];
  return rule.max < Infinity ? rangeProblems(rule, Number(text)) : [];
}

function rangeProblems({ min, max }: Rule, value: number): string[] {
  return value >= min && value <= max ? [] : [`${value} is out of range`];
}
