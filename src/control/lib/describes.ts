/**
 * Holds a zod schema and the type that it describes together, at compile time: the schema's values fit the type, and
 * the two have the same fields at every depth, optional ones included.
 */
import type * as z from 'zod';

/** `describes<Status>()(schema)` compiles only if the schema describes each field of `Status`, and no other. */
export function describes<Model>() {
  return <Schema extends z.ZodType<Model>>(
    schema: Schema & SameFields<Fields<Model>, Fields<z.output<Schema>>>,
  ): Schema => schema;
}

/** The paths of all fields: `agent`, `agent.fleet`, `agent.fleet.share`. */
type Fields<T> = T extends readonly (infer Item)[]
  ? Fields<Item>
  : T extends object
    ? {
        [Key in keyof T & string]: Key | `${Key}.${Fields<NonNullable<T[Key]>> & string}`;
      }[keyof T & string]
    : never;

type SameFields<A, B> = [Exclude<A, B>, Exclude<B, A>] extends [never, never]
  ? unknown
  : { readonly 'only in the type': Exclude<A, B>; readonly 'only in the schema': Exclude<B, A> };
