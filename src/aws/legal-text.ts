/**
 * Makes text acceptable to the services. A text that they reject would make a call fail for ever: not even the failure of
 * a job could be reported. All rules work on code points, so no surrogate pair is cut. Names (streams, tasks, worker
 * groups) are made legal by the core or rejected by the configuration.
 */
import { stripVTControlCharacters } from 'node:util';

/**
 * One line for Migration Hub: the MODEL patterns are `^.{0,N}$`, and `.` matches no line break. Control
 * characters become blanks; a line without any stays as it is. `maxPoints`: 2,500 for StatusDetail, 500 for a
 * Description, 256 for a value.
 */
export function hubText(text: string, maxPoints = 2500): string {
  const all = points(text);
  const line = all.some(isControl)
    ? points(
        all
          .map((point) => (isControl(point) ? ' ' : point))
          .join('')
          .replace(/ {2,}/gu, ' ')
          .trim(),
      )
    : all;
  return cut(line, { maxPoints, maxBytes: Infinity, keep: 'start' });
}

export interface PipelineBounds {
  readonly maxPoints: number;
  /** An attempt's object holds 15,360 bytes in all (dp-limits), command and system fields included. */
  readonly maxBytes: number;
  /** Which end to keep: in a stack trace or in stderr the last lines matter. */
  readonly keep: 'start' | 'end';
}

/** Text for Data Pipeline: only the code points of its pattern, without terminal escape sequences. */
export function pipelineText(text: string, bounds: PipelineBounds): string {
  return cut(points(text).filter(isPipelinePoint), bounds);
}

/** An errorId: names that start with `Service_` are reserved (MODEL SetTaskStatus). */
export function pipelineErrorId(errorId: string): string {
  const legal = /^service_/iu.test(errorId) ? `Job_${errorId}` : errorId;
  return pipelineText(legal, { maxPoints: 1024, maxBytes: 1024, keep: 'start' });
}

/** Whole code points. A lone surrogate becomes U+FFFD; terminal escape sequences are removed as a whole. */
function points(text: string): string[] {
  return Array.from(stripVTControlCharacters(text.toWellFormed()));
}

/** C0, DEL, C1 (with NEL), and the two separators that `.` does not match either. */
function isControl(point: string): boolean {
  const code = codeOf(point);
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029;
}

/** MODEL: `[\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]*`. */
function isPipelinePoint(point: string): boolean {
  const code = codeOf(point);
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}

function codeOf(point: string): number {
  return point.codePointAt(0) ?? 0;
}

/** Cuts to the bounds and puts an ellipsis in place of the rest. */
function cut(all: readonly string[], bounds: PipelineBounds): string {
  if (fits(all, bounds)) return all.join('');
  const kept: string[] = [];
  let bytes = Buffer.byteLength('…');
  const fromStart = bounds.keep === 'start' ? all : all.toReversed();
  for (const point of fromStart) {
    bytes += Buffer.byteLength(point);
    if (bytes > bounds.maxBytes || kept.length + 1 >= bounds.maxPoints) break;
    kept.push(point);
  }
  return bounds.keep === 'start' ? `${kept.join('')}…` : `…${kept.reverse().join('')}`;
}

function fits(all: readonly string[], bounds: PipelineBounds): boolean {
  return all.length <= bounds.maxPoints && Buffer.byteLength(all.join('')) <= bounds.maxBytes;
}
