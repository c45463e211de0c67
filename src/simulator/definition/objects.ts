/** The objects, fields and parameters of a pipeline definition, with the constraints of the service model of 2012-10-29. */
import { list, optional, required, string, structure } from '../lib/constraints.ts';
import type { Read, Shape } from '../lib/constraints.ts';

/** No control character but tab, line feed and carriage return; no lone surrogate; no U+FFFE, U+FFFF. */
const CHARACTERS = {
  text: '[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*',
  // This looks for a forbidden character, because `^[…]*$` runs out of stack on some millions of characters.
  test: (value: string): boolean =>
    !/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]/u.test(value),
};

export const id = text(1, 1024);
const fieldName = text(1, 256);
const fieldValue = text(0, 10_240);

export const field = structure({
  key: required(fieldName),
  stringValue: optional(fieldValue),
  refValue: optional(fieldName),
});
export type Field = Read<typeof field>;

export const pipelineObject = structure({
  id: required(id),
  name: required(id),
  fields: required(list(field)),
});
export type PipelineObject = Read<typeof pipelineObject>;

export const parameterObject = structure({
  id: required(fieldName),
  attributes: required(
    list(structure({ key: required(fieldName), stringValue: required(fieldValue) })),
  ),
});
export type ParameterObject = Read<typeof parameterObject>;

export const parameterValue = structure({
  id: required(fieldName),
  stringValue: required(fieldValue),
});
export type ParameterValue = Read<typeof parameterValue>;

/** Text of `min` to `max` characters, as the model allows them. */
export function text(min: number, max: number): Shape<string> {
  return string({ min, max, pattern: CHARACTERS });
}
