/** Process entry: the command line in, an exit code out. */
import { createProgram } from './cli/program.ts';

await createProgram().parseAsync();
