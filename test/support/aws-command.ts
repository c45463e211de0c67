/** Whether the real `aws` command is on this machine. To ask it takes half a second, so who needs it alone imports this. */
import { spawnSync } from 'node:child_process';

/** The reason for the title of a skipped test; undefined if the tool is installed. */
export const awsMissing = missing();

function missing(): string | undefined {
  const { status, stdout } = spawnSync('aws', ['--version'], { encoding: 'utf8' });
  // Older versions do not know AWS_ENDPOINT_URL and would call AWS itself.
  const isNewEnough = /aws-cli\/(1\.(29|[3-9]\d|\d{3})|2\.(1[3-9]|[2-9]\d))\./;
  if (status === 0 && isNewEnough.test(stdout)) return undefined;
  return 'the aws command is not installed, or is older than 1.29 and 2.13';
}
