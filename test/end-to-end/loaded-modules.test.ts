/** What an agent with nothing to do has loaded: each of these costs memory for as long as it runs, and time at each start. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { createSite } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let site: Site;
afterEach(async () => {
  await site.close();
});

interface Loaded {
  /** Files of the program and of packages. */
  readonly urls: readonly string[];
  /** Parts of Node.js. */
  readonly builtins: readonly string[];
  /** How often data of time zones were asked for. */
  readonly zones: number;
}

/** Writes down what the process loaded, when it ends. */
function recorder(file: string): string {
  const source = `
    import { registerHooks } from 'node:module';
    import { writeFileSync } from 'node:fs';
    const urls = [];
    let zones = 0;
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        urls.push(found.url);
        return found;
      },
    });
    Intl.DateTimeFormat = new Proxy(Intl.DateTimeFormat, {
      construct(target, args) {
        zones++;
        return Reflect.construct(target, args);
      },
    });
    process.on('exit', () => {
      const builtins = process.moduleLoadList;
      writeFileSync(${JSON.stringify(file)}, JSON.stringify({ urls, builtins, zones }));
    });`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

test('an idle agent that has called both services loaded nothing that it does not use', async () => {
  const text = `
migrationHub: { progressUpdateStream: test, createStream: true }
dataPipeline: { workerGroups: [files] }`;
  // From the sources: a bundle does not show which module a part of it was.
  site = await createSite(text, {}, join(import.meta.dirname, '../../src/migration-agent'));
  const file = join(site.directory, 'loaded.json');
  const agent = await site.start({ NODE_OPTIONS: `--import=${recorder(file)}` });
  await until('both services have answered', async () => {
    const { budgets } = await site.status();
    const accepted = budgets
      .filter((budget) => budget.accepted > 0)
      .map(({ operation }) => operation);
    return (
      accepted.includes('CreateProgressUpdateStream') &&
      accepted.includes('ReportTaskRunnerHeartbeat')
    );
  });
  expect(await agent.end('SIGTERM')).toBe(0);
  const { builtins, urls, zones } = JSON.parse(readFileSync(file, 'utf8')) as Loaded;
  expect(urls.some((url) => url.includes('/@aws-sdk/client-migration-hub/'))).toBe(true);
  const unused =
    /\/node_modules\/(?:prom-client|@opentelemetry|pino-pretty|ioredis)\/|\/src\/(?:simulator|control\/page|control\/routes\/(?:documents|openapi)|cli\/(?:demo|doctor|views))\//;
  expect(urls.filter((url) => unused.test(url))).toEqual([]);
  // An `import` of node:http loads it with the rest of that module, and so does a look at the globals Request or Response.
  expect(builtins.filter((name) => name.includes('undici/undici'))).toEqual([]);
  expect(zones).toBe(0);
});
