/** Which programs a command runs, behind shells and wrappers such as `sudo`, `nice`, `timeout` and `flock`. */
import { shellCommands } from '../lib/shell-words.ts';

export interface Tool {
  /** The name of the program without its directory. */
  readonly name: string;
  /** As the command writes it. */
  readonly program: string;
  readonly args: readonly string[];
}

interface Wrapper {
  /** Options whose value is the next word. */
  readonly valued?: string;
  /** Words between the options and the command, such as the duration of `timeout`. */
  readonly operands?: number;
}

const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  nice: { valued: '-n --adjustment' },
  ionice: { valued: '-c -n --class --classdata' },
  chrt: { valued: '-T -P -D', operands: 1 },
  taskset: { operands: 1 },
  numactl: { valued: '-N -m -C -i -p' },
  choom: { valued: '-n' },
  prlimit: {},
  sudo: { valued: '-u -g -h -p -C -D -R -T -U -r -t --user --group --chdir --prompt' },
  doas: { valued: '-u -C' },
  runuser: { valued: '-u -g -G -s --user --group --shell' },
  setpriv: { valued: '--reuid --regid --groups --inh-caps --bounding-set --ambient-caps' },
  timeout: { valued: '-s -k --signal --kill-after', operands: 1 },
  flock: { valued: '-w -E --timeout --conflict-exit-code', operands: 1 },
  env: { valued: '-u -C --unset --chdir' },
  nohup: {},
  setsid: {},
  time: { valued: '-f -o --format --output' },
  stdbuf: { valued: '-i -o -e --input --output --error' },
  unbuffer: {},
  chroot: { operands: 1 },
  cgexec: { valued: '-g' },
  exec: { valued: '-a' },
  command: {},
  busybox: {},
  'systemd-run': { valued: '-u -p -M -E -H --unit --property --setenv --slice --description' },
  'systemd-inhibit': { valued: '--what --who --why --mode' },
  'systemd-cat': { valued: '-t -p --identifier --priority' },
  unshare: { valued: '-R -w -S -G --root --wd --setuid --setgid' },
  nsenter: { valued: '-t -S -G --target --setuid --setgid' },
  cpulimit: { valued: '-l -e -p --limit' },
  trickle: { valued: '-u -d -w -t -l' },
  strace: { valued: '-o -e -s -u' },
  chpst: { valued: '-u -U -e -n -m -l -L' },
  gosu: { operands: 1 },
  'su-exec': { operands: 1 },
  setuidgid: { operands: 1 },
  logsave: { operands: 1 },
  chronic: {},
  eatmydata: {},
  fakeroot: {},
  linux64: {},
};

const SHELL = /^(?:ba|da|a|k|z|mk|fi)?sh$/;

/** Wrappers in wrappers are followed so far. */
const DEPTH_MAX = 8;

/** The programs in the order of the command. */
export function toolsOf(command: readonly string[], depth = 0): Tool[] {
  const words = command.slice(command.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word)));
  const [program] = words;
  if (program === undefined || depth > DEPTH_MAX) return [];
  const name = program.slice(program.lastIndexOf('/') + 1);
  const args = words.slice(1);
  if (SHELL.test(name) || name === 'su')
    return inText(scriptOf(args), { name, program, args }, depth);
  const wrapper = WRAPPERS[name];
  if (wrapper === undefined) return [{ name, program, args }];
  const rest = args.slice(endOfOptions(args, wrapper));
  if (name === 'flock' && rest[1] === '-c') return inText(rest[2], { name, program, args }, depth);
  if (name === 'runuser' && rest.includes('-c')) {
    return inText(scriptOf(rest), { name, program, args }, depth);
  }
  return toolsOf(rest.slice(wrapper.operands ?? 0), depth + 1);
}

function inText(text: string | undefined, shell: Tool, depth: number): Tool[] {
  if (text === undefined) return [shell];
  return shellCommands(text).flatMap((words) => toolsOf(words, depth + 1));
}

/** What follows `-c`, or a group of options with it (`-ec`). */
function scriptOf(args: readonly string[]): string | undefined {
  const index = args.findIndex((word) => /^-[a-z]*c$/.test(word) || word === '--command');
  return index < 0 ? undefined : args[index + 1];
}

function endOfOptions(args: readonly string[], { valued = '' }: Wrapper): number {
  const withValue = valued.split(' ');
  let at = 0;
  for (let word = args[at]; word?.startsWith('-') === true && word !== '-'; word = args[at]) {
    at += 1;
    if (word === '--') break;
    if (withValue.includes(word)) at += 1;
  }
  return at;
}

/** Whether one of the options is given, alone, with a value (`--name=value`), or in a group (`-av`). */
export function hasOption(args: readonly string[], letters: string, ...names: string[]): boolean {
  const end = args.indexOf('--');
  const group = letters === '' ? undefined : new RegExp(`^-[A-Za-z]*[${letters}]`);
  return (end < 0 ? args : args.slice(0, end)).some(
    (word) =>
      group?.test(word) === true ||
      names.some((name) => word === name || word.startsWith(`${name}=`)),
  );
}
