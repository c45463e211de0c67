/** `progress: { parser: auto }`: which parser reads the progress of a command, and which flags the command needs. */
import { defined } from '../lib/defined.ts';
import { hasOption, toolsOf } from './tools.ts';
import type { Tool } from './tools.ts';
import type { ProgressSource } from '../model/job.ts';

/** Parsers that take nothing but their name. */
type ToolParser = Exclude<ProgressSource['parser'], 'regex' | 'size' | 'json' | 'percent' | 'none'>;

interface KnownTool {
  readonly parser: Exclude<ToolParser, 'auto'>;
  /** Whether the tool prints its progress with these arguments. */
  readonly prints: (args: readonly string[]) => boolean;
  /** What makes it print. */
  readonly flags: string;
}

const KNOWN: Readonly<Record<string, KnownTool>> = {
  rsync: {
    parser: 'rsync',
    prints: (args) => args.some((arg) => arg.startsWith('--info=') && arg.includes('progress2')),
    flags: '--info=progress2 --no-inc-recursive',
  },
  pv: {
    parser: 'pv',
    prints: (args) => hasOption(args, 'nf', '--numeric', '--force'),
    flags: '-n, and -s SIZE if it reads from a pipe',
  },
  pg_restore: {
    parser: 'pg_restore',
    prints: (args) => hasOption(args, 'v', '--verbose'),
    flags: '-v',
  },
  pg_basebackup: {
    parser: 'pg_basebackup',
    prints: (args) => hasOption(args, 'P', '--progress'),
    flags: '-P',
  },
  dd: {
    parser: 'dd',
    prints: (args) => args.includes('status=progress'),
    flags: 'status=progress',
  },
  tar: {
    parser: 'tar',
    prints: (args) => args.some((arg) => arg === '--checkpoint' || arg.startsWith('--checkpoint=')),
    flags: '--checkpoint=1000',
  },
  rclone: {
    parser: 'rclone',
    prints: (args) =>
      hasOption(args, 'vP', '--verbose', '--progress', '--stats-log-level', '--log-level'),
    flags: '-v --stats 10s --stats-one-line',
  },
  restic: { parser: 'restic', prints: (args) => hasOption(args, '', '--json'), flags: '--json' },
  'qemu-img': {
    parser: 'qemu_img',
    prints: (args) => hasOption(args, 'p', '--progress'),
    flags: '-p',
  },
  aws: {
    parser: 'aws_s3',
    prints: (args) => !hasOption(args, '', '--no-progress', '--quiet', '--only-show-errors'),
    flags: 'no --no-progress, --quiet or --only-show-errors',
  },
};

export interface ParserChoice {
  readonly parser: ProgressSource['parser'];
  /** The program whose output is read. */
  readonly tool?: Tool;
  /** Why no parser was found, or what the command lacks. */
  readonly problem?: string;
}

const LATE_PERCENT =
  'rsync has no percent until it has discovered all files; --no-inc-recursive makes it do so first';

/** The parser for the one program of the command that is known. `pv` measures what the others of a pipe do. */
export function parserFor(command: readonly string[]): ParserChoice {
  const tools = toolsOf(command).filter(isKnown);
  const meters = tools.filter(({ name }) => name === 'pv');
  const [tool, ...others] = meters.length > 0 ? meters : tools;
  if (tool === undefined) return { parser: 'none', problem: 'no known program in the command' };
  if (others.length > 0) {
    const names = [tool, ...others].map(({ name }) => name).join(', ');
    const problem = `the command runs several programs with a progress of their own (${names})`;
    return { parser: 'none', problem };
  }
  const known = KNOWN[tool.name];
  if (known === undefined) return { parser: 'none' };
  const problem =
    missingFlags(tool, known) ??
    (tool.name === 'rsync' && !knowsAllFiles(tool) ? LATE_PERCENT : undefined);
  return { parser: known.parser, tool, ...defined({ problem }) };
}

/** The program of the command that a parser reads, if the command shows it. */
export function toolFor(
  parser: ProgressSource['parser'],
  command: readonly string[],
): Tool | undefined {
  const tools = toolsOf(command).filter(({ name }) => KNOWN[name]?.parser === parser);
  return tools.length === 1 ? tools[0] : undefined;
}

/** rsync discovers files while it copies only if it is recursive and nothing needs the whole list before. */
export function knowsAllFiles({ args }: Tool): boolean {
  return (
    hasOption(args, 'm', '--no-inc-recursive', '--no-i-r', '--delete-before', '--delete-after') ||
    hasOption(args, '', '--prune-empty-dirs', '--delay-updates') ||
    !hasOption(args, 'ar', '--archive', '--recursive')
  );
}

/** Why the parser of a configuration will read less than it could from a command. */
export function progressProblem(
  { parser }: { readonly parser: ProgressSource['parser'] },
  command: readonly string[],
): string | undefined {
  if (parser === 'none' || parser === 'size' || parser === 'json') return undefined;
  const choice = parserFor(command);
  if (parser === 'auto') return choice.problem;
  const lacking = toolsOf(command).flatMap((tool) => {
    const known = KNOWN[tool.name];
    return known?.parser === parser ? (missingFlags(tool, known) ?? []) : [];
  });
  if (lacking.length > 0) return lacking[0];
  const rsync = toolsOf(command).find(({ name }) => name === 'rsync');
  if (rsync === undefined) return undefined;
  if (parser === 'percent' || parser === 'regex') {
    return 'rsync prints percentages of single files; parser: rsync reads those of the whole';
  }
  return parser === 'rsync' && !knowsAllFiles(rsync) ? LATE_PERCENT : undefined;
}

function missingFlags({ name, args }: Tool, { prints, flags }: KnownTool): string | undefined {
  return prints(args) ? undefined : `${name} prints its progress only with ${flags}`;
}

function isKnown({ name, args }: Tool): boolean {
  if (name === 'aws') return /\bs3 (?:cp|mv|sync)\b/.test(args.join(' '));
  if (name === 'restic') return args.some((arg) => arg === 'backup' || arg === 'restore');
  return Object.hasOwn(KNOWN, name);
}
