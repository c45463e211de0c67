/**
 * A picture that is drawn over its predecessor: nothing that stood on the terminal before is lost, nothing of an
 * older picture remains, and what does not fit is cut, since a line that wraps would put the cursor elsewhere.
 */
import { clip } from './printable.ts';
import { heightOf, widthOf } from './terminal.ts';
import type { Output } from './terminal.ts';

/** Makes of each picture what is to be written for it. */
export function createRedraw(stdout: Output): (picture: string) => string {
  let drawn = 0;
  let size = '';
  return (picture) => {
    const [width, height] = [widthOf(stdout), heightOf(stdout)];
    // One row is the cursor's.
    const lines = picture.split('\n').slice(0, height - 1);
    const wasResized = size !== '' && size !== `${width}x${height}`;
    // A terminal that changed has wrapped the last picture: how many rows it takes is not known any more.
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
