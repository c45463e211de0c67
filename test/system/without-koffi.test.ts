/** A host on which libc cannot be called: nothing is known of a peer, and systemd is told by its own program. */
import { expect, test, vi } from 'vitest';
import { createNotifySocket } from '../../src/system/notify-socket.ts';
import { createPeerReader } from '../../src/system/peer-credentials.ts';

vi.mock('koffi', () => {
  throw new Error('there is no such library');
});

test('no peer is known', async () => {
  const readPeer = await createPeerReader();
  expect(readPeer(0)).toBeUndefined();
});

test('no datagram can be sent', async () => {
  expect(await createNotifySocket('/run/systemd/notify')).toBeUndefined();
});
