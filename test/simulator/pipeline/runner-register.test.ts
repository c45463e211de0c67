/** What a runner is told at its next heartbeat. */
import { expect, test } from 'vitest';
import { RunnerRegister } from '../../../src/simulator/pipeline/runner-register.ts';

test('runners that must terminate: one, or all, also after a restart of the simulator', () => {
  const register = new RunnerRegister();
  register.setTerminate('one', true);
  expect([register.heartbeat('one', 5), register.heartbeat('two', 6)]).toEqual([true, false]);
  register.setTerminate('all', true);
  const after = new RunnerRegister();
  after.restore(register.snapshot());
  expect([after.heartbeat('one', 7), after.heartbeat('two', 8)]).toEqual([true, true]);
  after.setTerminate('all', false);
  expect([after.heartbeat('one', 9), after.heartbeat('two', 9)]).toEqual([true, false]);
  after.setTerminate('one', false);
  expect(after.heartbeat('one', 9)).toBe(false);
});
