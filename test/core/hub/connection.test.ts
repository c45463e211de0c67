/** The region, the stream and the denied operations: what is believed, since when, and what a move undoes. */
import { describe, expect, test } from 'vitest';
import { HubConnection } from '../../../src/core/hub/connection.ts';
import { HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { HubSettings } from '../../../src/core/model/settings.ts';
import {
  HUB_SETUP_KEY,
  hubLinksKey,
  hubTaskKey,
} from '../../../src/core/scheduling/reporter-keys.ts';
import { Reporters } from '../../../src/core/scheduling/reporters.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { START, aTask } from '../../support/desk.ts';
import { HUB, settings } from '../../support/settings.ts';

const STREAM = 'eu-central-1/test-stream';
const at = (ms: number) => after(START, ms);

function connectionOf(
  hub: Partial<HubSettings> = {},
  metadata: Partial<PersistentState['metadata']> = {},
) {
  const state = new PersistentState();
  state.metadata = { streams: [], ...metadata };
  state.recoverHubTask(aTask());
  const reporters = new Reporters();
  const nothing = (): undefined => undefined;
  for (const key of [HUB_SETUP_KEY, hubTaskKey('copy'), hubLinksKey('copy')]) {
    reporters.add({ key, next: nothing, call: nothing, settled: nothing });
  }
  const current = settings({ migrationHub: { ...HUB, ...hub } });
  const connection = new HubConnection({
    state,
    reporters,
    settings: { current },
    timeline: new Timeline(state),
  });
  const touched = () => [...reporters.takeTouched()].map(({ owner }) => owner?.key);
  touched();
  const taken = () => {
    const changes = state.takeChanges();
    return {
      events: [...changes.events].map(({ event }) => event),
      isSaved: changes.metadata !== undefined,
      tasks: [...changes.hubTasks].length,
    };
  };
  return { connection, state, touched, taken };
}
const ALL = [HUB_SETUP_KEY, hubTaskKey('copy'), hubLinksKey('copy')];

describe('ready', () => {
  test.each<[string, Partial<HubSettings>, Partial<PersistentState['metadata']>, boolean]>([
    ['with the region and the stream', {}, { homeRegion: 'eu-central-1', streams: [STREAM] }, true],
    ['not without the region', {}, { streams: [STREAM] }, false],
    ['not without the stream', {}, { homeRegion: 'eu-central-1' }, false],
    [
      'not with a stream of another region',
      {},
      { homeRegion: 'us-west-2', streams: [STREAM] },
      false,
    ],
    [
      'without a stream that somebody else makes',
      { createStream: false },
      { homeRegion: 'a' },
      true,
    ],
    [
      'in the configured region',
      { region: 'us-west-2' },
      { homeRegion: 'a', streams: ['us-west-2/test-stream'] },
      true,
    ],
  ])('%s', (_what, hub, metadata, isReady) => {
    expect(connectionOf(hub, metadata).connection.isReady).toBe(isReady);
  });
});

describe('the region', () => {
  test('that is answered first is kept, and everybody looks again', () => {
    const { connection, state, taken, touched } = connectionOf();
    connection.regionAnswered('eu-central-1', START);
    expect(connection.region).toBe('eu-central-1');
    expect(touched()).toEqual(ALL);
    expect(taken()).toMatchObject({ events: ['hub.home_region'], isSaved: true });
    connection.regionAnswered('eu-central-1', START);
    expect([touched(), taken().isSaved]).toEqual([[], false]);
    expect(state.metadata.homeRegion).toBe('eu-central-1');
  });

  test('that has moved: tasks are imported again, and promises there are worth nothing', () => {
    const promise = {
      ...{ run: 'copy/1', payload: { status: 'IN_PROGRESS' as const }, madeAt: START },
      ...{ until: START, nextUpdateS: 300 },
    };
    const ended = { ...promise, payload: { status: 'COMPLETED' as const } };
    const { connection, state, taken } = connectionOf({}, { homeRegion: 'us-west-2' });
    const live = aTask({ name: 'live', promise, offered: 'live/1' });
    const done = aTask({ name: 'done', promise: ended });
    const fresh = aTask({ name: 'fresh', imported: false, offered: 'fresh/1' });
    for (const task of [live, done, fresh]) state.recoverHubTask(task);
    connection.regionAnswered('eu-central-1', START);
    expect([live.imported, live.offered, live.promise]).toEqual([false, undefined, undefined]);
    expect([done.imported, done.promise]).toEqual([false, ended]);
    expect(fresh.offered).toBe('fresh/1');
    expect(taken().tasks).toBe(3);
  });

  test('is confirmed by an answer since then; else it is doubted, and asked for once', () => {
    const { connection, touched } = connectionOf();
    expect([connection.confirmRegion(START.bootMs), connection.isRegionDoubtful]).toEqual([
      false,
      true,
    ]);
    expect(touched()).toEqual(ALL);
    connection.confirmRegion(START.bootMs);
    expect(touched()).toEqual([]);
    connection.regionAnswered('eu-central-1', at(5));
    expect(connection.isRegionDoubtful).toBe(false);
    expect(connection.confirmRegion(at(5).bootMs)).toBe(true);
    expect(connection.confirmRegion(at(6).bootMs)).toBe(false);
  });

  test('of the configuration needs no confirmation', () => {
    const { connection } = connectionOf({ region: 'us-west-2' });
    expect([connection.confirmRegion(START.bootMs), connection.isRegionDoubtful]).toEqual([
      true,
      false,
    ]);
  });

  test('that may not be asked for: what was known has to do', () => {
    const known = connectionOf({}, { homeRegion: 'eu-central-1' }).connection;
    known.confirmRegion(START.bootMs);
    known.regionUnavailable(at(1));
    expect([known.isRegionDoubtful, known.confirmRegion(START.bootMs)]).toEqual([false, true]);
    const unknown = connectionOf().connection;
    unknown.confirmRegion(START.bootMs);
    unknown.regionUnavailable(at(1));
    expect(unknown.isRegionDoubtful).toBe(true);
  });
});

describe('an account without a home region', () => {
  test('is an obstacle until it has one; the event comes once', () => {
    const { connection, state, taken, touched } = connectionOf({}, { homeRegion: 'eu-central-1' });
    connection.confirmRegion(START.bootMs);
    touched();
    connection.homeRegionAbsent('none', START);
    connection.noHomeRegion('still none', START);
    expect(connection.isRegionDoubtful).toBe(false);
    expect(connection.obstacle).toBe(
      'Migration Hub has no home region (still none); set one, all reports wait',
    );
    expect(state.metadata.homeRegion).toBeUndefined();
    expect(touched()).toEqual(ALL);
    expect(taken()).toMatchObject({ events: ['hub.no_home_region'], isSaved: true });
    connection.regionAnswered('eu-central-1', START);
    expect(connection.obstacle).toBeUndefined();
  });
});

describe('the stream', () => {
  const known = { homeRegion: 'eu-central-1' };

  test('that was made is known once, and everybody looks again', () => {
    const { connection, state, taken, touched } = connectionOf({}, { ...known, streams: ['a/b'] });
    connection.streamCreated(STREAM, START);
    connection.streamCreated(STREAM, START);
    expect(state.metadata.streams).toEqual(['a/b', STREAM]);
    expect([connection.isReady, touched(), taken().isSaved]).toEqual([true, ALL, true]);
  });

  test('that is missing is made again, but not within five minutes of its making', () => {
    const { connection, state } = connectionOf({}, known);
    connection.streamCreated(STREAM, START);
    connection.streamMissing(at(5 * MINUTE_MS - 1));
    expect(state.metadata.streams).toEqual([STREAM]);
    connection.streamMissing(at(5 * MINUTE_MS));
    expect([state.metadata.streams, connection.isReady]).toEqual([[], false]);
    expect(connection.obstacle).toBeUndefined();
  });

  test('that may not be made is assumed; once it is missing, that is an obstacle', () => {
    const { connection, touched } = connectionOf({}, known);
    connection.streamDenied(STREAM, 'denied');
    expect([connection.isReady, connection.obstacle, touched()]).toEqual([true, undefined, ALL]);
    connection.streamMissing(START);
    expect(connection.isReady).toBe(false);
    expect(connection.obstacle).toMatch(
      /^the progress update stream eu-central-1\/test-stream does not exist, and .* fails: it is denied;/,
    );
    connection.streamDenied(STREAM, 'AccessDenied');
    expect([connection.isReady, connection.obstacle?.includes('fails: AccessDenied;')]).toEqual([
      false,
      true,
    ]);
    connection.streamCreated(STREAM, START);
    expect([connection.isReady, connection.obstacle]).toEqual([true, undefined]);
  });
});

describe('an operation without its policy', () => {
  test('is left alone for an hour, and recorded once in that time', () => {
    const { connection, taken } = connectionOf();
    const PUT = 'PutResourceAttributes';
    expect(connection.disabledUntilMs(PUT)).toBe(0);
    connection.disable(PUT, 'no policy', START);
    connection.disable(PUT, 'no policy', at(HOUR_MS - 1));
    expect(taken().events).toEqual(['hub.feature_disabled']);
    expect(connection.disabledUntilMs(PUT)).toBe(START.bootMs + 2 * HOUR_MS - 1);
    connection.disable(PUT, 'still none', at(2 * HOUR_MS - 1));
    expect(taken().events).toEqual(['hub.feature_disabled']);
    expect(connection.disabled.get(PUT)?.reason).toBe('still none');
    connection.enableAll();
    expect([connection.disabled.size, connection.disabledUntilMs(PUT)]).toEqual([0, 0]);
  });
});
