// Times and ages by the database's clock, because the clocks of processes differ.

/** SQL: milliseconds since the time in this column, as a float8. */
export const millisecondsSince = (column: string): string =>
  `(1000 * extract(epoch from clock_timestamp() - ${column}))::float8`;

/** SQL: epoch milliseconds as a number, which the driver reads far faster than the text of a timestamp. */
export const epochMs = (time: string): string => `extract(epoch from ${time})::float8 * 1000`;
