/**
 * Distinguishes this host from its copies: the machine id, the hardware's UUID (readable for root), the instance id of a
 * cloud. Hashed, because a machine id is confidential (machine-id(5)).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostIdentity } from '../core/model/host-identity.ts';

/** The files of each part, of which the first readable one counts; `root` is another directory in tests. */
const PLACES: Readonly<Record<keyof HostIdentity, readonly string[]>> = {
  machine: ['etc/machine-id', 'var/lib/dbus/machine-id'],
  hardware: ['sys/class/dmi/id/product_uuid', 'sys/hypervisor/uuid'],
  instance: ['sys/class/dmi/id/board_asset_tag'],
};

/** Placeholders of firmware, and values that a first boot has not created yet. */
const NOTHING =
  /^(?:|uninitialized|0+|[0-]+|f+|[f-]+|not specified|none|default string|to be filled.*)$/iu;

export function readHostIdentity(root = '/'): HostIdentity {
  const identity: Record<string, string> = {};
  for (const [part, places] of Object.entries(PLACES)) {
    for (const place of places) {
      const value = read(join(root, place));
      // An asset tag is an instance id only on EC2; elsewhere many hosts may share one.
      if (NOTHING.test(value) || (part === 'instance' && !/^i-[0-9a-f]+$/u.test(value))) continue;
      identity[part] ??= hash(value.toLowerCase());
    }
  }
  return identity;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // Missing, or readable only by root: an unknown part distinguishes nothing.
    return '';
  }
}

function hash(value: string): string {
  return createHash('sha256').update(`migration-agent ${value}`).digest('hex').slice(0, 16);
}
