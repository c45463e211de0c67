/** Debian's form of the changelog: this version, its date, and where the whole one is. */
import type { Build } from './build.ts';

export const MAINTAINER = 'The migration-agent developers <migration-agent@example.com>';

export function changelog({ version, epochS }: Build): string {
  const date = new Date(epochS * 1000).toUTCString().replace('GMT', '+0000');
  return `migration-agent (${version}) stable; urgency=medium

  * Release ${version}; the project's CHANGELOG.md says what changed.

 -- ${MAINTAINER}  ${date}
`;
}
