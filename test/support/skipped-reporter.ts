/**
 * Prints at the end of a run what was skipped. The title of a test that may be skipped says what it needs, so the list
 * shows what this machine lacks.
 */
import type { Reporter, TestModule, TestSuite } from 'vitest/node';
import { IS_LONG } from './long-run.ts';

export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => {
      const titles = skippedIn(module);
      return titles.map((title) => `  ${module.relativeModuleId}: ${title}`);
    });
    if (!IS_LONG) {
      process.stdout.write(
        '\n`npm run test:long` runs more seeds, larger numbers, more of the real tools and more faults at once.\n',
      );
    }
    if (lines.length === 0) return;
    process.stdout.write(`\nSkipped here, ${lines.length} in all:\n${lines.join('\n')}\n`);
  }
}

/** A title that says why. */
const HAS_REASON = /\b(?:skipped|needs|missing)\b/;

/** A suite of which every test was skipped is one line, if its title says why. */
function skippedIn(parent: TestModule | TestSuite): string[] {
  return [...parent.children].flatMap((child) => {
    if (child.type === 'test') {
      const result = child.result();
      if (result.state !== 'skipped') return [];
      const title = child.fullName;
      if (result.note !== undefined) return [`${title}: ${result.note}`];
      return [HAS_REASON.test(title) ? title : `${title}: its title does not say why`];
    }
    const tests = [...child.children.allTests()];
    const isAll =
      HAS_REASON.test(child.name) && tests.every((test) => test.result().state === 'skipped');
    return isAll ? [`${child.fullName} (${tests.length} tests)`] : skippedIn(child);
  });
}
