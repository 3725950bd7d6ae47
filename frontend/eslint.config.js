import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const domains = ['datasets', 'models', 'training', 'features', 'steering', 'jobs', 'system'];
const component = (/** @type {string} */ name) => `./src/components/${name}`;

/** Layers from the bottom up: a layer imports itself and the ones before it. */
const layers = [
  ['./src/types'],
  ['./src/utils'],
  ['./src/services'],
  ['./src/stores'],
  ['./src/hooks'],
  domains.map(component),
  ['./src/App.tsx', './src/main.tsx'],
];

const layerZones = layers.slice(0, -1).flatMap((targets, level) =>
  layers
    .slice(level + 1)
    .flat()
    .map((from) => ({
      target: targets,
      from,
      // The types are aliases of the generated ones, which lie beside the services.
      except: from === './src/services' ? ['./generated'] : [],
      message: 'A layer imports only the layers below it (eslint.config.js).',
    })),
);

const sharedComponentZones = ['common', 'visualizations'].map((name) => ({
  target: component(name),
  from: ['./src/services', './src/stores', './src/hooks', ...domains.map(component)],
  message: 'Shared components know utils and types only; pass data in as props.',
}));

const domainZones = domains.map((domain) => ({
  target: component(domain),
  from: domains.filter((other) => other !== domain).map(component),
  message: 'A domain folder may not import another; App.tsx composes them.',
}));

export default defineConfig(
  {
    // The generated files are checked by tsc and by their own diff in CI.
    ignores: ['dist', 'coverage', 'test-results', 'playwright-report', 'src/services/generated'],
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  reactHooks.configs.flat['recommended-latest'],
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        project: ['./tsconfig.app.json', './tsconfig.node.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        createTypeScriptImportResolver({
          project: ['./tsconfig.app.json', './tsconfig.node.json'],
          noWarnOnMultipleProjects: true,
        }),
      ],
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': 'error',
      'import-x/no-restricted-paths': [
        'error',
        { zones: [...layerZones, ...sharedComponentZones, ...domainZones] },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.test.{ts,tsx}', 'src/test/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['*.config.{js,ts}', 'scripts/**', 'e2e/**'],
    languageOptions: { globals: { ...globals.node } },
  },
  prettier,
);
