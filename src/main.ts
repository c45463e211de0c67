/** Process entry: the command line in, an exit code out. */
import { runProgram } from './cli/program.ts';

await runProgram(process.argv.slice(2));
