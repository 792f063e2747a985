// The command line `trt`: its words, its environment, its output and its exit code.
import { linesOfLog } from './log-input.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  print: text => console.log(text),
  complain: text => console.error(text),
  readLines: () => linesOfLog(process.stdin),
  // Asks NO_COLOR too.
  hasColours: process.stdout.isTTY === true && process.stdout.hasColors(),
});
