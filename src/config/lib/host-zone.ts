/**
 * The time zone of the host, as its C library reads it: from TZ in every form (a name, a file, a POSIX rule), or from
 * /etc/localtime. JavaScript knows names and plain offsets only, so a rule or a copied file is looked up among the names.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

export interface HostZone {
  /** A name or an offset (`+05:30`) that Intl knows. Absent: see `problem`. */
  readonly zone?: string;
  readonly problem?: string;
}

interface ZoneFiles {
  readonly directory: string;
  readonly localtime: string;
}

const HOST_FILES: ZoneFiles = { directory: '/usr/share/zoneinfo', localtime: '/etc/localtime' };

export function hostZone(tz: string | undefined, files: ZoneFiles = HOST_FILES): HostZone {
  if (tz === undefined) return fromLocaltime(files);
  const text = tz.replace(/^:/, '');
  const zone = zoneOf(text, files);
  if (zone !== undefined) return { zone };
  return {
    problem: `the host's time zone is not known: TZ=${tz} is no name and no rule of a zone`,
  };
}

function zoneOf(text: string, files: ZoneFiles): string | undefined {
  if (text === '') return 'UTC';
  if (text.startsWith('/')) return fromFile(text, files);
  return known(text) ?? fixedOffset(text) ?? fromRule(text, files);
}

function fromLocaltime(files: ZoneFiles): HostZone {
  const { localtime } = files;
  if (readOrNothing(localtime) === undefined) return { zone: 'UTC' };
  const zone = fromFile(localtime, files);
  if (zone !== undefined) return { zone };
  return { problem: `the host's time zone is not known: ${localtime} is no file of a known zone` };
}

/** By the file that a link leads to, or else by the same content or the same rule. */
function fromFile(path: string, files: ZoneFiles): string | undefined {
  const name = nameBelow(realPath(path) ?? path, files);
  if (name !== undefined) return name;
  const content = readOrNothing(path);
  if (content === undefined) return undefined;
  return search(files, (file) => file.equals(content)) ?? fromRule(ruleOf(content), files);
}

function nameBelow(path: string, { directory }: ZoneFiles): string | undefined {
  const [, below] = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(path) ?? [];
  if (below !== undefined) return known(below);
  const root = realPath(directory) ?? directory;
  return path.startsWith(`${root}/`) ? known(path.slice(root.length + 1)) : undefined;
}

function known(name: string): string | undefined {
  // Intl takes any case. A file system does not.
  if (!/^[A-Z]/.test(name)) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return undefined;
  }
}

const ABBREVIATION = String.raw`(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)`;

/** tzset(3): `MSK-3`, `<+0530>-5:30`. The sign is that of what must be added to get UTC. */
function fixedOffset(rule: string): string | undefined {
  const [, sign = '+', hours, minutes = '00'] =
    new RegExp(`^${ABBREVIATION}([+-]?)(\\d{1,2})(?::(\\d{2})(?::00)?)?$`).exec(rule) ?? [];
  if (hours === undefined || Number(hours) > 23) return undefined;
  if (Number(hours) === 0 && Number(minutes) === 0) return 'UTC';
  return `${sign === '-' ? '+' : '-'}${hours.padStart(2, '0')}:${minutes}`;
}

/** A rule with summer time, by the first zone that follows the same rule. */
function fromRule(rule: string | undefined, files: ZoneFiles): string | undefined {
  if (rule === undefined || rule === '') return undefined;
  if (!new RegExp(`^${ABBREVIATION}[+-]?\\d`).test(rule)) return undefined;
  return fixedOffset(rule) ?? search(files, (file) => ruleOf(file) === rule);
}

/** The last line of a zone's file (RFC 9636) is the rule for the years to come. */
function ruleOf(file: Buffer): string | undefined {
  if (file.toString('latin1', 0, 4) !== 'TZif') return undefined;
  return /\n([^\n]*)\n$/.exec(file.toString('latin1', Math.max(0, file.length - 200)))?.[1];
}

function search({ directory }: ZoneFiles, isIt: (file: Buffer) => boolean): string | undefined {
  return Intl.supportedValuesOf('timeZone').find((name) => {
    const file = readOrNothing(join(directory, name));
    return file !== undefined && isIt(file);
  });
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** A zone's file has a few kB; nothing longer is one. */
const FILE_BYTES_MAX = 64 * 1024;

function readOrNothing(path: string): Buffer | undefined {
  try {
    const content = readFileSync(path);
    return content.length <= FILE_BYTES_MAX ? content : undefined;
  } catch {
    return undefined;
  }
}
