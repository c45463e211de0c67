/** Copyright and licences of what is in the package: the agent, Node.js and every bundled library. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { nodeLicence } from './runtime.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Debian's copyright file. The licences of others fill a file of their own. */
export const COPYRIGHT = `migration-agent is licensed under the Apache License, Version 2.0, which on Debian systems is
/usr/share/common-licenses/Apache-2.0.

Copyright 2026 the migration-agent developers

It contains the Node.js runtime and libraries of others. Their copyright notices and licences are in
third-party-licences.gz beside this file.
`;

export function thirdPartyLicences(
  packages: readonly string[],
  architecture: Architecture,
): string {
  const native = join(ROOT, 'node_modules/koffi');
  const libraries = [...packages, native].filter((folder) =>
    existsSync(join(folder, 'package.json')),
  );
  /** Many packages share a licence text: each text is printed once, with the names of its packages. */
  const owners = new Map<string, string[]>();
  for (const folder of libraries) {
    const { name, version, license } = manifestOf(folder);
    const text = licenceText(folder) ?? `Licence: ${license ?? 'see the project'}`;
    owners.set(text, [...(owners.get(text) ?? []), `${name} ${version}`]);
  }
  const parts = [
    section('Node.js and what it contains', nodeLicence(architecture)),
    ...[...owners].map(([text, names]) => section(names.join(', '), text)),
  ];
  return parts.join('\n');
}

function section(title: string, text: string): string {
  return `${'='.repeat(78)}\n${title}\n${'='.repeat(78)}\n\n${text.trim()}\n`;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function licenceText(folder: string): string | undefined {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8');
}
