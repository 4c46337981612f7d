/** What the global flags mean to the engine. */
import { join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import type { EngineOptions } from '../libpod/engine.ts';
import { type Globals, PERSISTENT_FLAGS } from './globals.ts';

/** Both the bundle (dist/main.js) and the source (cli/main.ts) lie one directory below the package's own. */
const PACKAGE = join(import.meta.dirname, '..');

/** What others start to start lichen. */
export const LAUNCHER = join(PACKAGE, 'bin/lichen');

/** Flags that choose a store and the programs that work on it: whoever starts lichen again for the same container repeats them. */
const REPEATED = [
  'cdi-spec-dir',
  'cgroup-manager',
  'conmon',
  'events-backend',
  'hooks-dir',
  'module',
  'network-cmd-path',
  'network-config-dir',
  'root',
  'runroot',
  'runtime',
  'runtime-flag',
  'storage-driver',
  'storage-opt',
  'volumepath',
] as const;

/** `argv` is the command line without the program's word. Throws INVALID_ARGUMENT. */
export function engineOptions(globals: Globals, argv: readonly string[], env: NodeJS.ProcessEnv): EngineOptions {
  return {
    root: globals.root,
    runroot: globals.runroot,
    runtime: globals.runtime,
    runtimeFlags: globals['runtime-flag'],
    conmon: globals.conmon,
    cgroupManager: cgroupManager(globals['cgroup-manager']),
    cdiDirectories: globals['cdi-spec-dir'],
    hooksDirectories: globals['hooks-dir'],
    storageDriver: globals['storage-driver'],
    storageOptions: globals['storage-opt'],
    networkCommand: globals['network-cmd-path'],
    networkDirectory: globals['network-config-dir'],
    volumePath: globals.volumepath,
    eventsBackend: eventsBackend(globals['events-backend']),
    modules: globals.module,
    expandTag: async (template, document) => (await import('./format/tag.ts')).expandTag(template, document),
    self: [LAUNCHER, ...repeatedFlags(globals)],
    args: argv,
    env,
  };
}

function cgroupManager(text: string | undefined): EngineOptions['cgroupManager'] {
  if (text === undefined || text === 'systemd' || text === 'cgroupfs') return text;
  throw new EngineError('INVALID_ARGUMENT', `invalid cgroup manager ${JSON.stringify(text)}: must be "systemd" or "cgroupfs"`);
}

function eventsBackend(text: string | undefined): EngineOptions['eventsBackend'] {
  if (text === undefined || text === '' || text === 'file' || text === 'journald' || text === 'none') return text || undefined;
  throw new EngineError('INVALID_ARGUMENT', `configuring runtime: ${JSON.stringify(text)} is not a valid events backend: invalid argument`);
}

function repeatedFlags(globals: Globals): string[] {
  return REPEATED.flatMap((name) => {
    const value = globals[name];
    if (value === undefined) return [];
    return PERSISTENT_FLAGS[name].kind === 'stringArray'
      ? (value as readonly string[]).map((one) => `--${name}=${one}`)
      : [`--${name}=${value as string}`];
  });
}
