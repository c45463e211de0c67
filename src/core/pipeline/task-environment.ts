/**
 * The fields of a pipeline task as environment variables of the job that runs for it (config/README.md lists them).
 * Values are data: nothing here runs them, and no shell reads them unless the job's own program passes them to one.
 */
import type { PipelineField, PolledTask } from '../model/call.ts';
import { activityFields, componentName, field, texts } from './task-fields.ts';

/**
 * A pipeline object has at most 15,360 bytes (developer guide, limits), so a whole task fits. Kernels refuse to start a
 * program with much more than 100 kB of environment.
 */
const BYTES_MAX = 32_768;

export function taskEnvironment(task: PolledTask, workerGroup: string): Record<string, string> {
  const fields = activityFields(task);
  const scriptArguments = texts(fields, 'scriptArgument');
  const environment = new Environment();
  environment.add('ID', task.pipelineId);
  environment.add('ATTEMPT_ID', task.attemptId);
  environment.add('WORKER_GROUP', workerGroup);
  environment.add('ACTIVITY', componentName(task));
  environment.add('TYPE', field(fields, 'type'));
  environment.add('ARGUMENTS', String(scriptArguments.length));
  scriptArguments.forEach((one, index) => environment.add(`ARGUMENT_${index + 1}`, one));
  for (const [name, value] of namedFields(fields)) environment.add(name, value);
  return environment.done();
}

/** `@scheduledStartTime` becomes FIELD_SCHEDULED_START_TIME; the second value of a field ends in _2. */
function* namedFields(fields: readonly PipelineField[]): Generator<[string, string | undefined]> {
  const seen = new Map<string, number>();
  for (const { key, refValue, stringValue } of fields) {
    if (key === 'scriptArgument') continue;
    const name = `FIELD_${variableName(key)}`;
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    yield [nth === 1 ? name : `${name}_${nth}`, stringValue ?? refValue];
  }
}

function variableName(key: string): string {
  return key
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z\d]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase();
}

class Environment {
  readonly #values = new Map<string, string>();
  readonly #leftOut: string[] = [];
  #bytes = 0;

  /** A variable that exists is not replaced: a field cannot pass for another. */
  add(name: string, value: string | undefined): void {
    const variable = `MIGRATION_PIPELINE_${name}`;
    if (value === undefined || this.#values.has(variable)) return;
    // The kernel ends a variable at a NUL.
    const text = value.replaceAll('\0', '');
    // At most three bytes of UTF-8 for each unit of UTF-16.
    const bytes = variable.length + text.length * (/^[\u0001-\u007f]*$/.test(text) ? 1 : 3);
    if (this.#bytes + bytes > BYTES_MAX) {
      this.#leftOut.push(variable);
      return;
    }
    this.#bytes += bytes;
    this.#values.set(variable, text);
  }

  done(): Record<string, string> {
    if (this.#leftOut.length > 0) {
      const names = this.#leftOut.join(' ').slice(0, BYTES_MAX / 8);
      this.#values.set('MIGRATION_PIPELINE_LEFT_OUT', names);
    }
    return Object.fromEntries(this.#values);
  }
}
