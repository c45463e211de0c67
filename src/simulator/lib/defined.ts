/** Objects with optional members, which `exactOptionalPropertyTypes` keeps from being `undefined`. */

type Defined<T> = {
  [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key];
} & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>;
};

/** A copy without the members that are undefined. */
export function defined<const T extends object>(members: T): Defined<T> {
  const copy: Partial<T> = {};
  for (const key in members) {
    if (members[key] !== undefined) copy[key] = members[key];
  }
  return copy as unknown as Defined<T>;
}
