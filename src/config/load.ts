/**
 * From the text of the configuration file to a `Configuration`, or to everything that is wrong with it.
 * Pure but for `readConfiguration`, which reads the file and the shared AWS files.
 */
import { readFile } from 'node:fs/promises';
import { buildConfiguration, regionOfEnvironment } from './build/build.ts';
import type { Configuration } from './build/configuration.ts';
import { crossChecks } from './checks/cross-checks.ts';
import { derivedValues } from './build/derived.ts';
import { SourceDocument } from './lib/document.ts';
import type { Environment } from './lib/document.ts';
import { problemsOfIssues, issueMessage } from './issues.ts';
import { keyOf, sortProblems } from './lib/problem.ts';
import { regionOfProfile } from './lib/profile-region.ts';
import type { Path, Place, Problem } from './lib/problem.ts';
import { configurationFile, configurationSchema } from './schema/schema.ts';
import type { ConfigurationFile } from './schema/schema.ts';
import { read } from './schema/walk.ts';
import { isGiven } from './schema/values.ts';
import { riskyValues } from './checks/warnings.ts';

export interface ConfigurationSource {
  readonly file: string;
  readonly text: string;
  readonly environment: Environment;
  readonly hostname: string;
  /** Counts if neither the file nor the environment has a region. */
  readonly regionOfProfile?: (profile: string | undefined) => string | undefined;
}

export type Loaded =
  | {
      readonly ok: true;
      readonly configuration: Configuration;
      readonly warnings: readonly Problem[];
      /** Where a key is in the file, or the nearest one above it. */
      readonly placeOf: (path: Path) => Place;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function loadConfiguration(source: ConfigurationSource): Loaded {
  const { text, hostname } = source;
  const document = new SourceDocument(text, source.environment, isText);
  const environment = withProfileRegion(source, document.value);
  const broken = document.brokenAt;
  if (document.value === null && broken === undefined) {
    return refused(
      '(file)',
      'the file is empty; config/minimal.yaml shows the least that is needed',
    );
  }
  const { file, issues } = parse(document);
  const schemaProblems =
    issues.length === 0 ? [] : problemsOfIssues(issues, document, configurationSchema());
  const problems = [
    ...document.problems,
    ...octalProblems(document, file),
    ...[
      ...schemaProblems.filter((problem) => !document.unknown.has(problem.key)),
      ...(broken === undefined ? crossProblems(document, environment, hostname) : []),
    ].map((problem) => withoutValue(problem, document)),
  ]
    .filter(
      (problem) =>
        broken === undefined || document.isSyntaxError(problem) || isSure(problem, broken),
    )
    .filter((problem, _index, all) => !isMisspelt(problem, all));
  if (problems.length > 0 || file === undefined) {
    return { ok: false, problems: sortProblems(problems) };
  }

  const built = buildConfiguration(file, environment, hostname);
  const warnings = sortProblems(
    riskyValues(file, environment, hostname).map(({ path, message }) => ({
      ...placeOf(document, path),
      key: keyOf(path),
      message,
    })),
  );
  const configuration: Configuration = {
    ...built,
    warnings,
    written: {
      tree: document.value,
      fromEnvironment: document.fromEnvironment,
      derived: derivedValues(file, built, environment, environment !== source.environment),
    },
  };
  return { ok: true, configuration, warnings, placeOf: (path) => placeOf(document, path) };
}

/** The environment, with the region of the profile if nothing else names one. */
function withProfileRegion(source: ConfigurationSource, tree: unknown): Environment {
  const { environment } = source;
  if (isGiven(read(tree, 'aws', 'region')) || regionOfEnvironment(environment) !== undefined) {
    return environment;
  }
  const profile = read(tree, 'aws', 'profile');
  const region = source.regionOfProfile?.(typeof profile === 'string' ? profile : undefined);
  return region === undefined ? environment : { ...environment, AWS_REGION: region };
}

/** Reads and loads a file. A file that cannot be read is a problem like the others. */
export async function readConfiguration(
  file: string,
  environment: Environment,
  hostname: string,
): Promise<Loaded> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return refused('(file)', whyUnreadable(error));
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return loadConfiguration({
      file,
      text,
      environment,
      hostname,
      regionOfProfile: (profile) => regionOfProfile(profile, environment),
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refused('(file)', 'is not UTF-8; save it in this encoding');
  }
}

/** Words of commands, environments, matches and users keep their spelling, like `0777`. */
function isText(path: Path): boolean {
  const [section, second, third] = path;
  if (section === 'jobs') {
    return third === 'user' || third === 'command' || third === 'environment';
  }
  return section === 'dataPipeline' && second === 'activities' && path[3] === 'match';
}

function parse(document: SourceDocument): {
  file?: ConfigurationFile;
  issues: Parameters<typeof problemsOfIssues>[0];
} {
  const first = configurationFile.safeParse(document.value, { error: issueMessage });
  if (first.success) return { file: first.data, issues: [] };
  // An environment variable is text. If the key needs a number or a boolean, convert it. A number that is written where the
  // key needs text keeps its letters.
  const tree = structuredClone(document.value);
  for (const issue of first.error.issues) {
    keepLetters(issue, [], tree, document);
    if (issue.code !== 'invalid_type' || !document.fromEnvironment.has(keyOf(issue.path))) continue;
    const text = read(tree, ...issue.path);
    const holder = read(tree, ...issue.path.slice(0, -1)) as Record<PropertyKey, unknown>;
    const last = issue.path.at(-1) ?? '';
    if (issue.expected === 'boolean' && (text === 'true' || text === 'false')) {
      holder[last] = text === 'true';
    }
    if (
      (issue.expected === 'number' || issue.expected === 'int') &&
      /^\d+(\.\d+)?$/.test(String(text))
    ) {
      holder[last] = Number(text);
    }
  }
  const second = configurationFile.safeParse(tree, { error: issueMessage });
  return second.success ? { file: second.data, issues: [] } : { issues: second.error.issues };
}

type Issue = Parameters<typeof problemsOfIssues>[0][number];

/** Puts back what was written if the key needs text. */
function keepLetters(
  issue: Issue,
  above: readonly PropertyKey[],
  tree: unknown,
  document: SourceDocument,
): void {
  const path = [...above, ...issue.path].map((part) =>
    typeof part === 'number' ? part : String(part),
  );
  if (issue.code === 'invalid_union') {
    for (const below of issue.errors.flat()) keepLetters(below, path, tree, document);
    return;
  }
  const letters = document.lettersOf(path);
  if (letters === undefined || !issue.message.startsWith('expected text')) return;
  const holder = read(tree, ...path.slice(0, -1)) as Record<PropertyKey, unknown>;
  holder[path.at(-1) ?? ''] = letters;
}

/** Numbers with a zero in front are read in two ways. Names and other text keep theirs. */
function octalProblems(document: SourceDocument, file: ConfigurationFile | undefined): Problem[] {
  return document.octalLike.flatMap(([path, letters]) => {
    if (typeof read(file, ...path) !== 'number') return [];
    const message = `${letters} is ${Number(letters)} in YAML 1.2 and an octal number in YAML 1.1: leave out the zero in front`;
    return [{ ...document.placeOf(path), key: keyOf(path), message }];
  });
}

function crossProblems(
  document: SourceDocument,
  environment: Environment,
  hostname: string,
): Problem[] {
  const surroundings = { region: regionOfEnvironment(environment), hostname };
  return crossChecks(document.value, surroundings).map(({ path, message }) => ({
    ...placeOf(document, path),
    key: keyOf(path),
    message,
  }));
}

/** The place of a scalar; for a map, a list or a missing value the place of its key. */
function placeOf(document: SourceDocument, path: Path): Place {
  const value = read(document.value, ...path);
  return isGiven(value) && typeof value !== 'object'
    ? document.placeOf(path)
    : document.keyPlaceOf(path);
}

/** A value from the environment may be a secret (P10): the message names the variable and not its value. */
function withoutValue(problem: Problem, document: SourceDocument): Problem {
  const written = document.fromEnvironment.get(problem.key);
  if (written === undefined) return problem;
  const [before = ''] = problem.message.split(/(?:, found |; wrong: |")/);
  const found = before === problem.message ? '' : `, found what ${written} holds`;
  return { ...problem, message: before === '' ? `wrong value in ${written}` : before + found };
}

/** A key that is missing because it is misspelt is reported once, by the misspelling. */
function isMisspelt({ key, message }: Problem, all: readonly Problem[]): boolean {
  if (!message.startsWith('is missing')) return false;
  const dot = key.lastIndexOf('.');
  const meant = `did you mean "${key.slice(dot + 1)}"?`;
  return all.some(
    (other) =>
      other.message.endsWith(meant) &&
      other.key.slice(0, other.key.lastIndexOf('.') + 1) === key.slice(0, dot + 1),
  );
}

/** After a syntax error nothing is certain, and no key is certainly missing. */
function isSure(problem: Problem, broken: Place): boolean {
  return problem.line < broken.line && !/^is (?:missing|empty)/.test(problem.message);
}

function whyUnreadable(error: unknown): string {
  const code = read(error, 'code');
  if (code === 'ENOENT') {
    return 'there is no such file; write one (config/minimal.yaml shows the least), or name it with --config FILE or MIGRATION_AGENT_CONFIG';
  }
  if (code === 'EACCES')
    return 'may not be read by this user; run the command as the user of the agent, or with sudo';
  if (code === 'EISDIR') return 'is a directory; name the file in it';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

function refused(key: string, message: string): Loaded {
  return { ok: false, problems: [{ line: 1, column: 1, key, message }] };
}
