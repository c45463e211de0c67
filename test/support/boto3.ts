/** Whether boto3 is on this machine. */
import { spawnSync } from 'node:child_process';

/** The reason for the title of a skipped test; undefined if it is installed. */
export const boto3Missing = missing();

function missing(): string | undefined {
  // To import it takes twice as long.
  const program = "from importlib.metadata import version; print(version('boto3'))";
  const { status, stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8' });
  if (status === 0 && /^1\.(2[89]|[3-9]\d)\./.test(stdout)) return undefined;
  return 'boto3 is not installed, or is older than 1.28';
}
