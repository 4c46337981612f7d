/**
 * How the units of Quadlet files come to systemd. Its generators are started from directories that root alone can write to: where he has put ours
 * there (`quadlet setup`), systemd starts it at every boot and reload. An ordinary user without it has the units written among his own instead,
 * by the commands that change his Quadlet files, with a mark by which they are known.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readlinkSync, readSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { lockBeside } from '../../host/replace-file.ts';
import type { GeneratedUnit } from './convert.ts';
import { generate, writeUnits } from './generate.ts';
import { type QuadletPlace, reloadSystemd } from './place.ts';
import { searchDirectories } from './search.ts';
import type { Problem } from './source.ts';

const MARK = '# Kept by lichen quadlet. Without this line it is left alone.';
const LOCK_TIMEOUT_MS = 10_000;

/** Where systemd looks for generators, and the link that is ours there. */
const GENERATORS = { system: 'lichen-system-generator', user: 'lichen-user-generator' } as const;
const DIRECTORIES = ['/run/systemd', '/etc/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd'];

export interface Refreshed {
  /** Paths of the units that are there now. Empty where a generator makes them. */
  readonly units: readonly string[];
  readonly problems: readonly Problem[];
}

/** Make systemd see the Quadlet files as they are. Throws what systemctl throws, LOCKED. */
export async function refreshUnits(place: QuadletPlace): Promise<Refreshed> {
  const made = generate(
    searchDirectories(place, () => undefined),
    place,
    place.launcher,
  );
  if (!place.rootless) {
    await reloadSystemd(place);
    return { units: [], problems: made.problems };
  }
  const hasGenerator = isGeneratorInstalled('user');
  const written = await writeOwn(place, hasGenerator ? [] : made.units);
  await reloadSystemd(place);
  return { units: hasGenerator ? [] : written.units, problems: [...made.problems, ...written.problems] };
}

/** Take away what `refreshUnits` has written. */
export async function removeUnits(place: QuadletPlace): Promise<void> {
  await writeOwn(place, []);
  await reloadSystemd(place);
}

export function isGeneratorInstalled(kind: keyof typeof GENERATORS): boolean {
  return DIRECTORIES.some((directory) => leadsToOurs(join(directory, `${kind}-generators`, GENERATORS[kind])));
}

/** For root: systemd starts ours from now on, for the machine and for all users. Returns the links. */
export async function linkGenerators(place: QuadletPlace): Promise<readonly string[]> {
  const paths = generatorLinks();
  for (const path of paths) {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    symlinkSync(`${place.launcher}-quadlet`, path);
  }
  await reloadSystemd(place);
  return paths;
}

export async function unlinkGenerators(place: QuadletPlace): Promise<void> {
  for (const path of generatorLinks()) rmSync(path, { force: true });
  await reloadSystemd(place);
}

function generatorLinks(): readonly string[] {
  return (['system', 'user'] as const).map((kind) => join('/etc/systemd', `${kind}-generators`, GENERATORS[kind]));
}

function leadsToOurs(path: string): boolean {
  try {
    return basename(realpathSync(path)) === 'lichen-quadlet';
  } catch {
    return false;
  }
}

async function writeOwn(place: QuadletPlace, units: readonly GeneratedUnit[]): Promise<Refreshed> {
  const directory = unitDirectory(place);
  if (units.length === 0 && namesIn(directory).length === 0) return { units: [], problems: [] };
  makeDirectory(directory);
  using _lock = await lockBeside(join(directory, '.lichen-quadlet'), LOCK_TIMEOUT_MS);
  const [own, foreign] = [new Set<string>(), new Set<string>()];
  for (const name of namesIn(directory)) if (name.endsWith('.service')) (isMarked(join(directory, name)) ? own : foreign).add(name);
  const ours = units.filter(({ name }) => !foreign.has(name));
  removeStale(directory, own, ours);
  const problems = writeUnits(directory, ours, { mark: MARK, fresh: false });
  const kept = units
    .filter(({ name }) => foreign.has(name))
    .map(({ name, source }): Problem => {
      const path = join(directory, name);
      return {
        severity: 'error',
        path,
        file: source.file,
        message: `${name} is there and is not lichen's`,
        hint: 'Write ServiceName=, or remove the unit',
      };
    });
  return { units: ours.map(({ name }) => join(directory, name)), problems: [...problems, ...kept] };
}

/** Links first: one without its unit would be an error at the next boot. Those that systemctl makes are absolute, and not ours. */
function removeStale(directory: string, own: ReadonlySet<string>, units: readonly GeneratedUnit[]): void {
  const links = new Set(units.flatMap((unit) => unit.links.map(({ path }) => path)));
  for (const path of linksBelow(directory)) {
    const target = readlinkSync(join(directory, path));
    if (!isAbsolute(target) && own.has(basename(target)) && !links.has(path)) rmSync(join(directory, path));
  }
  const names = new Set(units.map(({ name }) => name));
  for (const name of own) if (!names.has(name)) rmSync(join(directory, name));
}

function linksBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

function isMarked(path: string): boolean {
  try {
    const fd = openSync(path, 'r');
    try {
      const head = Buffer.alloc(MARK.length + 1);
      return head.toString('utf8', 0, readSync(fd, head)) === `${MARK}\n`;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

function unitDirectory({ env }: QuadletPlace): string {
  const config = env['XDG_CONFIG_HOME']?.startsWith('/') ? env['XDG_CONFIG_HOME'] : join(env['HOME'] || '/', '.config');
  return join(config, 'systemd/user');
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new EngineError('SYSCALL', `mkdir ${path}: ${systemWords(error)}`, { cause: error });
  }
}
