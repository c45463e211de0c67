/** Runs whose program or shim has ended while other processes of the run live on. */
import { describe, expect, test } from 'vitest';
import type { JobDefinition, Run } from '../../src/core/model/job.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/core/lib/time.ts';
import { snapshot } from '../../src/core/operator/status-document.ts';
import { definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const REASON = 'the shim was ended by SIGKILL';

class Left extends World {
  constructor(over: Partial<JobDefinition> = {}) {
    super({
      seed: 5,
      settings: settings({ jobs: new Map([['copy', definition('copy', over)]]) }),
      // The model's own end of the process comes long after what the tests post.
      jobs: { durationMs: () => 24 * HOUR_MS, exitCode: () => 0, progressEveryMs: HOUR_MS },
      failing: 0,
    });
    this.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    this.pass(MINUTE_MS);
  }

  pass(ms: number): void {
    this.runUntil(this.time.now().bootMs + ms);
  }

  get copy(): Run {
    const run = this.state.runs.get('copy/1');
    if (run === undefined) throw new Error('copy has not run');
    return run;
  }

  status(): Record<string, unknown> {
    const facts = { version: '0', pid: 1, startedAt: this.time.now(), problems: [] };
    return { ...snapshot(this.planner.view(), facts, this.time.now()).jobs[0] };
  }

  lastStatus(): string | undefined {
    return this.state.hubTasks.get('copy')?.promise?.payload.status;
  }

  events(): string[] {
    return this.notes.map(({ event }) => event);
  }
}

describe('a run whose shim died while its processes live', () => {
  test('stays live, is reported, and is lost when its tree is empty', () => {
    const world = new Left();
    world.post({ type: 'run-orphaned', run: 'copy/1', pids: [41, 42], reason: REASON });
    world.pass(10 * MINUTE_MS);
    expect(world.copy.state).toBe('running');
    expect(world.lastStatus()).toBe('IN_PROGRESS');
    // The processes of the model live, so each check finds them.
    expect(world.status()).toMatchObject({ state: 'running', processesLeft: [1] });
    world.killProcesses();
    world.pass(MINUTE_MS);
    expect(world.copy.state).toBe('lost');
    expect(world.lastStatus()).toBe('FAILED');
    expect(world.events()).toEqual(expect.arrayContaining(['job.orphaned', 'job.lost']));
  });

  test('holds its job, also for the next agent', () => {
    const world = new Left();
    world.post({ type: 'run-orphaned', run: 'copy/1', pids: [41], reason: REASON });
    world.turn();
    world.crash();
    world.post({ type: 'run-orphaned', run: 'copy/1', pids: [41], reason: REASON });
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator', request: 1 });
    world.pass(MINUTE_MS);
    expect(world.replies).toEqual([expect.objectContaining({ ok: false, code: 'conflict' })]);
    expect(world.events().filter((event) => event === 'job.orphaned')).toHaveLength(1);
  });

  test('can be canceled, with proof', () => {
    const world = new Left();
    world.post({ type: 'run-orphaned', run: 'copy/1', pids: [41], reason: REASON });
    world.turn();
    world.post({ type: 'cancel-requested', job: 'copy', by: 'test' });
    world.pass(MINUTE_MS);
    expect(world.copy.state).toBe('canceled');
    expect(world.running()).toBe(0);
  });
});

describe('a run whose program left processes behind', () => {
  const exited = { type: 'run-exited', run: 'copy/1', exitCode: 0, processesLeft: [77] } as const;

  test('has ended with its program, and shows them', () => {
    const world = new Left();
    world.post(exited);
    world.pass(MINUTE_MS);
    expect(world.status()).toMatchObject({ state: 'succeeded', processesLeft: [77] });
    expect(world.events()).toContain('job.left_processes');
  });

  test('waitFor tree: has ended when the last process has, with the exit code of the program', () => {
    const world = new Left({ waitFor: 'tree' });
    world.post(exited);
    world.pass(5 * MINUTE_MS);
    expect(world.status()).toMatchObject({ state: 'running', processesLeft: [1] });
    world.killProcesses();
    world.pass(MINUTE_MS);
    expect(world.copy.state).toBe('succeeded');
    expect(world.lastStatus()).toBe('COMPLETED');
  });

  test('waitFor tree: the next agent waits on', () => {
    const world = new Left({ waitFor: 'tree' });
    world.post({ ...exited, exitCode: 3 });
    world.turn();
    world.crash();
    world.post({ ...exited, exitCode: 3 });
    world.pass(MINUTE_MS);
    expect(world.copy.state).toBe('running');
    world.killProcesses();
    world.pass(MINUTE_MS);
    expect(world.copy.state).toBe('failed');
    expect(world.events().filter((event) => event === 'job.left_processes')).toHaveLength(1);
  });
});
