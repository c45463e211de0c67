/** Process entry: the command line in, an exit code out. */
import { writeFileSync } from 'node:fs';
import { useCompileCache } from './cli/compile-cache.ts';

try {
  // ps, top and systemctl show this name; the threads of Node are named otherwise.
  writeFileSync('/proc/self/comm', 'migration-agent');
} catch {
  // No Linux: the name of the program stays.
}
useCompileCache();
const { runProgram } = await import('./cli/program.ts');
await runProgram(process.argv.slice(2));
