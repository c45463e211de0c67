/** The host's time zone from every form of TZ and of /etc/localtime. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostZone } from '../../../src/config/lib/host-zone.ts';

const ZONES = '/usr/share/zoneinfo';
const hasZones = existsSync(join(ZONES, 'Europe/Helsinki'));

/** The offset from UTC that a zone has at a moment, as `GMT+02:00`. */
function offset(timeZone: string, at: string): string {
  return (
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(Date.parse(at))
      .find(({ type }) => type === 'timeZoneName')?.value ?? ''
  );
}

test.each([
  ['Europe/Helsinki', 'Europe/Helsinki'],
  [':Europe/Helsinki', 'Europe/Helsinki'],
  ['/usr/share/zoneinfo/Asia/Kolkata', 'Asia/Kolkata'],
  [':/usr/share/zoneinfo/posix/Asia/Kolkata', 'Asia/Kolkata'],
  ['', 'UTC'],
  ['UTC0', 'UTC'],
  ['MSK-3', '+03:00'],
  ['<-03>3', '-03:00'],
  ['<+0530>-5:30', '+05:30'],
  ['EST5EDT', 'EST5EDT'],
])('TZ=%s is %s', (tz, zone) => {
  expect(hostZone(tz)).toEqual({ zone });
});

test.each(['Nowhere/City', 'utc?', 'XYZ', '/nonexistent/zone', '/etc/passwd', 'CET-1CEST,M3.9.0'])(
  'TZ=%s is a problem that names it',
  (tz) => {
    expect(hostZone(tz).problem).toContain(`TZ=${tz}`);
  },
);

describe.skipIf(!hasZones)('with the files of zones (skipped without tzdata)', () => {
  let directory: string;
  let localtime: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'host-zone-'));
    localtime = join(directory, 'localtime');
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const zoneOf = (): ReturnType<typeof hostZone> =>
    hostZone(undefined, { directory: ZONES, localtime });

  test.each([
    ['CET-1CEST,M3.5.0,M10.5.0/3', 'GMT+01:00', 'GMT+02:00'],
    ['EST5EDT,M3.2.0,M11.1.0', 'GMT-05:00', 'GMT-04:00'],
    [':AEST-10AEDT,M10.1.0,M4.1.0/3', 'GMT+11:00', 'GMT+10:00'],
  ])('TZ=%s is a zone with the same rule', (tz, january, july) => {
    const { zone = '' } = hostZone(tz);
    expect(offset(zone, '2027-01-15T12:00:00Z')).toBe(january);
    expect(offset(zone, '2027-07-15T12:00:00Z')).toBe(july);
  });

  test('/etc/localtime that is a link is named by what it leads to', () => {
    symlinkSync(join(ZONES, 'Europe/Helsinki'), localtime);
    expect(zoneOf()).toEqual({ zone: 'Europe/Helsinki' });
    expect(hostZone(`:${localtime}`).zone).toBe('Europe/Helsinki');
    // A directory of zones need not be named zoneinfo, and may be a link itself.
    const zones = join(directory, 'zones');
    symlinkSync(ZONES, zones);
    expect(hostZone(undefined, { directory: zones, localtime })).toEqual({
      zone: 'Europe/Helsinki',
    });
  });

  test('/etc/localtime that is a copy is found by its content', () => {
    copyFileSync(join(ZONES, 'Asia/Kathmandu'), localtime);
    const { zone = '' } = zoneOf();
    expect(offset(zone, '2027-01-15T12:00:00Z')).toBe('GMT+05:45');
  });

  test('/etc/localtime of a zone that has no name here is found by its rule, if it has one', () => {
    const kolkata = readFileSync(join(ZONES, 'Asia/Kolkata'));
    // As another release of the files would have it: other history, the same rule.
    writeFileSync(localtime, Buffer.concat([kolkata.subarray(0, 44), kolkata.subarray(60)]));
    expect(offset(zoneOf().zone ?? '', '2027-01-15T12:00:00Z')).toBe('GMT+05:30');
    for (const content of ['no zone', 'TZif without an end', '\nIST-5:30\n']) {
      writeFileSync(localtime, content);
      expect(zoneOf()).toEqual({
        problem: `the host's time zone is not known: ${localtime} is no file of a known zone`,
      });
    }
  });

  test('without /etc/localtime the host is in UTC', () => {
    expect(zoneOf()).toEqual({ zone: 'UTC' });
  });

  test('files in a directory of their own have the names below it', () => {
    const zones = join(directory, 'own');
    mkdirSync(join(zones, 'Europe'), { recursive: true });
    copyFileSync(join(ZONES, 'Europe/Paris'), join(zones, 'Europe/Paris'));
    symlinkSync(join(zones, 'Europe/Paris'), localtime);
    expect(hostZone(undefined, { directory: zones, localtime })).toEqual({ zone: 'Europe/Paris' });
  });
});
