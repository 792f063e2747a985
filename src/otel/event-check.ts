// The contract of events at run time, for what the compiler cannot see: casts, values that are undefined or empty
// although their type says otherwise. For development and test only, where a defect of telemetry may end the work.
import { type EventName, events } from './events.ts';
import { type FieldName, fieldDefinitions } from './fields.ts';

type Values = Readonly<Record<string, unknown>>;

/** Throws with everything that is wrong with an event of that name and its own fields. */
export function checkEvent(name: string, fields: Values): void {
  if (!isEvent(name)) throw new Error(`There is no event ${name}`);
  const { required, optional }: { required: readonly string[]; optional: readonly string[] } = events[name];
  const problems = [
    ...required.filter(field => fields[field] === undefined).map(field => `${field} is missing`),
    ...Object.keys(fields)
      .filter(field => !required.includes(field) && !optional.includes(field))
      .map(field => `${field} is no field of it`),
    ...problemsOf(fields),
    ...unlisted(name, fields),
  ];
  if (problems.length > 0) throw new Error(`Event ${name}: ${problems.join(', ')}`);
}

/** The same for fields that surround events. */
export function checkAmbientFields(fields: Values): void {
  const problems = [
    ...Object.keys(fields)
      .filter(field => !isField(field))
      .map(field => `${field} is unknown`),
    ...problemsOf(fields),
  ];
  if (problems.length > 0) throw new Error(`Ambient fields: ${problems.join(', ')}`);
}

/** Codes that this event does not list. */
function unlisted(name: EventName, { detail_code: code }: Values): string[] {
  const definition = events[name];
  const details: readonly unknown[] = 'details' in definition ? definition.details : [];
  return code === undefined || details.includes(code) ? [] : [`detail_code of it cannot be ${code}`];
}

function problemsOf(fields: Values): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const problem = value === undefined || !isField(name) ? undefined : problemOf(name, value);
    return problem === undefined ? [] : [`${name} ${problem}`];
  });
}

function problemOf(name: FieldName, value: unknown): string | undefined {
  const { type, values, mayBeEmpty }: (typeof fieldDefinitions)[FieldName] = fieldDefinitions[name];
  if (type === 'number') return Number.isFinite(value) ? undefined : 'is no number';
  if (typeof value !== 'string') return 'is no text';
  if (value === '' && !mayBeEmpty) return 'is empty';
  const known: readonly unknown[] | undefined = values;
  return known && !known.includes(value) ? `cannot be ${value}` : undefined;
}

const isEvent = (name: string): name is EventName => Object.hasOwn(events, name);
const isField = (name: string): name is FieldName => Object.hasOwn(fieldDefinitions, name);
