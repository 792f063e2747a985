// What a person at a terminal reads when the bot does not start, or waits: sentences instead of JSON.

/** Of warnings whose message is a sentence that needs nothing beside it. */
const operations = ['start', 'check KIE_API_KEY'];

interface Lines {
  write(line: string): void;
}

/** Lines of a start that fails or waits go to `terminal` as text, all others to `others` as they are. */
export function createStartLines(terminal: Lines, others: Lines): Lines {
  return {
    write(line) {
      const text = textOf(line);
      if (text === undefined) others.write(line);
      else terminal.write(`${text}\n`);
    },
  };
}

/** `line` is JSON; only those that look like it are read. */
function textOf(line: string): string | undefined {
  const isFailure = line.includes('"name":"BOOT_FAIL"');
  if (!isFailure && !operations.some(name => line.includes(`"operation":"${name}"`))) return undefined;
  const { error_message: message } = JSON.parse(line);
  if (typeof message !== 'string') return undefined;
  return isFailure ? `The bot does not start. ${message}` : message;
}
