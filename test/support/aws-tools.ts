/** Whether the real `aws` command and boto3 are on this machine, and the environment that points them at a simulator. */
import { spawnSync } from 'node:child_process';

/** The reason for the title of a skipped test; undefined if the tool is installed. */
export const awsMissing = missing(
  'aws',
  ['--version'],
  // Older versions do not know AWS_ENDPOINT_URL and would call AWS itself.
  (printed) => /aws-cli\/(1\.(29|[3-9]\d|\d{3})|2\.(1[3-9]|[2-9]\d))\./.test(printed),
  'the aws command is not installed, or is older than 1.29 and 2.13',
);
export const boto3Missing = missing(
  'python3',
  ['-c', 'import boto3; print(boto3.__version__)'],
  (printed) => /^1\.(2[89]|[3-9]\d)\./.test(printed),
  'boto3 is not installed, or is older than 1.28',
);

/** Any credentials are accepted. The instance's metadata service must not be called. */
export function awsEnvironment(url: string, region = 'us-west-2'): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: url,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_PAGER: '',
  };
}

function missing(
  command: string,
  args: readonly string[],
  isNewEnough: (printed: string) => boolean,
  reason: string,
): string | undefined {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 && isNewEnough(result.stdout) ? undefined : reason;
}
