/** The host's time zone from every form of TZ and of /etc/localtime. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'host-zone-'));
    localtime = join(directory, 'localtime');
  });
  afterAll(() => rmSync(directory, { recursive: true }));
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

  test('/etc/localtime: a link, a copy, a file of no zone, none', () => {
    symlinkSync(join(ZONES, 'Europe/Helsinki'), localtime);
    expect(zoneOf()).toEqual({ zone: 'Europe/Helsinki' });
    expect(hostZone(`:${localtime}`).zone).toBe('Europe/Helsinki');
    rmSync(localtime);
    copyFileSync(join(ZONES, 'Asia/Kathmandu'), localtime);
    const { zone = '' } = zoneOf();
    expect(offset(zone, '2027-01-15T12:00:00Z')).toBe('GMT+05:45');
    writeFileSync(localtime, 'no zone');
    expect(zoneOf().problem).toContain(localtime);
    rmSync(localtime);
    expect(zoneOf()).toEqual({ zone: 'UTC' });
  });
});
