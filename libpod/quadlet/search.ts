/** Where Quadlet files are looked for (podman-systemd.unit(5)), and which of equal names counts: the first. */
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { compareText } from '../../core/compare-text.ts';
import { systemWords } from '../../core/system-words.ts';
import { kindOf, type Problem, Source } from './source.ts';
import { UnitFile, UnitSyntaxError } from './unit-file.ts';

export interface SearchUser {
  readonly uid: number;
  readonly rootless: boolean;
  readonly env: NodeJS.ProcessEnv;
}

const USERS = '/etc/containers/systemd/users';

/** Where a user's own files are installed. */
export function installDirectory({ rootless, env }: SearchUser): string {
  if (!rootless) return '/etc/containers/systemd';
  return join(absolute(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] || '/', '.config'), 'containers/systemd');
}

/** Of QUADLET_UNIT_DIRS instead, where that is set; what is not absolute there is told to `complain`. */
export function searchDirectories(user: SearchUser, complain: (message: string) => void): readonly string[] {
  const { rootless, uid, env } = user;
  const given = env['QUADLET_UNIT_DIRS'];
  if (given) {
    return given.split(':').filter((path) => {
      if (!isAbsolute(path) && path !== '') complain(`${path} not a valid file path`);
      return isAbsolute(path);
    });
  }
  if (!rootless) return ['/run/containers/systemd', '/etc/containers/systemd', '/usr/share/containers/systemd'];
  const runtime = absolute(env['XDG_RUNTIME_DIR']);
  return [...(runtime === undefined ? [] : [join(runtime, 'containers/systemd')]), installDirectory(user), USERS, join(USERS, String(uid))];
}

export interface Found {
  readonly sources: ReadonlyMap<string, Source>;
  readonly problems: readonly Problem[];
}

/** All Quadlet files below the directories, with their drop-ins. `loading` is told of each file that is read. */
export function loadSources(directories: readonly string[], user: SearchUser, loading: (message: string) => void = () => undefined): Found {
  const all = directories.flatMap((directory) => withSubdirectories(directory, user));
  const problems: Problem[] = [];
  const sources = new Map<string, Source>();
  const seen = new Set<string>();
  for (const directory of all) {
    for (const entry of list(directory)) {
      const { name: file } = entry;
      const kind = kindOf(file);
      if (kind === undefined || seen.has(file) || isDirectory(directory, entry)) continue;
      const path = join(directory, file);
      seen.add(file);
      loading(`Loading source unit file ${path}`);
      const unit = parseOrTell(path, problems);
      if (unit !== undefined) sources.set(file, new Source(path, kind, unit));
    }
  }
  const byBase = Map.groupBy(all, (directory) => basename(directory));
  for (const source of sources.values()) {
    for (const path of dropIns(source, byBase)) {
      loading(`Loading source drop-in file ${path}`);
      const unit = parseOrTell(path, problems);
      if (unit !== undefined) source.unit.merge(unit);
    }
  }
  return { sources, problems };
}

function parseOrTell(path: string, problems: Problem[]): UnitFile | undefined {
  try {
    return UnitFile.parse(readFileSync(path, 'utf8'), path);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof UnitSyntaxError) {
      problems.push({ severity: 'error', path, line: error.place.line, message: `error loading "${path}", ${message}`, hint: error.hint });
    } else {
      problems.push({ severity: 'error', path, message: `error loading "${path}", open ${path}: ${systemWords(error)}` });
    }
    return undefined;
  }
}

/** Depth first, each real directory once, so that a link in a circle ends. */
function withSubdirectories(top: string, { rootless, uid }: SearchUser): readonly string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  const visit = (directory: string): void => {
    const real = realPath(directory);
    if (real === undefined || seen.has(real)) return;
    seen.add(real);
    found.push(directory);
    for (const entry of list(directory)) {
      if (!isDirectory(directory, entry)) continue;
      const path = join(directory, entry.name);
      if (!rootless && path === USERS) continue;
      // Those of other users are named by their numbers.
      if (directory === USERS && /^\d+$/.test(entry.name) && entry.name !== String(uid)) continue;
      visit(path);
    }
  };
  visit(top);
  return found;
}

/** Of equal names the one counts whose directory says most of the file's name; they are merged in the order of their names. */
function dropIns({ stem, kind }: Source, byBase: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const byName = new Map<string, string>();
  for (const name of dropInDirectories(stem, kind)) {
    for (const directory of byBase.get(name) ?? []) {
      for (const { name: file } of list(directory))
        if (file.endsWith('.conf') && !byName.has(file)) byName.set(file, join(directory, file));
    }
  }
  return [...byName].toSorted(([a], [b]) => compareText(a, b)).map(([, path]) => path);
}

/** `foo-bar@x` has its own, that of its template, `foo-`, and that of its kind. */
export function dropInDirectories(stem: string, kind: string): readonly string[] {
  const names = [stem];
  const at = stem.indexOf('@');
  if (at > 0 && at < stem.length - 1) names.push(stem.slice(0, at + 1));
  const base = at > 0 ? stem.slice(0, at) : stem;
  for (let dash = base.lastIndexOf('-', base.length - 2); dash > 0; dash = base.lastIndexOf('-', dash - 1))
    names.push(base.slice(0, dash + 1));
  return [...names.map((name) => `${name}.${kind}.d`), `${kind}.d`];
}

function list(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).toSorted((a, b) => compareText(a.name, b.name));
  } catch {
    return [];
  }
}

/** Only what may be a link to one costs a call. */
function isDirectory(parent: string, entry: Dirent): boolean {
  if (entry.isFile()) return false;
  return entry.isDirectory() || statSync(join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() === true;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
