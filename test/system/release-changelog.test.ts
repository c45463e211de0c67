/** The changelog of a release (systemd/package). */
import { expect, test } from 'vitest';
import { releasedChangelog } from '../../systemd/package/release-changelog.ts';

const BEFORE =
  '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- a thing\n\n## [1.0.0] - 2026-01-01\n\n- old\n';

test('gives the unreleased entries a version and a date, and keeps the rest', () => {
  expect(releasedChangelog(BEFORE, '1.1.0', '2026-02-03')).toBe(
    BEFORE.replace('## [Unreleased]\n', '## [Unreleased]\n\n## [1.1.0] - 2026-02-03\n'),
  );
});

test.each([
  ['an entry for 1.0.0 already', BEFORE, '1.0.0'],
  ['nothing below', BEFORE.replace('- a thing', ''), '1.1.0'],
  ['no section', '# Changelog\n', '1.1.0'],
])('refuses: %s', (message, text, version) => {
  expect(() => releasedChangelog(text, version, '2026-02-03')).toThrow(message);
});
