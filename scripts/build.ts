/**
 * Bundle the command line into dist/: `main.cjs`, a few lines that switch the compile cache on, `program.cjs`, everything else, and
 * `thread-main.cjs`, what the threads that unpack layers run.
 * One big file beats a chunk for each command: V8 compiles a function when it is first called and keeps what it compiled in the cache, so
 * code that a command does not run costs nothing, while every further file costs a third of a millisecond. CommonJS, because it is loaded
 * without the machinery of ES modules (8 ms).
 */
import { readFile, rm } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');
const ROOMS = ['core', 'host', 'storage', 'network', 'libpod', 'cli'];

const shared: BuildOptions = {
  outdir,
  bundle: true,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename', 'import.meta.url': '__filename' },
  platform: 'node',
  target: 'esnext',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  logLevel: 'warning',
};

/**
 * A bundle imports Node's own modules at its top, needed or not, and node:https alone costs 10 ms. Here each becomes a small module of the
 * bundle, which takes the names our sources use from the real one when whoever imports it is first run.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      importer.includes('/node_modules/') ? { path, external: true } : { path, namespace: 'builtin' },
    );
    bundler.onLoad({ filter: /.*/, namespace: 'builtin' }, async ({ path }) => {
      const names = [...(await usedNames()).get(path)!];
      const lines = names.map((name) => (name === 'default' ? 'export default real;' : `export const ${name} = real.${name};`));
      return { contents: `const real = process.getBuiltinModule('${path}');\n${lines.join('\n')}\n`, loader: 'js' };
    });
  },
};

let found: Promise<Map<string, Set<string>>> | undefined;

/** Names imported from each of Node's modules anywhere in the rooms. */
function usedNames(): Promise<Map<string, Set<string>>> {
  return (found ??= (async () => {
    const used = new Map<string, Set<string>>();
    for (const file of ROOMS.flatMap((room) => globSync(join(root, room, '**/*.ts')))) {
      const source = await readFile(file, 'utf8');
      for (const [, clause = '', path = ''] of source.matchAll(/^import (?!type )([^;]*?) from '(node:[\w/]+)';/gms))
        collect(used, path, clause);
      for (const [, path = ''] of source.matchAll(/import\('(node:[\w/]+)'\)/g)) collect(used, path, await everything(path));
    }
    return used;
  })());
}

function collect(used: Map<string, Set<string>>, path: string, clause: string): void {
  const names = used.get(path) ?? new Set();
  used.set(path, names);
  const [, outside = '', inside = ''] = /^([^{]*)(?:\{(.*)\})?/s.exec(clause) ?? [];
  if (outside.replace(/[,\s]/g, '') !== '') names.add('default');
  for (const word of inside.split(',')) {
    const name = word.trim().split(/\s+as\s+/)[0]!;
    if (name !== '' && !name.startsWith('type ')) names.add(name);
  }
}

/** A dynamic import may use any name. */
async function everything(path: string): Promise<string> {
  const real = (await import(path)) as object;
  return `{ ${Object.keys(real)
    .filter((name) => name !== 'default' && name !== 'module.exports')
    .join(', ')} }`;
}

await rm(outdir, { recursive: true, force: true });
await build({ ...shared, entryPoints: [join(root, 'cli/program.ts')], plugins: [lazyBuiltins] });
await build({ ...shared, entryPoints: [join(root, 'storage/layer/thread-main.ts')], plugins: [lazyBuiltins] });
await build({ ...shared, entryPoints: [join(root, 'cli/main.ts')] });
