/** What systemd receives: real datagrams on real sockets, sent by koffi and by systemd-notify. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createNotifyCommand } from '../../src/system/notify-command.ts';
import { createNotifySocket } from '../../src/system/notify-socket.ts';
import { createServiceNotifier } from '../../src/system/service-notifier.ts';

const hasPython = spawnSync('python3', ['-c', '']).status === 0;
const hasCommand = spawnSync('systemd-notify', ['--version']).status === 0;
const hasKoffi = (await createNotifySocket('/nowhere')) !== undefined;

/** A datagram socket as systemd has one: prints each message with the sender's pid as a line of JSON. */
const RECEIVER = `
import json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
address = sys.argv[1]
s.bind('\\0' + address[1:] if address.startswith('@') else address)
print(json.dumps('ready'), flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(65536, 256)
    for _, kind, value in ancillary:
        if kind == socket.SCM_CREDENTIALS:
            pid = struct.unpack('iii', value[:12])[0]
        else:
            # The barrier of systemd-notify: it waits until the receiver lets go of this.
            os.close(struct.unpack('i', value[:4])[0])
    if data != b'BARRIER=1': print(json.dumps({'lines': data.decode().rstrip('\\n').split('\\n'), 'pid': pid}), flush=True)
`;

interface Message {
  readonly lines: string[];
  readonly pid: number;
}

async function receive(address: string): Promise<() => Promise<Message>> {
  const child = spawn('python3', ['-c', RECEIVER, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value!) as Message;
  expect(await next()).toBe('ready');
  return next;
}

async function pathAddress(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'notify-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'notify');
}

const abstractAddress = () => Promise.resolve(`@migration-agent-test-${process.pid}`);

describe.skipIf(!hasPython)('messages (skipped without python3)', () => {
  test.skipIf(!hasKoffi).each([
    ['a path', pathAddress],
    ['an abstract address', abstractAddress],
  ])('reach %s from this very process (skipped without koffi)', async (_what, addressOf) => {
    const address = await addressOf();
    const next = await receive(address);
    const notifier = await createServiceNotifier({ NOTIFY_SOCKET: address });
    notifier.ready();
    expect(await next()).toEqual({ lines: ['READY=1'], pid: process.pid });
    notifier.status('1 job running, 42%');
    expect((await next()).lines).toEqual(['STATUS=1 job running, 42%']);
    notifier.alive();
    expect((await next()).lines).toEqual(['WATCHDOG=1']);
    notifier.stopping(15_000);
    expect((await next()).lines).toEqual(['STOPPING=1', 'EXTEND_TIMEOUT_USEC=15000000']);
  });

  test('reloading comes with its time in the same message', async () => {
    const address = await pathAddress();
    const next = await receive(address);
    const notifier = await createServiceNotifier({ NOTIFY_SOCKET: address });
    const before = process.hrtime.bigint() / 1000n;
    notifier.reloading();
    const { lines } = await next();
    expect(lines).toEqual(['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/)]);
    const usec = BigInt(lines[1]!.split('=')[1]!);
    expect(usec >= before && usec <= process.hrtime.bigint() / 1000n).toBe(true);
  });

  test('the text of a job can change nothing but the status', async () => {
    const address = await pathAddress();
    const next = await receive(address);
    const notifier = await createServiceNotifier({ NOTIFY_SOCKET: address });
    notifier.status(`copying\nSTOPPING=1\r\n${'x'.repeat(10_000)}`);
    const { lines } = await next();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^STATUS=copying STOPPING=1 x{400,600}$/);
  });

  test.skipIf(!hasCommand)(
    'go by systemd-notify where koffi does not load, in order (skipped without the program)',
    async () => {
      const address = await pathAddress();
      const next = await receive(address);
      const send = createNotifyCommand({ ...process.env, NOTIFY_SOCKET: address });
      send(['READY=1']);
      send(['RELOADING=1', 'MONOTONIC_USEC=5']);
      send(['STATUS=well']);
      expect((await next()).lines).toEqual(['READY=1']);
      expect((await next()).lines).toEqual(['RELOADING=1', 'MONOTONIC_USEC=5']);
      expect((await next()).lines).toEqual(['STATUS=well']);
    },
  );
});

test('without a service manager, or with one that is gone, nothing is sent and nothing fails', async () => {
  for (const address of [undefined, '', 'vsock:2:9999', join(await pathAddress(), 'gone')]) {
    const notifier = await createServiceNotifier(
      address === undefined ? {} : { NOTIFY_SOCKET: address },
    );
    notifier.ready();
    notifier.reloading();
    notifier.status('x');
    notifier.alive();
    notifier.stopping(0);
  }
  createNotifyCommand({ PATH: '/nowhere' })(['READY=1']);
});

test('the watchdog is fed twice in its time, if it is meant for this process', async () => {
  const watchdogMs = async (environment: NodeJS.ProcessEnv) =>
    (await createServiceNotifier(environment)).watchdogMs;
  expect(await watchdogMs({ WATCHDOG_USEC: '150000000' })).toBe(75_000);
  expect(await watchdogMs({ WATCHDOG_USEC: '150000000', WATCHDOG_PID: String(process.pid) })).toBe(
    75_000,
  );
  expect(await watchdogMs({ WATCHDOG_USEC: '150000000', WATCHDOG_PID: '1' })).toBeUndefined();
  expect(await watchdogMs({ WATCHDOG_USEC: '0' })).toBeUndefined();
  expect(await watchdogMs({ WATCHDOG_USEC: 'soon' })).toBeUndefined();
  expect(await watchdogMs({})).toBeUndefined();
});
