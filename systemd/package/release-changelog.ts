/** The changelog of a release: what was unreleased gets the version and the date, above which a new section begins. */

export function releasedChangelog(text: string, version: string, date: string): string {
  if (text.includes(`\n## [${version}]`)) {
    throw new Error(`CHANGELOG.md has an entry for ${version} already`);
  }
  const [, entries] = /^## \[Unreleased\]\n([^]*?)(?=^## \[|(?![^]))/m.exec(text) ?? [];
  if (entries === undefined) throw new Error('CHANGELOG.md has no section "## [Unreleased]"');
  if (!/^- /m.test(entries)) {
    throw new Error(
      'CHANGELOG.md has nothing below "## [Unreleased]": there is nothing to release',
    );
  }
  return text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${date}\n`);
}
