/**
 * What tells this host from its copies: the machine id, the hardware's UUID (readable for root), the instance id of a
 * cloud. Hashed, since a machine id is not for the world (machine-id(5)).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostIdentity } from '../core/model/host-identity.ts';

/** Where each part is read, the first that can be; `root` is another directory in tests. */
const PLACES: Readonly<Record<keyof HostIdentity, readonly string[]>> = {
  machine: ['etc/machine-id', 'var/lib/dbus/machine-id'],
  hardware: ['sys/class/dmi/id/product_uuid', 'sys/hypervisor/uuid'],
  instance: ['sys/class/dmi/id/board_asset_tag'],
};

/** What firmware says where it says nothing, and what a first boot has not made yet. */
const NOTHING =
  /^(?:|uninitialized|0+|[0-]+|f+|[f-]+|not specified|none|default string|to be filled.*)$/iu;

export function readHostIdentity(root = '/'): HostIdentity {
  const identity: Record<string, string> = {};
  for (const [part, places] of Object.entries(PLACES)) {
    for (const place of places) {
      const value = read(join(root, place));
      // An asset tag names an instance only on EC2; elsewhere it may be the same for a whole shelf.
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
    // Not there, or for root only: a part that is not known tells nobody apart.
    return '';
  }
}

function hash(value: string): string {
  return createHash('sha256').update(`migration-agent ${value}`).digest('hex').slice(0, 16);
}
