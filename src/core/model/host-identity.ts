/** What tells hosts apart, and what a copied state remembers of the host it came from. */

/** What tells hosts apart, as far as it could be read; each part hashed. */
export type HostIdentity = Readonly<Partial<Record<'machine' | 'hardware' | 'instance', string>>>;

/** What the state says of the host that it was copied from. */
export interface CopiedFrom {
  readonly identity: HostIdentity;
  readonly taskRunnerId?: string;
}
