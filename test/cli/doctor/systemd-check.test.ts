/** What `doctor` says of a systemd that lacks directives of the unit. */
import { describe, expect, test } from 'vitest';
import { systemdFinding } from '../../../src/cli/doctor/systemd-check.ts';
import type { SystemdFacts } from '../../../src/cli/doctor/systemd-check.ts';

const SERVICE = {
  ActiveState: 'active',
  UnitFileState: 'enabled',
  Delegate: 'yes',
  KillMode: 'process',
};
const REPLACED = { Environment: 'CREDENTIALS_DIRECTORY=/run/migration-agent-credentials' };

function facts(
  version: number,
  service: Record<string, string> = {},
  socket: Record<string, string> = {},
  backend = 'process',
): SystemdFacts {
  return {
    version,
    service: new Map(Object.entries({ ...SERVICE, ...service })),
    socket: new Map(Object.entries(socket)),
    backend,
  };
}

const PART_OF = { PartOf: 'migration-agent.service' };

describe('a systemd of version', () => {
  test('257 lacks nothing', () => {
    const found = systemdFinding(facts(257, { PropagatesStopTo: 'migration-agent.socket' }));
    expect(found).toEqual({
      verdict: 'ok',
      message: 'systemd 257; migration-agent.service is active, enabled',
    });
  });

  test.each([
    [247, /below 249 commands that wait/u, /without effect/u],
    [245, /below 249 commands that wait/u, /without effect/u],
    [239, /without effect: ProtectHostname, ProtectKernelLogs, ProtectClock/u, /not loaded/u],
  ])(
    '%i is well with the drop-ins of the generator, and names what is lost',
    (version, has, hasNot) => {
      const { verdict, message } = systemdFinding(facts(version, REPLACED, PART_OF));
      expect(verdict).toBe('ok');
      expect(message).toMatch(has);
      expect(message).not.toMatch(hasNot);
    },
  );

  test('247 without the drop-ins: a warning for each effect that is missing', () => {
    expect(systemdFinding(facts(247, REPLACED))).toMatchObject({
      verdict: 'warning',
      message: expect.stringContaining('the next command starts the agent again') as string,
      remedy: expect.stringContaining('migration-agent-generator') as string,
    });
    expect(systemdFinding(facts(247, {}, PART_OF))).toMatchObject({
      verdict: 'warning',
      message: expect.stringContaining('aws-credentials are not loaded') as string,
    });
  });

  test('219 is refused, 239 only with jobs in units of their own', () => {
    expect(systemdFinding(facts(219))).toMatchObject({ verdict: 'failed' });
    expect(systemdFinding(facts(239, REPLACED, PART_OF, 'unit'))).toMatchObject({
      verdict: 'failed',
      remedy: 'agent.backend: process',
    });
  });
});

test('KillMode=control-group alone would end the jobs with the agent', () => {
  const found = systemdFinding(
    facts(252, { KillMode: 'control-group', PropagatesStopTo: 'migration-agent.socket' }),
  );
  expect(found).toMatchObject({
    verdict: 'failed',
    message: expect.stringContaining('Delegate=yes, KillMode=control-group') as string,
    remedy: expect.stringContaining('KillMode=process') as string,
  });
});

test('Delegate and KillMode matter if jobs are below the agent', () => {
  const strict = { Delegate: 'no', PropagatesStopTo: 'migration-agent.socket' };
  expect(systemdFinding(facts(252, strict))).toMatchObject({ verdict: 'failed' });
  expect(systemdFinding(facts(252, strict, {}, 'unit'))).toMatchObject({ verdict: 'ok' });
});

describe('the first version with', () => {
  const whole = { ...REPLACED, PropagatesStopTo: 'migration-agent.socket' };
  const at = (version: number) => systemdFinding(facts(version, whole));

  test.each([
    [242, 'ProtectHostname'],
    [244, 'ProtectKernelLogs'],
    [245, 'ProtectClock'],
    [249, 'commands that wait during a restart'],
  ])('%i: %s', (version, text) => {
    expect(at(version).message).not.toContain(text);
    expect(at(version - 1).message).toContain(text);
    expect([at(version).verdict, at(version - 1).verdict]).toEqual(['ok', 'ok']);
  });

  test('239: the units at all', () => {
    expect(at(239).verdict).toBe('ok');
    expect(at(238)).toMatchObject({
      ...{ verdict: 'failed', remedy: 'a distribution with systemd 239 or newer' },
    });
  });

  test('243: jobs in units of their own', () => {
    const unit = (version: number) => systemdFinding(facts(version, whole, {}, 'unit')).verdict;
    expect([unit(242), unit(243)]).toEqual(['failed', 'ok']);
  });

  test('249: a stop that goes on to the socket by a directive of the unit', () => {
    const remedy = (version: number) => systemdFinding(facts(version, REPLACED)).remedy;
    expect(remedy(248)).toContain('migration-agent-generator');
    expect(remedy(249)).toBe('PropagatesStopTo=migration-agent.socket in the unit');
  });

  test('252: credentials of its own', () => {
    const bare = (version: number) => systemdFinding(facts(version, {}, PART_OF)).verdict;
    expect([bare(251), bare(252)]).toEqual(['warning', 'ok']);
  });
});
