/**
 * Bundle the command line into dist/: `main.cjs`, which loads the parts (host/bundle.ts): `base.cjs` for `exec`, with what every command needs,
 * `show.cjs` for what showing things needs besides, `start.cjs` for starting and ending containers, `network.cjs` for bridges, `images.cjs` for
 * images that come and go, `rest.cjs` for all else; `thread-main.cjs`, what the threads that unpack layers run; `json-log-main.cjs`, the writer of
 * json-file logs; `quadlet.cjs`, the generator of units, with `generator.cjs`, its only part; so `runtime.cjs` with `runtime-main.cjs`, the OCI
 * runtime; `monitor-main.cjs`, the monitor of our own, with `monitor-base.cjs`, and with `monitor-runtime.cjs` where the runtime is ours as well;
 * and `large-pages.so` for Node itself; where there is a C compiler `lichen-ports-ARCH`, which forwards published ports. A part costs its reading, and V8 keeps a word on each of its functions, called or not; but every further
 * file costs a third of a millisecond, so a chunk for each command would be dearer. CommonJS, because it is loaded without the machinery of ES
 * modules (8 ms).
 */
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { buildForwarder } from './forwarder.ts';
import { largePages } from './large-pages.ts';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');
const ROOMS = ['core', 'host', 'storage', 'network', 'build', 'runtime', 'libpod', 'cli'];

const options = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename', 'import.meta.url': '__filename' },
  platform: 'node',
  target: 'esnext',
  minify: true,
  legalComments: 'linked',
  logLevel: 'warning',
} satisfies BuildOptions;

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
      const real = `process.getBuiltinModule('${path}')`;
      const lines = FUNCTIONS_ONLY.includes(path)
        ? names.map((name) => `export const ${name} = (...args) => ${real}.${name}(...args);`)
        : [
            `const real = ${real};`,
            ...names.map((name) => (name === 'default' ? 'export default real;' : `export const ${name} = real.${name};`)),
          ];
      return { contents: lines.join('\n'), loader: 'js' };
    });
  },
};

/** Of these we use functions alone, seldom: they are loaded by the first call (a millisecond each). */
const FUNCTIONS_ONLY = ['node:crypto', 'node:module', 'node:os', 'node:timers/promises', 'node:tls'];

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

/** Dynamic imports that commands of any part seldom come to. */
const SELDOM = [
  'host/exchange.ts',
  'host/passed-on.ts',
  'cli/help.ts',
  'cli/completion/complete.ts',
  'cli/completion/names.ts',
  'cli/format/tag.ts',
  'cli/format/views/artifact-document.ts',
  'libpod/artifact/inspect.ts',
  'cli/pulling.ts',
  'libpod/artifact/mount.ts',
  'libpod/boot/due.ts',
  'libpod/boot/unit.ts',
  'libpod/build/heal.ts',
  'libpod/container/cdi.ts',
  'libpod/container/hold.ts',
  'libpod/container/hooks.ts',
  'libpod/container/id-file.ts',
  'libpod/container/log-journal.ts',
  'libpod/container/log-tag.ts',
  'libpod/container/overlaid.ts',
  'libpod/container/readiness.ts',
  'libpod/container/size.ts',
  'libpod/container/socket-activation.ts',
  'libpod/container/split-cgroup.ts',
  'libpod/container/strays.ts',
  'libpod/container/subordinate.ts',
  'libpod/container/undo.ts',
  'libpod/event/read.ts',
  'libpod/event/tell.ts',
  'libpod/health/await.ts',
  'libpod/health/timer.ts',
  'libpod/image/remove.ts',
  'libpod/image/volume.ts',
  'libpod/inspect/volume.ts',
  'libpod/inspect/network.ts',
  'libpod/manifest/instance.ts',
  'libpod/network/attach.ts',
  'libpod/network/connect.ts',
  'libpod/network/heal.ts',
  'libpod/network/store.ts',
  'libpod/network/wanted.ts',
  'libpod/pod/exit-policy.ts',
  'libpod/pod/inspect.ts',
  'libpod/spec/parse/word.ts',
  'libpod/monitor/embedded.ts',
  'libpod/monitor/json-log.ts',
  'libpod/runtime/embedded.ts',
  'libpod/storage-flags.ts',
  'libpod/volume/list.ts',
  'libpod/volume/remove.ts',
  'network/slirp4netns.ts',
  'storage/driver/changes.ts',
  'storage/driver/probe.ts',
  'storage/layer/assemble.ts',
  'storage/layer/unpack.ts',
  'storage/layer/verify.ts',
  'storage/tree/copy.ts',
  'storage/tree/unlink.ts',
];

interface Part {
  readonly name: string;
  readonly commands: readonly string[];
  /** Dynamic imports that these commands seldom come to. */
  readonly seldom: readonly string[];
  /** Modules that others reach as well stay in theirs, and are not in the base of all. */
  readonly aside?: boolean;
  /** Modules that belong here although none of the commands reaches them. */
  readonly besides?: readonly string[];
}

/** What `exec` and the commands that show things seldom come to besides. */
const NOT_STARTING = [
  ...SELDOM,
  'libpod/container/pause.ts',
  'libpod/container/remove.ts',
  'libpod/container/rootfs.ts',
  'libpod/container/start.ts',
  'libpod/container/stop.ts',
  'libpod/image/driver.ts',
  'libpod/monitor/choose.ts',
  'libpod/monitor/conmon.ts',
  'libpod/secret/container.ts',
  'libpod/volume/mount.ts',
  'storage/layer/store.ts',
];

/** What every command would pay for if one import led there from `exec`: the build fails. */
const STARTING = ['libpod/container/start.ts', 'libpod/monitor/conmon.ts', 'libpod/spec/oci.ts', 'storage/layer/store.ts'];

/** `run` on a bridge needs most of these as well. */
const NETWORK = ['network-create', 'network-connect', 'network-disconnect', 'network-ls', 'network-rm'];

const BASE = 'base';
/** A module that two of them reach belongs to the first. */
const PARTS: readonly Part[] = [
  { name: BASE, commands: ['exec'], seldom: NOT_STARTING, besides: ['core/address.ts'] },
  { name: 'show', commands: ['ps', 'images', 'inspect'], seldom: NOT_STARTING },
  { name: 'start', commands: ['run', 'create', 'start', 'stop', 'rm', 'logs', 'wait', 'container-cleanup'], seldom: SELDOM },
  {
    name: 'network',
    commands: NETWORK,
    seldom: SELDOM.filter((path) => !path.startsWith('libpod/network/')),
    aside: true,
    besides: ['libpod/network/heal.ts', 'libpod/network/wanted.ts'],
  },
  { name: 'images', commands: ['pull', 'load', 'rmi', 'push', 'save'], seldom: SELDOM, aside: true },
];
const REST = 'rest';
const ENTRY = 'cli/program.ts';
const MONITOR = 'libpod/monitor/monitor-main.ts';

type Graph = Metafile['inputs'];

/** The part of each module; those of the rest are not listed. */
function divide(graph: Graph): ReadonlyMap<string, string> {
  const partOf = new Map<string, string>();
  for (const { name, commands, seldom, aside, besides = [] } of PARTS) {
    const reached = new Set([ENTRY, ...commands.map((command) => `cli/commands/${command}.ts`), ...besides]);
    // A set hands out what is added to it while it is gone through.
    for (const module of reached) {
      const known = partOf.get(module);
      partOf.set(module, known === undefined ? name : aside ? known : BASE);
      for (const { path, kind, external } of graph[module]?.imports ?? []) {
        const isTaken = kind !== 'dynamic-import' || !(seldom.includes(path) || isCommand(path));
        if (external !== true && isTaken) reached.add(path);
      }
    }
  }
  return partOf;
}

/** Data goes with whoever imports it, and so do packages: asked for whole, nothing of theirs could be left out. */
function staysInside(path: string): boolean {
  return path.endsWith('.json') || path.startsWith('node_modules/');
}

function isCommand(path: string): boolean {
  return path.startsWith('cli/commands/');
}

/** Modules that other parts import, by part; and the one it all begins with. */
function shared(graph: Graph, partOf: (module: string) => string, entry: string): ReadonlyMap<string, ReadonlySet<string>> {
  const result = new Map(Object.keys(graph).map((module) => [partOf(module), new Set<string>()]));
  result.get(partOf(entry))!.add(entry);
  for (const [module, { imports }] of Object.entries(graph)) {
    for (const { path, external } of imports) if (external !== true && partOf(path) !== partOf(module)) result.get(partOf(path))!.add(path);
  }
  return result;
}

/** What a source of ours exports besides types. A name that this misses fails the build. */
async function exportsOf(path: string): Promise<readonly string[]> {
  const source = await readFile(join(root, path), 'utf8');
  const declared = source.matchAll(/^export (?:async |abstract )?(?:function|const|class)\*? (\w+)/gm);
  const listed = source.matchAll(/^export \{([^}]*)\}/gm);
  return [
    ...[...declared].map(([, name = '']) => name),
    ...[...listed].flatMap(([, names = '']) => names.split(',').map((name) => name.trim().split(' as ').at(-1)!)).filter(Boolean),
  ];
}

/** Imports that lead into another part ask for it; `part` is what the wrapper of each part is given. */
function crossings(own: string, partOf: (module: string) => string): Plugin {
  return {
    name: 'crossings',
    setup: (bundler) => {
      bundler.onResolve({ filter: /^[^:]*$/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (pluginData === 'resolved' || kind === 'entry-point') return undefined;
        const resolved = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: 'resolved' });
        const module = relative(root, resolved.path);
        return staysInside(module) || partOf(module) === own ? resolved : { path: module, namespace: 'part' };
      });
      // Bound once for all who import it: esbuild would make each of them a copy of what a CommonJS module exports.
      bundler.onLoad({ filter: /.*/, namespace: 'part' }, async ({ path }) => {
        const names = (await exportsOf(path)).map((name) => `export const ${name} = real.${name};`);
        return { contents: `const real = part('${partOf(path)}')['${path}']();\n${names.join('\n')}\n`, loader: 'js' };
      });
    },
  };
}

async function buildPart(name: string, modules: ReadonlySet<string>, plugins: readonly Plugin[]): Promise<void> {
  const entries = [...modules].map((module) => `'${module}': () => require('./${module}'),`);
  await build({
    ...options,
    outfile: join(outdir, `${name}.cjs`),
    stdin: { contents: `module.exports = { ${entries.join('\n')} };`, resolveDir: root, sourcefile: `${name}.js` },
    plugins: [lazyBuiltins, ...plugins],
    // Wrapped here and not when it is loaded: that would copy it.
    banner: { js: '(function(module,require,__filename,__dirname,part){' },
    footer: { js: '})' },
  });
  digest.update(await readFile(join(outdir, `${name}.cjs`)));
}

async function graphOf(entry: string): Promise<Graph> {
  const { metafile } = await build({ ...options, entryPoints: [join(root, entry)], outdir, metafile: true, write: false });
  return metafile.inputs;
}

async function buildParts(graph: Graph, partOf: (module: string) => string, entry: string): Promise<void> {
  for (const [name, modules] of shared(graph, partOf, entry)) await buildPart(name, modules, [crossings(name, partOf)]);
}

/** The monitor of our own, without what it loads where the runtime is ours as well. */
function residentOf(graph: Graph): ReadonlySet<string> {
  const reached = new Set([MONITOR]);
  for (const module of reached) {
    for (const { path, kind, external } of graph[module]?.imports ?? [])
      if (external !== true && kind !== 'dynamic-import') reached.add(path);
  }
  return reached;
}

const digest = createHash('sha256');
await rm(outdir, { recursive: true, force: true });
const graph = await graphOf(ENTRY);
const divided = divide(graph);
const partOf = (module: string): string => divided.get(module) ?? REST;
for (const module of STARTING) {
  if (partOf(module) === BASE)
    throw new Error(`${module} is in the part of all commands: list as seldom what leads there, or import it dynamically`);
}
await buildParts(graph, partOf, ENTRY);
await buildPart('generator', new Set(['cli/quadlet/main.ts']), []);
await buildPart('runtime-main', new Set(['cli/runtime/main.ts']), []);
const monitorGraph = await graphOf(MONITOR);
const resident = residentOf(monitorGraph);
await buildParts(monitorGraph, (module) => (resident.has(module) ? 'monitor-base' : 'monitor-runtime'), MONITOR);
const define = { ...options.define, LICHEN_BUILD: JSON.stringify(digest.digest('hex').slice(0, 16)) };
for (const [name, entry] of [
  ['main', 'cli/main.ts'],
  ['quadlet', 'cli/quadlet/entry.ts'],
  ['runtime', 'cli/runtime/entry.ts'],
  ['monitor-main', 'libpod/monitor/entry.ts'],
] as const) {
  await build({ ...options, define, outfile: join(outdir, `${name}.cjs`), entryPoints: [join(root, entry)], plugins: [lazyBuiltins] });
}
for (const [name, entry] of [
  ['thread-main', 'storage/layer/thread-main.ts'],
  ['json-log-main', 'libpod/monitor/json-log-main.ts'],
  // What containers tell their service manager.
  ['notify-main', 'libpod/monitor/notify-main.ts'],
] as const) {
  await build({ ...options, outfile: join(outdir, `${name}.cjs`), entryPoints: [join(root, entry)], plugins: [lazyBuiltins] });
}
await writeFile(join(outdir, 'large-pages.so'), largePages());
buildForwarder(root, join(outdir, `lichen-ports-${process.arch}`));
