/**
 * Prints at the end of a run what was skipped. The title of a test that may be skipped says what it needs, so the list
 * shows what this machine lacks.
 */
import type { Reporter, TestModule, TestSuite } from 'vitest/node';

export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => {
      const titles = skippedIn(module);
      return titles.map((title) => `  ${module.relativeModuleId}: ${title}`);
    });
    if (lines.length === 0) return;
    process.stdout.write(`\nSkipped here, ${lines.length} in all:\n${lines.join('\n')}\n`);
  }
}

/** A suite of which every test was skipped is one line. */
function skippedIn(parent: TestModule | TestSuite): string[] {
  return [...parent.children].flatMap((child) => {
    if (child.type === 'test') {
      const result = child.result();
      if (result.state !== 'skipped') return [];
      return [result.note === undefined ? child.fullName : `${child.fullName}: ${result.note}`];
    }
    const tests = [...child.children.allTests()];
    const isAll = tests.length > 0 && tests.every((test) => test.result().state === 'skipped');
    return isAll ? [`${child.fullName} (${tests.length} tests)`] : skippedIn(child);
  });
}
