/**
 * A picture that is drawn over the previous one: what was on the terminal before is kept, nothing of the previous
 * picture remains, and what does not fit is cut, because a wrapped line would move the cursor.
 */
import { clip } from './printable.ts';
import { heightOf, widthOf } from './terminal.ts';
import type { Output } from './terminal.ts';

/** Returns what has to be written for a picture. */
export function createRedraw(stdout: Output): (picture: string) => string {
  let drawn = 0;
  let size = '';
  return (picture) => {
    const [width, height] = [widthOf(stdout), heightOf(stdout)];
    // One row is the cursor's.
    const lines = picture.split('\n').slice(0, height - 1);
    const wasResized = size !== '' && size !== `${width}x${height}`;
    // A resized terminal has wrapped the previous picture: how many rows it takes is unknown.
    const goBack = wasResized
      ? '\u001b[H\u001b[J'
      : drawn === 0
        ? ''
        : `\r\u001b[${String(drawn)}A`;
    size = `${width}x${height}`;
    drawn = lines.length;
    const cleared = lines.map((line) => `\u001b[2K${clip(line, width)}\n`);
    return `${goBack}${cleared.join('')}\u001b[J`;
  };
}
