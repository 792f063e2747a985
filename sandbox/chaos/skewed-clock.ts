// Loaded with `--import` before a program: its clock is off by CHAOS_CLOCK_SKEW_SECONDS. Timers are not.
const offsetMs = Number(process.env.CHAOS_CLOCK_SKEW_SECONDS ?? 0) * 1_000;
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  // Called as a function it ignores what it is given.
  apply: () => new RealDate(RealDate.now() + offsetMs).toString(),
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [RealDate.now() + offsetMs] : given, newTarget),
  get: (target, name, receiver) =>
    name === 'now' ? () => RealDate.now() + offsetMs : Reflect.get(target, name, receiver),
});
