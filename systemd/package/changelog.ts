/** The changelog in Debian's form: this version and its date. CHANGELOG.md has the rest. */
import { MAINTAINER } from './package-build.ts';
import type { PackageBuild } from './package-build.ts';

export function changelog({ version, epochS }: PackageBuild): string {
  const date = new Date(epochS * 1000).toUTCString().replace('GMT', '+0000');
  return `migration-agent (${version}) stable; urgency=medium

  * Release ${version}; CHANGELOG.md of the documents says what changed.

 -- ${MAINTAINER}  ${date}
`;
}
