/**
 * The constrained types of the three service models, each with values at and beyond its limits. The limits are written
 * down here a second time, independent of the simulator's tables, so that a mistake in those is found.
 */

/** Path as `Task.Status`, `tags[].key`; the name of a type below; `required` if the model requires it. */
export type MemberRow = readonly [path: string, type: keyof typeof TYPES, required?: 'required'];

export interface Operation {
  /** As in X-Amz-Target. */
  readonly target: string;
  readonly members: readonly MemberRow[];
}

export interface Values {
  /** Values at the limit, still valid. The first one also fills requests that test other members. */
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const x = (length: number): string => 'x'.repeat(length);
/** One code point, two UTF-16 units: lengths count code points. */
const wide = (length: number): string => '\u{1F680}'.repeat(length);
const NO_TEXT = [7, true, ['x'], { x: 'x' }];
const NO_LIST = ['x', 7, { x: 'x' }];
const NO_INTEGER = ['7', 0.5, 2 ** 31, -(2 ** 31) - 1, true];

function text(min: number, max: number, refused: readonly string[] = []): Values {
  return {
    accepted: [x(max), x(min), wide(max)],
    refused: [x(max + 1), wide(max + 1), ...(min > 0 ? [x(min - 1)] : []), ...refused, ...NO_TEXT],
  };
}

/** `.{min,max}`: one line. */
function line(min: number, max: number): Values {
  const breaks = ['\n', '\r', '\u0085', '\u2028', '\u2029'].map((each) => `a${each}b`);
  return text(min, max, breaks);
}

/** Data Pipeline's texts: the only control characters are tab and line breaks. No half surrogate, no U+FFFE, no U+FFFF. */
function pipelineText(min: number, max: number): Values {
  const { accepted, refused } = text(min, max);
  const controls = ['\0', '\u0008', '\u000b', '\u001b[31m', '\u001f'];
  return {
    accepted: [
      ...accepted,
      '\t\r\n',
      ' ~\u007f\u0085',
      '\ud7ff\ue000\ufffd',
      '\u{10000}\u{10ffff}',
    ],
    refused: [...refused, ...controls, '\ud800', 'a\udfff', '\ufffe', '\uffff'],
  };
}

function oneOf(...accepted: readonly [string, ...string[]]): Values {
  return {
    accepted,
    refused: ['', 'CANCELED', accepted[0].toLowerCase(), `${accepted[0]} `, ...NO_TEXT],
  };
}

function integer(min: number, max: number): Values {
  const over = [min - 1, max + 1];
  return { accepted: [min, max], refused: [...over, ...NO_INTEGER] };
}

const list = (item: unknown, min: number, max: number): Values => ({
  accepted: [Array<unknown>(min).fill(item), Array<unknown>(max).fill(item)],
  refused: [
    Array<unknown>(max + 1).fill(item),
    ...(min > 0 ? [Array<unknown>(min - 1).fill(item)] : []),
    ...NO_LIST,
  ],
});

export const TYPES = {
  // Migration Hub
  ProgressUpdateStream: withMore(text(1, 50, ['a/b', 'a:b', 'a|b', '\0', 'a\tb', '\u001f']), [
    'a b',
    '@=#é\u007f',
  ]),
  MigrationTaskName: withMore(text(1, 256, ['a:b', 'a|b']), ['a/b\tc\n', '@=#é']),
  CreatedArtifactName: {
    accepted: [
      'arn:aws:s3:::bucket/key',
      `arn:aws:s3:::${x(1_587)}`,
      'arn:aws-us-gov:ec2:us-gov-west-1:123456789012:image/ami-0',
      'arn:aws:ec2:us-east-1:488216288981:',
    ],
    refused: [
      `arn:aws:s3:::${x(1_588)}`,
      '',
      'i-0123',
      'arn:aws:iam::aws:policy/x',
      'arn:aws:s3::12345678901:k',
      'ARN:aws:s3:::k',
      'arn:aws:s3::',
      ...NO_TEXT,
    ],
  },
  Description: line(0, 500),
  ConfigurationId: line(1, 1_600),
  SourceResourceName: withMore(text(1, 1_600), ['a\nb']),
  StatusDetail: line(0, 2_500),
  ResourceAttributeValue: line(1, 256),
  Token: {
    // A well-formed token that the simulator did not issue is an InvalidToken, not a broken constraint.
    accepted: ['', 'aZ09/+=', x(2_048)],
    refused: [x(2_049), 'a-b', 'a_b', ' ', ...NO_TEXT],
  },
  MaxResults: integer(1, 100),
  MaxResultsOfTen: integer(1, 10),
  ProgressPercent: integer(0, 100),
  NextUpdateSeconds: { accepted: [0, 2 ** 31 - 1], refused: [-1, ...NO_INTEGER] },
  ApplicationStatus: oneOf('NOT_STARTED', 'IN_PROGRESS', 'COMPLETED'),
  Status: oneOf('NOT_STARTED', 'IN_PROGRESS', 'FAILED', 'COMPLETED'),
  ResourceAttributeType: oneOf(
    'IPV4_ADDRESS',
    'IPV6_ADDRESS',
    'MAC_ADDRESS',
    'FQDN',
    'VM_MANAGER_ID',
    'VM_MANAGED_OBJECT_REFERENCE',
    'VM_NAME',
    'VM_PATH',
    'BIOS_ID',
    'MOTHERBOARD_SERIAL_NUMBER',
  ),
  ApplicationIds: list('d-application-1', 1, 100),
  ResourceAttributeList: list({ Type: 'FQDN', Value: 'a.example' }, 1, 100),

  // Its configuration service
  HomeRegion: {
    accepted: ['us-west-2', `us-${x(45)}-1`, 'a-b-0'],
    refused: [
      `us-${x(46)}-1`,
      '',
      'us-gov-west-1',
      'us-west',
      'US-WEST-2',
      'us-west-2a',
      ...NO_TEXT,
    ],
  },
  ControlId: {
    accepted: ['hrc-0123456789ab'],
    refused: ['hrc-0123456789a', 'hrc-0123456789abc', 'hrc-0123456789aB', '', ...NO_TEXT],
  },
  TargetType: oneOf('ACCOUNT'),
  TargetId: {
    accepted: ['924374875933', '000000000000'],
    refused: ['92437487593', '9243748759331', '92437487593x', '', ...NO_TEXT],
  },

  // Data Pipeline
  id: pipelineText(1, 1_024),
  string: pipelineText(0, 1_024),
  fieldNameString: pipelineText(1, 256),
  fieldStringValue: pipelineText(0, 10_240),
  taskId: pipelineText(1, 2_048),
  /** The model has no pattern for it, although it has one for similar members. */
  errorMessage: { accepted: [x(20_000), '', '\u001b[31m'], refused: NO_TEXT },
  longString: {
    accepted: ['x', '', '\u{10ffff}\t', x(20_971_520)],
    refused: [x(20_971_521), '\0', '\ud800', ...NO_TEXT],
  },
  tagKey: withMore(text(1, 128), ['a\nb']),
  tagValue: withMore(text(0, 256), ['a\nb']),
  tagList: list({ key: 'k', value: 'v' }, 0, 10),
  OperatorType: oneOf('EQ', 'REF_EQ', 'LE', 'GE', 'BETWEEN'),
  TaskStatus: oneOf('FINISHED', 'FAILED', 'FALSE'),

  // All of them
  boolean: { accepted: [false, true], refused: ['true', 1, []] },
  integer: { accepted: [1, 0, -(2 ** 31), 2 ** 31 - 1], refused: NO_INTEGER },
  timestamp: {
    accepted: [1_767_225_600, 1_767_225_600.25, 0, 253_402_300_799],
    /** Beyond all dates: a client that sends milliseconds. */
    refused: ['2026-01-01T00:00:00Z', true, 1_767_225_600_000],
  },
  list: { accepted: [[]], refused: NO_LIST },
  structure: { accepted: [], refused: ['x', 7, []] },
} as const satisfies Readonly<Record<string, Values>>;

function withMore({ accepted, refused }: Values, more: readonly string[]): Values {
  return { accepted: [...accepted, ...more], refused };
}
