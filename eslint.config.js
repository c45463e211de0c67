/**
 * The rules that hold the architecture: who may import whom, no circle of imports, a core without clock, dice or promise,
 * an owner for every promise, and functions that fit on a screen. Anything reported fails `npm run lint`.
 */
import tseslint from 'typescript-eslint';
import { circles } from './eslint.circles.js';

/** For each folder, the folders of src it may not import. `main.ts` and `cli` may import everything. */
const ALL = [
  'agent',
  'aws',
  'cli',
  'config',
  'control',
  'core',
  'jobs',
  'simulator',
  'store',
  'system',
];
const MAY_IMPORT = {
  core: [],
  agent: ['core', 'ports.ts'],
  aws: ['core', 'ports.ts'],
  config: ['core', 'ports.ts'],
  control: ['core', 'ports.ts'],
  jobs: ['core', 'ports.ts'],
  store: ['core', 'ports.ts'],
  system: ['core', 'ports.ts'],
  simulator: [],
};

function border(folder) {
  const forbidden = [...ALL, 'ports.ts', 'main.ts'].filter(
    (name) => name !== folder && !MAY_IMPORT[folder].includes(name),
  );
  const patterns = [
    {
      regex: `^(\\.\\./)+(${forbidden.join('|').replaceAll('.', '\\.')})(/|$)`,
      message: `src/${folder} may import ${MAY_IMPORT[folder].join(', ') || 'nothing of the other folders'}.`,
    },
    { regex: '^(\\.\\./){3}', message: 'src is three levels deep.' },
  ];
  if (folder === 'core') {
    patterns.push({
      regex: '^[^.]',
      message: 'The core imports no package and no module of Node.',
    });
  }
  return patterns;
}

/** The layers of the core, the ground first: each may import those before it. Hub and pipeline stand side by side. */
const CORE_LAYERS = [
  ['lib'],
  ['model'],
  ['command-line'],
  ['state'],
  ['scheduling'],
  ['hub', 'pipeline'],
  ['runs'],
  ['lifecycle', 'operator'],
];

function coreLayer(folder) {
  const level = CORE_LAYERS.findIndex((layer) => layer.includes(folder));
  const above = CORE_LAYERS.slice(level)
    .flat()
    .filter((name) => name !== folder);
  return {
    files: [`src/core/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...border('core'),
            { regex: '^\\.\\./planner\\.ts$', message: 'Only the agent knows the planner.' },
            {
              regex: `^\\.\\./(${above.length === 0 ? 'none' : above.join('|')})/`,
              message: `src/core/${folder} stands below or beside ${above.join(', ')}.`,
            },
          ],
        },
      ],
    },
  };
}

const CLOCKS_AND_DICE = [
  { name: 'Date', message: 'Ask the Clock port.' },
  { name: 'performance', message: 'Ask the Clock port.' },
  { name: 'setTimeout', message: 'Ask the Clock port.' },
  { name: 'setInterval', message: 'Ask the Clock port.' },
  { name: 'setImmediate', message: 'The core has no callbacks.' },
  { name: 'queueMicrotask', message: 'The core has no callbacks.' },
  { name: 'process', message: 'The core knows no process.' },
  { name: 'fetch', message: 'The core does no I/O.' },
  { name: 'crypto', message: 'Ask the Random port.' },
  { name: 'console', message: 'Add a timeline event.' },
];

const SYNTAX_EVERYWHERE = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
];

/** The names of a CommonJS package are lost in the bundle of the packages, where nothing else would notice. */
const PACKAGE_BY_NEED = {
  selector: 'ImportExpression > Literal[value=/^(?!\\.|node:|koffi$|@aws-sdk\\u002F)/]',
  message:
    'Export its names from a file of its own, and import() that: a bundle gives only the default export.',
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'coverage/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'eslint.circles.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      'no-console': 'error',
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...SYNTAX_EVERYWHERE],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
    },
  },
  ...Object.keys(MAY_IMPORT).map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: border(folder) }] },
  })),
  ...CORE_LAYERS.flat().map(coreLayer),
  {
    files: ['src/**/*.ts', 'systemd/package/**/*.ts'],
    plugins: { architecture: { rules: { circles } } },
    rules: {
      'architecture/circles': 'error',
      complexity: ['error', 15],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...CLOCKS_AND_DICE],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Dice are handed in.' },
      ],
      'no-restricted-syntax': [
        'error',
        ...SYNTAX_EVERYWHERE,
        { selector: ':function[async=true]', message: 'The core holds no promise.' },
        { selector: 'AwaitExpression', message: 'The core holds no promise.' },
        {
          selector: 'TSTypeReference[typeName.name=/^Promise(Like|Constructor|With|Settled|$)/]',
          message: 'The core holds no promise.',
        },
        { selector: "Identifier[name='Promise']", message: 'The core holds no promise.' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/core/**'],
    rules: { 'no-restricted-syntax': ['error', ...SYNTAX_EVERYWHERE, PACKAGE_BY_NEED] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/system/random.ts', 'src/core/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Dice come from src/system/random.ts.' },
      ],
    },
  },
  {
    files: ['src/agent/**/*.ts', 'src/store/**/*.ts', 'src/simulator/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', ...CLOCKS_AND_DICE.slice(0, 4)] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    // Tool configurations are default exports by the tools' own rule.
    files: ['*.config.js', '**/*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
