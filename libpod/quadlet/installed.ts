/** The Quadlet files that a user's generator sees: to list, to print, to remove. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { compareText } from '../../core/compare-text.ts';
import { matchGlob } from '../../core/glob.ts';
import { lockBeside } from '../../host/replace-file.ts';
import { systemctl, systemctlOutput } from '../../host/service-manager.ts';
import { type App, listApps, removeApp } from './apps.ts';
import { notFound, type QuadletPlace, scopeOf } from './place.ts';
import { installDirectory, loadSources, searchDirectories } from './search.ts';
import { kindOf, type Source } from './source.ts';

export interface InstalledQuadlet {
  readonly name: string;
  readonly unitName: string;
  readonly path: string;
  /** Of the unit, `active/running`; `Not loaded` where systemd does not know it. */
  readonly status: string;
  /** '' for none. */
  readonly app: string;
}

const LOCK_TIMEOUT_MS = 10_000;
const NOT_LOADED = 'Not loaded';

/** `filters` are `name=GLOB`; one of them has to match. Throws INVALID_ARGUMENT for others. */
export async function listQuadlets(place: QuadletPlace, filters: readonly string[]): Promise<readonly InstalledQuadlet[]> {
  const globs = filters.map(parseFilter);
  const apps = listApps(installDirectory(place));
  const sources = sourcesOf(place).filter(({ file }) => globs.length === 0 || globs.some((glob) => matchGlob(glob, file)));
  const units = sources.map(({ service }) => `${service}.service`);
  const statuses = await statusesOf(place, units);
  return sources.map(({ file, path }, index) => ({
    name: file,
    unitName: units[index]!,
    path,
    status: statuses.get(units[index]!) ?? NOT_LOADED,
    app: apps.find((app) => app.files.includes(file) && dirname(path) === installDirectory(place))?.name ?? '',
  }));
}

/** Of all files, for completion. */
export function quadletNames(place: QuadletPlace): readonly string[] {
  return sourcesOf(place).map(({ file }) => file);
}

/** As it is on the disk. Throws INVALID_ARGUMENT for a name of no kind, NO_SUCH_OBJECT. */
export function printQuadlet(place: QuadletPlace, name: string): Buffer {
  const kind = kindOf(name);
  if (kind === undefined) throw new EngineError('INVALID_ARGUMENT', `"${extname(name)}" is not a supported quadlet file type`);
  const source = sourcesOf(place).find(({ file }) => file === name);
  if (source === undefined) throw notFound(name);
  return readFileSync(source.path);
}

export interface RemoveOptions {
  /** Stop the units first. Otherwise none of them may run. */
  readonly force: boolean;
}

/**
 * A file, or the name of an app. With a file of an app go all of it. Returns the names of the Quadlet files that went.
 * Throws NO_SUCH_OBJECT, IN_USE, STORE_OWNER for one that others installed.
 */
export async function removeQuadlet(place: QuadletPlace, name: string, { force }: RemoveOptions): Promise<readonly string[]> {
  const directory = installDirectory(place);
  const app = listApps(directory).find((one) => one.name === name || one.files.includes(name));
  const names = app?.files ?? [name];
  const all = sourcesOf(place);
  const found = all.filter(({ file, path }) => names.includes(file) && dirname(path) === directory);
  if (found.length === 0) throw app === undefined ? missingOrForeign(all, name) : notFound(name);
  await stopUnits(place, found, force);
  using _lock = await lockBeside(join(directory, '.lichen-quadlet'), LOCK_TIMEOUT_MS);
  if (app === undefined) rmSync(join(directory, name), { force: true });
  else removeApp(directory, app);
  return found.map(({ file }) => file);
}

/** Names of all that `removeQuadlet` can remove, apps as one. */
export function removable(place: QuadletPlace): readonly string[] {
  const directory = installDirectory(place);
  const apps: readonly App[] = listApps(directory);
  const own = sourcesOf(place).filter(({ path }) => dirname(path) === directory);
  return [...new Set(own.map(({ file }) => apps.find(({ files }) => files.includes(file))?.name ?? file))];
}

function sourcesOf(place: QuadletPlace): readonly Source[] {
  const directories = searchDirectories(place, () => undefined);
  return [...loadSources(directories, place).sources.values()].toSorted((a, b) => compareText(a.file, b.file));
}

function missingOrForeign(all: readonly Source[], name: string): EngineError {
  const foreign = all.find(({ file }) => file === name);
  if (foreign === undefined) return notFound(name);
  return new EngineError('STORE_OWNER', `${foreign.path} was not installed by \`quadlet install\``, { hint: 'Remove the file itself' });
}

async function stopUnits(place: QuadletPlace, sources: readonly Source[], force: boolean): Promise<void> {
  const units = sources.map(({ service }) => `${service}.service`);
  const statuses = await statusesOf(place, units);
  const running = units.filter((unit) => statuses.get(unit)?.startsWith('active/'));
  if (running.length === 0) return;
  if (!force) {
    throw new EngineError('IN_USE', `quadlet ${running[0]} is running and force is not set, refusing to remove: quadlet is running`, {
      hint: 'Stop it, or use --force',
    });
  }
  await systemctl(scopeOf(place)!, ['stop', ...running]);
}

/** Of the units that systemd has loaded. */
async function statusesOf(place: QuadletPlace, units: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const scope = scopeOf(place);
  if (scope === undefined || units.length === 0) return new Map();
  const text = await systemctlOutput(scope, [
    'show',
    '--property=Id,LoadState,ActiveState,SubState',
    '--',
    ...units.filter((unit) => !unit.includes('@.')),
  ]);
  return new Map(
    text.split('\n\n').flatMap((block): [string, string][] => {
      const fields = new Map(block.split('\n').map((line) => line.split('=', 2) as [string, string]));
      if (fields.get('LoadState') !== 'loaded') return [];
      return [[fields.get('Id') ?? '', `${fields.get('ActiveState')}/${fields.get('SubState')}`]];
    }),
  );
}

function parseFilter(filter: string): string {
  const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(filter)!;
  if (key !== 'name') throw new EngineError('INVALID_ARGUMENT', `${key} is not a valid filter`, { hint: 'Write name=GLOB' });
  return value;
}
