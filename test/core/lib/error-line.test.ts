/** The line that says why, of what real programs print when they fail. */
import { expect, test } from 'vitest';
import { errorLine } from '../../../src/core/lib/error-line.ts';

test.each([
  [
    'pg_dump, no server',
    `pg_dump: error: connection to server at "127.0.0.1", port 9 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections?`,
    'pg_dump: error: connection to server at "127.0.0.1", port 9 failed: Connection refused',
  ],
  [
    'pg_dump, no permission',
    `pg_dump: error: query failed: ERROR:  permission denied for table orders
pg_dump: detail: Query was: LOCK TABLE public.orders IN ACCESS SHARE MODE`,
    'pg_dump: error: query failed: ERROR:  permission denied for table orders',
  ],
  [
    'psql with its place',
    `psql:load.sql:3: ERROR:  column "x" does not exist
LINE 1: select x
               ^
HINT:  Perhaps you meant "y".`,
    'psql:load.sql:3: ERROR:  column "x" does not exist',
  ],
  [
    'rsync',
    `rsync: [sender] link_stat "/nonexist" failed: No such file or directory (2)
rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]`,
    'rsync: [sender] link_stat "/nonexist" failed: No such file or directory (2)',
  ],
  [
    'tar',
    `tar: /srv/a: Cannot stat: No such file or directory
tar: Exiting with failure status due to previous errors`,
    'tar: /srv/a: Cannot stat: No such file or directory',
  ],
  [
    'python',
    `Traceback (most recent call last):
  File "load.py", line 3, in <module>
ValueError: no such table`,
    'ValueError: no such table',
  ],
  [
    'java',
    `Exception in thread "main" java.lang.IllegalStateException: no space
\tat Load.main(Load.java:5)`,
    'Exception in thread "main" java.lang.IllegalStateException: no space',
  ],
  ['one line', 'disk full\n', 'disk full'],
  ['only explanations', '  a\n  HINT: b\n\n', 'HINT: b'],
])('%s', (_name, output, line) => {
  expect(errorLine(output)).toBe(line);
});

test('no output', () => {
  expect(errorLine(' \n\n')).toBeUndefined();
});
