/** The log is a contract: every event is documented with its fields and has a constant message. */
import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';

import { EVENTS } from '../../src/core/model/timeline.ts';
import { eventLists, shellEvents } from './event-list.ts';

const PAGE = 'config/events.md';

test('config/events.md lists every event with its level and its fields (vitest -u writes it)', async () => {
  const { timeline, agent } = eventLists();
  const text = [
    ['timeline', timeline],
    ['agent', agent],
  ].reduce(
    (page, [name = '', lines = '']) =>
      page.replace(
        new RegExp(`(<!-- ${name}: made from the code -->\n).*?(\n<!-- end -->)`, 's'),
        (_all, start: string, end: string) => `${start}\n${lines}\n${end}`,
      ),
    readFileSync(PAGE, 'utf8'),
  );
  const options = await resolveConfig(PAGE);
  const formatted = await format(text, { ...options, parser: 'markdown' });
  await expect(formatted).toMatchFileSnapshot(`../../${PAGE}`);
});

test('an event has one level and one message, wherever it is written, and its name is area.fact', () => {
  const names = [...shellEvents().map(({ name }) => name), ...Object.keys(EVENTS)];
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => !/^[a-z]+\.[a-z_]+$/.test(name))).toEqual([]);
});

test('a message is static: it holds no value, and is no sentence with a full stop', () => {
  const messages = [...shellEvents(), ...Object.values(EVENTS)].map(({ msg }) => msg);
  expect(messages.length).toBeGreaterThan(50);
  expect(messages.filter((msg) => /[\d${}]|\.$/.test(msg) || msg.length > 80)).toEqual([]);
});

test('a field that holds a measure has its unit in its name', () => {
  const fields = [
    ...shellEvents().flatMap((event) => event.fields),
    ...Object.values(EVENTS).flatMap((event) => Object.keys(event.fields)),
  ];
  const bare = /^(?:timeout|grace|age|delay|duration|interval|late|after|elapsed|slack|size)$/i;
  expect(fields.filter((field) => bare.test(field))).toEqual([]);
});
