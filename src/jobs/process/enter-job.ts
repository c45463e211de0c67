/**
 * The one way from the agent to a program that runs as a job does: used by the shim for the job itself and by parsers for
 * their helpers.
 *
 * What runs with the rights of the agent (perl, setpriv) sees none of the job's variables, since LD_PRELOAD, GCONV_PATH or
 * PERL5LIB would make it run code of the job's user. They travel under names that no program knows (MIGRATION_ENV_0=NAME=VALUE),
 * and get their own names only after the user was changed. They are no arguments, which everybody could read in ps.
 *
 * A job has all groups of its user and no capability of the agent. Its working directory is entered by itself.
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import {
  handsDownCapabilities,
  maySwitchUsers,
  SETPRIV,
  SWITCHING_NEEDS,
} from '../../core/lib/privileges.ts';
import { isRunMark, PATH_DEFAULT } from './environment.ts';
import type { Launch } from './launch-spec.ts';

export interface JobEntry {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** For a shell that becomes the job: the end of its script, and the script's arguments. */
export interface ShellEntry {
  readonly become: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The name that scripts print before their errors ($0). */
export const SCRIPT_NAME = 'migration-agent';

/** What `env` in `JobEntry` calls the job's variables. */
const CARRIER = 'MIGRATION_ENV_';

/** What sh can give to a program (config/ allows nothing else). */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * First line of what runs as the job's user: $1 is the working directory, the rest is the command. It prints
 * why the directory cannot be used, which only the job's user can find out.
 */
const ENTER_DIRECTORY = `cd "$1" 2>/dev/null || {
  if [ -d "$1" ]; then printf 'the working directory %s cannot be entered\\n' "$1"
  elif [ -e "$1" ]; then printf 'the working directory %s is not a directory\\n' "$1"
  else printf 'the working directory %s does not exist\\n' "$1"
  fi >&2
  exit 126
}
{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
unset OLDPWD
shift
`;

/** `ownStatus`: /proc/self/status of the agent. */
export function enterJob(
  launch: Launch,
  command: readonly string[],
  ownStatus = readOwnStatus(),
): JobEntry {
  const carried = carriedOf(launch);
  const argv = ['/bin/sh', '-c', enterScript(carried), SCRIPT_NAME, launch.cwd, ...command];
  return { argv: [...dropOf(launch, ownStatus), ...argv], env: environmentOf(launch, carried) };
}

/** As `enterJob` for a shell of the agent. Where no user is changed and nothing given up, it needs no other one. */
export function enterJobFromShell(
  launch: Launch,
  command: readonly string[],
  ownStatus = readOwnStatus(),
): ShellEntry {
  if (dropOf(launch, ownStatus).length > 0) {
    const { argv, env } = enterJob(launch, command, ownStatus);
    return { become: 'exec "$@"\n', args: argv, env };
  }
  const carried = carriedOf(launch);
  const env = environmentOf(launch, carried);
  return { become: enterScript(carried), args: [launch.cwd, ...command], env };
}

type Carried = readonly (readonly [name: string, value: string])[];

function carriedOf({ env }: Launch): Carried {
  return Object.entries(env).filter(([name]) => VARIABLE.test(name) && !name.startsWith(CARRIER));
}

function enterScript(carried: Carried): string {
  const carriers = carried.map((_, index) => `${CARRIER}${index}`);
  return [
    ENTER_DIRECTORY,
    // `command`: a variable that this shell keeps for itself (UID in bash) does not end it.
    ...carriers.map((carrier) => `command export "$${carrier}" 2>/dev/null\n`),
    `unset ${carriers.join(' ')}\n`,
    // In place of the shell, so that no built-in answers for a command of the same name.
    'exec "$@"\n',
  ].join('');
}

function environmentOf({ env }: Launch, carried: Carried): Readonly<Record<string, string>> {
  return {
    // The tools of the agent, whatever PATH the job is given.
    PATH: `${process.env['PATH'] ?? ''}:${PATH_DEFAULT}`.replace(/^:/, ''),
    ...Object.fromEntries(Object.entries(env).filter(([name]) => isRunMark(name))),
    ...Object.fromEntries(
      carried.map(([name, value], index) => [`${CARRIER}${index}`, `${name}=${value}`]),
    ),
  };
}

/** Why this host or this agent cannot start such a job without giving it or its user too many rights. Absent: it can. */
export function whyNotEnter({ user }: Launch, ownStatus = readOwnStatus()): string | undefined {
  const maySwitch = maySwitchUsers(ownStatus);
  if (user !== undefined && !maySwitch) {
    return `the agent may not run jobs as user ${user.name}: ${SWITCHING_NEEDS}`;
  }
  if (user === undefined && maySwitch && process.geteuid?.() !== 0) {
    return "a job of the agent's own user could use its rights to become any user: give the job a user of its own (user:)";
  }
  if ((user !== undefined || handsDown(ownStatus)) && !isExecutable(SETPRIV)) {
    return `there is no ${SETPRIV} (util-linux) on this host, without which the job would have too many rights or too few groups`;
  }
  return undefined;
}

/** The words that change the user and give up capabilities. */
function dropOf({ user }: Launch, ownStatus: string): readonly string[] {
  if (user === undefined && !handsDown(ownStatus)) return [];
  const ids =
    user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups'];
  return [SETPRIV, ...ids, '--inh-caps=-all', '--ambient-caps=-all', '--'];
}

/** root passes on all capabilities, which is what a job of root is for. */
function handsDown(ownStatus: string): boolean {
  return process.geteuid?.() !== 0 && handsDownCapabilities(ownStatus);
}

function readOwnStatus(): string {
  return readFileSync('/proc/self/status', 'utf8');
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
