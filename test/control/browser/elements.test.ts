/** Times and durations as the status page writes them, and the answers that it takes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { browserScript, useSmallDocument } from './small-document.ts';
import type { SmallDocument, SmallElement } from './small-document.ts';

const { at, clock, element, load, remark, since, span } = await browserScript<{
  at: (id: string) => SmallElement;
  clock: (iso: string) => string;
  element: (tag: string, text?: string, className?: string) => SmallElement;
  load: (path: string) => Promise<unknown>;
  remark: (text: string) => SmallElement;
  since: (from: string, to: string) => string;
  span: (seconds: number) => string;
}>('elements.ts');

let page: SmallDocument;
beforeEach(() => {
  page = useSmallDocument();
});

test.each([
  [0, '0s'],
  [-7.4, '7s'],
  [59.4, '59s'],
  [59.5, '1m00s'],
  [61, '1m01s'],
  [3_599, '59m59s'],
  [3_600, '1h00m'],
  [3_660, '1h01m'],
  [86_399, '23h59m'],
  [86_400, '1d0h'],
  [2 * 86_400 + 4 * 3_600 + 59, '2d4h'],
])('%d seconds are %s', (seconds, text) => {
  expect(span(seconds)).toBe(text);
});

test('what lies ahead is no time ago', () => {
  expect(since('2026-11-22T03:00:00.000Z', '2026-11-22T03:01:05.000Z')).toBe('1m05s');
  expect(since('2026-11-22T03:00:00.000Z', '2026-11-22T02:00:00.000Z')).toBe('0s');
});

test('the time of today is written without its date, that of another day with it', () => {
  const today = new Date().toISOString().slice(0, 10);
  expect(clock(`${today}T03:04:05.678Z`)).toBe('03:04:05');
  expect(clock('2020-02-29T03:04:05.678Z')).toBe('2020-02-29 03:04:05');
});

test('an element has its text and class, and none that were not given', () => {
  const made = element('p', '<b>text</b>', 'faint');
  expect([made.tagName, made.textContent, made.className]).toEqual(['p', '<b>text</b>', 'faint']);
  const bare = element('p', undefined, '');
  expect([bare.textContent, bare.className]).toEqual(['', '']);
});

test('a remark is a row of one cell as wide as the table', () => {
  const line = remark('No jobs yet.');
  const [cell] = line.elements();
  expect(line.tagName).toBe('tr');
  expect(cell).toMatchObject({ tagName: 'td', colSpan: 5, className: 'faint' });
  expect(line.textContent).toBe('No jobs yet.');
});

test('an element that the page lacks is named', () => {
  expect(at('jobs')).toBe(page.id('jobs'));
  expect(() => at('nothing')).toThrow('the page has no element nothing');
});

test('a document is read anew each time; an answer that is no success is an error', async () => {
  let status = 200;
  const server = createServer((_request, response) => {
    response.writeHead(status).end('{"a":1}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.json`;
  expect(await load(url)).toEqual({ a: 1 });
  status = 503;
  await expect(load(url)).rejects.toThrow('status 503');
});
