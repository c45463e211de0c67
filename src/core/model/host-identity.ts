/** What identifies a host, and what a copied state knows of the host that it came from. */

/** What identifies a host, as far as it could be read; each part is hashed. */
export type HostIdentity = Readonly<Partial<Record<'machine' | 'hardware' | 'instance', string>>>;

/** What the state knows of the host that it was copied from. */
export interface CopiedFrom {
  readonly identity: HostIdentity;
  readonly taskRunnerId?: string;
}
