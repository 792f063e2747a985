// SQL: whether another instance is at work in a lane. While it does what an update has left to be done, or works an update,
// the lane is its own: nobody else takes anything of it, nor takes it for left behind.

/** `me`: this instance; `limitMs`: a pick that is older than that does not count any more. All are SQL. */
export function isWorkedElsewhere(lane: string, me: string, limitMs: string): string {
  const theirs = `picked_by <> ${me} and picked_at > now() - ${limitMs} * interval '1 millisecond'`;
  return `(
    exists (select from updates as theirs where theirs.lane = ${lane} and outcome is null and ${theirs})
    or exists (select from follow_ups as theirs where theirs.lane = ${lane} and ${theirs}))`;
}
