import { expect, test } from 'vitest';
import { isHostAllowed } from '../../../src/control/http/host-header.ts';

const ALLOWED = ['Migration01.example.com', 'other.example.com.'];

test.each<[string | undefined, boolean]>([
  // It comes from no browser.
  [undefined, true],
  ['127.0.0.1', true],
  ['10.0.0.7:9464', true],
  ['[::1]', true],
  ['[fe80::1]:9464', true],
  ['localhost', true],
  ['LOCALHOST:9464', true],
  ['localhost.', true],
  ['migration01.example.com', true],
  ['MIGRATION01.EXAMPLE.COM.:9464', true],
  ['other.example.com', true],
  // Names that somebody could make point to this host.
  ['evil.example.com', false],
  ['migration01.example.com.evil.com', false],
  ['xmigration01.example.com', false],
  ['127.0.0.1.evil.com', false],
  ['localhost.evil.com', false],
  // No host at all.
  ['', false],
  ['[127.0.0.1]', false],
  ['[zz]', false],
  ['::1', false],
  ['127.0.0.256', false],
  ['user@localhost', false],
  ['localhost/x', false],
  ['localhost:', false],
  ['localhost:123456', false],
  ['localhost:9464x', false],
  [' localhost', false],
])('%j is answered: %s', (host, isAllowed) => {
  expect(isHostAllowed(host, ALLOWED)).toBe(isAllowed);
});

test('without configured names only addresses and localhost are answered', () => {
  expect(isHostAllowed('migration01.example.com', [])).toBe(false);
  expect(isHostAllowed('127.0.0.1', [])).toBe(true);
});
