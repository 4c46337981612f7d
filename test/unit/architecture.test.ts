import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = dirname(dirname(import.meta.dirname));

/** Whom each room may import (docs/architecture.md): downwards only, and never its neighbour. */
const MAY_IMPORT = {
  core: ['core'],
  host: ['host', 'core'],
  runtime: ['runtime', 'host', 'core'],
  storage: ['storage', 'host', 'core'],
  network: ['network', 'host', 'core'],
  build: ['build', 'storage', 'host', 'core'],
  libpod: ['libpod', 'build', 'runtime', 'storage', 'network', 'host', 'core'],
  cli: ['cli', 'libpod', 'build', 'runtime', 'storage', 'network', 'host', 'core'],
  api: ['api', 'libpod', 'build', 'runtime', 'storage', 'network', 'host', 'core'],
} as const;

type Room = keyof typeof MAY_IMPORT;

interface Source {
  readonly path: string;
  readonly room: Room;
  readonly text: string;
  readonly imports: readonly string[];
}

/** Modules that only some files may use, and those files. */
const RESERVED: readonly { readonly module: RegExp; readonly allowed: RegExp }[] = [
  { module: /^koffi$|^@koromix\//, allowed: /^host\// },
  { module: /^node:child_process$/, allowed: /^host\/process\.ts$/ },
  { module: /^node:sqlite$/, allowed: /^libpod\// },
  { module: /^(execa|vitest|fast-check|tar-stream)$/, allowed: /^$/ },
];

/** A core that does no input or output can be used, and tested, anywhere; a parser is as pure. */
const CORE_MODULES = /^smol-toml$|^node:(buffer|crypto|events|path|string_decoder|timers(\/promises)?|util)$/;

const MEDIAN_LINES = 135;
const MOST_LINES = 450;

const sources = (Object.keys(MAY_IMPORT) as Room[]).flatMap(sourcesOf);

test('rooms import downwards only', () => {
  const violations = sources.flatMap(({ path, room, imports }) =>
    imports
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => relative(ROOT, join(ROOT, dirname(path), specifier)))
      .filter((target) => target !== 'package.json' && !(MAY_IMPORT[room] as readonly string[]).includes(target.split('/')[0] ?? ''))
      .map((target) => `${path} imports ${target}`),
  );
  expect(violations).toEqual([]);
});

test('system calls, processes and SQL stay in their places', () => {
  const violations = sources.flatMap(({ path, imports }) =>
    imports
      .filter((specifier) => RESERVED.some(({ module, allowed }) => module.test(specifier) && !allowed.test(path)))
      .map((specifier) => `${path} imports ${specifier}`),
  );
  expect(violations).toEqual([]);
});

test('core does no input or output', () => {
  const violations = sources
    .filter(({ room }) => room === 'core')
    .flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !specifier.startsWith('.') && !CORE_MODULES.test(specifier))
        .map((specifier) => `${path} imports ${specifier}`),
    );
  expect(violations).toEqual([]);
});

test('only the doors print and exit', () => {
  const violations = sources
    .filter(({ room }) => room !== 'cli' && room !== 'api')
    .filter(({ text }) => /\bprocess\.exit\(|\bconsole\.\w+\(|\bprocess\.std(out|err)\.write\(/.test(text))
    .map(({ path }) => path);
  expect(violations).toEqual([]);
});

test('no folder or file is named for what is left over', () => {
  expect(sources.map(({ path }) => path).filter((path) => /(^|\/)(utils?|helpers?|misc|common|manager)(\.ts|\/)/.test(path))).toEqual([]);
});

test(`files are small: the median has at most ${MEDIAN_LINES} lines, none more than ${MOST_LINES}`, () => {
  const sizes = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 })).toSorted((a, b) => a.lines - b.lines);
  expect(sizes.filter(({ lines }) => lines > MOST_LINES)).toEqual([]);
  expect(sizes[Math.floor(sizes.length / 2)]?.lines).toBeLessThanOrEqual(MEDIAN_LINES);
});

function sourcesOf(room: Room): readonly Source[] {
  return listFiles(room).map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, room, text, imports: importsOf(text) };
  });
}

function listFiles(room: Room): readonly string[] {
  try {
    return readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name));
  } catch {
    // A room that is not built yet.
    return [];
  }
}

/** Static, re-exported and dynamic imports. `import type` of a module is no use of it, but of another room it is. */
function importsOf(text: string): readonly string[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\bfrom\s+)?['"]([^'"]+)['"]/gm);
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [
    ...[...statements]
      .filter(([, type, specifier]) => type === undefined || specifier?.startsWith('.'))
      .map(([, , specifier]) => specifier ?? ''),
    ...[...dynamic].map(([, specifier]) => specifier ?? ''),
  ];
}
