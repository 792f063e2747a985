// Walks every way, presses what stands at its end, sends every command, breaks every rule, each as a new user, and says
// of each what came of it. A step that fails ends its walk; the others go on.
import { errorMessage } from '../../src/errors.ts';
import { type ButtonName, type CommandName, commands } from '../../src/ui/registry.ts';
import { type ScreenId, screenIds } from '../../src/ui/screens.ts';
import type { EventLine, EventLog } from '../stage/event-log.ts';
import { commanded, describe, type Expected, isDone, pressed, problemsOf } from './expected.ts';
import { placeName } from './leftovers.ts';
import { type Rule, rules } from './rules.ts';
import { createVisitor, type Visitor } from './visitor.ts';
import { press, type Step, start, type Way, ways } from './ways.ts';
import { adminId, type World } from './world.ts';

export interface Check {
  readonly kind: 'button' | 'command' | 'rule' | 'way';
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly cid: string | undefined;
  /** Empty when all is as expected. */
  readonly problems: readonly string[];
}

export interface Walk {
  /** One by one, as they are known. When the time is up the last one says so, and the rest is not tried. */
  checks(): AsyncGenerator<Check, void>;
  /** Taps whose spinner still turns. */
  unanswered(): string[];
  /** How many steps there were in all, the ways included. */
  steps(): number;
}

const stepDeadlineMs = 3_000;
/** Of all steps together, so that a bot that is broken everywhere is reported in time. A busy machine needs a minute. */
const walkDeadlineMs = 120_000;
const lookEveryMs = 5;

const timeIsUp: Check = {
  kind: 'way',
  what: 'the rest',
  expected: `within ${walkDeadlineMs / 1_000} s`,
  seen: 'not tried',
  cid: undefined,
  problems: ['the time is up: what comes after this was not tried'],
};

export function createWalk(world: World, eventLog: EventLog): Walk {
  const visitors: Visitor[] = [];
  const tried = new Set<string>();
  const open: Way[] = [...ways];
  const known = new Set(ways.map(({ screen }) => screen));
  let steps = 0;
  let administrator: Visitor | undefined;

  function visitor(options: { readonly username?: string } = {}): Visitor {
    const created = createVisitor(
      world.telegram.user({ firstName: 'Visitor', languageCode: 'en', ...options }),
    );
    visitors.push(created);
    return created;
  }

  function admin(): Visitor {
    if (administrator) return administrator;
    administrator = createVisitor(
      world.telegram.user({ id: adminId, firstName: 'Administrator', languageCode: 'en' }),
    );
    visitors.push(administrator);
    return administrator;
  }

  /** Which screen the bot takes the newest message for. It is seen a moment before it is stored. */
  async function screenOf(person: Visitor): Promise<ScreenId> {
    const { messageId } = person.screen();
    const endsAt = performance.now() + stepDeadlineMs;
    while (performance.now() < endsAt) {
      const [row] = await world.query<{ screen_id: ScreenId }>(
        'select screen_id from messages where chat_id = $1 and message_id = $2',
        [person.user.chatId, messageId],
      );
      if (row) return row.screen_id;
      await new Promise(resolve => setTimeout(resolve, lookEveryMs));
    }
    throw new Error(`there is no record of the screen “${person.screen().text}”`);
  }

  async function perform(kind: Check['kind'], what: string, person: Visitor, step: Step): Promise<Check> {
    const { expected } = step;
    steps += 1;
    const check = { kind, what, expected: describe(expected) };
    try {
      if (step.needsScreen !== false) await screenOf(person);
      const { updateId } = await step.action(world)(person);
      const chain = (): readonly EventLine[] => eventLog.chain(eventLog.cidOf(updateId) ?? '');
      await eventLog.until(() => isDone(chain(), expected), stepDeadlineMs);
      const seen = chain();
      return { ...check, seen: seenIn(seen), cid: seen[0]?.cid, problems: problemsOf(seen, expected) };
    } catch (error) {
      const problem = errorMessage(error);
      return { ...check, seen: 'not done', cid: undefined, problems: [problem] };
    } finally {
      world.instance.switchTo(true);
    }
  }

  /** The first step that fails, named as part of `what`. */
  async function go(what: string, person: Visitor, steps: readonly Step[]): Promise<Check | undefined> {
    for (const step of steps) {
      const check = await perform('way', `${what}: ${step.what}`, person, step);
      if (check.problems.length > 0) return check;
    }
    return undefined;
  }

  /** Each button that stands at the end of the way and was not tried on that screen, each after a walk of its own. */
  async function* pressAll(place: Way): AsyncGenerator<Check, void> {
    const { screen, steps: way, admin: isAdmin } = place;
    for (let left = true; left; ) {
      const person = isAdmin ? admin() : visitor();
      const failed = await go(`the way to ${screen}`, person, way);
      if (failed) {
        yield failed;
        return;
      }
      const problem = await wrongPlace(person, screen);
      if (problem) {
        yield problem;
        return;
      }
      const untried = person.offered().filter(name => !tried.has(placeName(screen, name)));
      const [name] = untried;
      left = untried.length > 1;
      if (name === undefined) return;
      tried.add(placeName(screen, name));
      const check = await pressOne(person, screen, name);
      yield check;
      if (check.problems.length === 0) goOn(place, name, check);
    }
  }

  /** A screen that no way leads to is reached by what was just pressed. */
  function goOn({ steps: way, ...place }: Way, name: ButtonName, { cid = '' }: Check): void {
    const shown = eventLog.chain(cid).find(line => line.name === 'UI_RENDER')?.screen_id;
    const screen = screenIds.find(id => id === shown);
    if (screen === undefined || known.has(screen)) return;
    known.add(screen);
    open.push({ ...place, screen, steps: [...way, press(name)] });
  }

  async function wrongPlace(person: Visitor, screen: ScreenId): Promise<Check | undefined> {
    const seen = await screenOf(person).catch(() => 'no screen');
    if (seen === screen) return undefined;
    const what = `the way to ${screen}`;
    const problems = [`it leads to ${seen}`];
    return { kind: 'way', what, expected: screen, seen, cid: undefined, problems };
  }

  function pressOne(person: Visitor, screen: ScreenId, name: ButtonName): Promise<Check> {
    const expected = pressed(name, screen);
    return perform('button', `${screen}: ${name}`, person, press(name, undefined, expected));
  }

  async function send(name: CommandName): Promise<Check> {
    const isAdmin = 'admin' in commands[name];
    const person = isAdmin ? admin() : visitor();
    const what = `/${name}`;
    const isFirst = name === 'start';
    const failed = isAdmin || isFirst ? undefined : await go(what, person, [start]);
    const expected: Expected = isFirst ? start.expected : commanded(name);
    return (
      failed ??
      perform('command', what, person, {
        ...start,
        what,
        expected,
        action:
          () =>
          ({ user }) =>
            user.say(what),
      })
    );
  }

  async function breakRule({ what, place, step }: Rule): Promise<Check> {
    const person = visitor();
    return (await go(what, person, place)) ?? perform('rule', what, person, step);
  }

  async function* allChecks(): AsyncGenerator<Check, void> {
    const failed = await go('a user with a name', visitor({ username: 'smoke_visitor' }), [start]);
    if (failed) yield failed;
    // Grows while it is walked.
    for (const way of open) yield* pressAll(way);
    // SAFETY: the registry has its own keys.
    for (const name of Object.keys(commands) as CommandName[]) yield await send(name);
    for (const rule of rules) yield await breakRule(rule);
  }

  async function* checks(): AsyncGenerator<Check, void> {
    const endsAt = performance.now() + walkDeadlineMs;
    for await (const check of allChecks()) {
      yield check;
      if (performance.now() > endsAt) {
        yield timeIsUp;
        return;
      }
    }
  }

  return {
    checks,
    unanswered: () =>
      visitors
        .flatMap(({ clicks }) => clicks)
        .filter(({ answer }) => answer === undefined)
        .map(({ data, updateId }) => `cid=${eventLog.cidOf(updateId)}: the tap ${data} was never answered`),
    steps: () => steps,
  };
}

/** The reason of the end and the screen that was shown, or the last event. */
function seenIn(chain: readonly EventLine[]): string {
  const end =
    chain.findLast(({ name }) => name === 'DISPATCH_OK' || name === 'DISPATCH_FAIL') ?? chain.at(-1);
  const last = chain.findLast(({ name }) => name === 'RESULT_DELIVERED' || name === 'UI_RENDER');
  const shown = last?.name === 'RESULT_DELIVERED' ? `delivered ${last.operation}` : last?.screen_id;
  return [end?.reason_code ?? end?.name ?? 'nothing', shown].filter(Boolean).join(' → ');
}
