/** registries.conf, version 2 (containers-registries.conf(5)): where registries are, which are blocked, what short names mean. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { parseToml } from '../core/toml.ts';
import { formatReference, isDomain, parseTyped, qualify, repositoryOf, type Reference } from './reference.ts';

export interface RegistriesConf {
  /** The main file, for messages: it need not exist. */
  readonly file: string;
  /** Undefined when no file says anything: that is not the same as an empty list. */
  readonly unqualifiedSearch?: readonly string[];
  readonly shortNameMode: 'enforcing' | 'permissive' | 'disabled';
  readonly registries: readonly RegistryEntry[];
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly credentialHelpers: readonly string[];
}

export interface Alias {
  readonly target: string;
  readonly file: string;
}

export interface RegistryEntry {
  /** `host[:port][/path][:tag|@digest]` or `*.host`. */
  readonly prefix: string;
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly Mirror[];
}

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFrom: 'all' | 'digest-only' | 'tag-only';
}

/** One place to try for a reference, mirrors first. */
export interface Endpoint {
  readonly reference: Reference;
  readonly insecure: boolean;
  readonly mirror: boolean;
}

export interface RegistriesPlaces {
  /** `~/.config/containers`, or /etc/containers for root. */
  readonly config: string;
  readonly env: NodeJS.ProcessEnv;
  /** `~/.cache/containers`; aliases that pulls recorded. */
  readonly cache?: string;
  /** /etc/containers, elsewhere in tests. */
  readonly system?: string;
}

/** Read what is there; no file at all gives the defaults. Throws CONFIG naming file and line. */
export async function loadRegistriesConf(places: RegistriesPlaces): Promise<RegistriesConf> {
  const system = places.system ?? '/etc/containers';
  const file = mainFile(places, system);
  const merged: Merged = { file, shortNameMode: 'enforcing', registries: new Map(), aliases: new Map(), credentialHelpers: [] };
  const dropIns = new Set([...listConf(join(system, 'registries.conf.d')), ...listConf(join(places.config, 'registries.conf.d'))]);
  for (const path of [file, ...dropIns]) {
    const text = readConf(path);
    if (text !== undefined) merge(merged, path, await parseConf(text, path));
  }
  if (places.cache !== undefined) {
    const path = join(places.cache, 'short-name-aliases.conf');
    const text = readConf(path);
    if (text !== undefined) mergeAliases(merged, path, (await parseConf(text, path))['aliases']);
  }
  return { ...merged, registries: [...merged.registries.values()] };
}

/** The entry whose prefix matches longest. `name`: `quay.io`, `quay.io/team/app:1`. */
export function findRegistry(conf: RegistriesConf, name: string): RegistryEntry | undefined {
  let best: RegistryEntry | undefined;
  for (const entry of conf.registries) {
    if (matchLength(entry.prefix, name) > 0 && entry.prefix.length > (best?.prefix.length ?? -1)) best = entry;
  }
  return best;
}

/** Where to pull from, in order. Throws REGISTRY_ERROR when the registry is blocked. */
export function endpointsOf(conf: RegistriesConf, reference: Reference): readonly Endpoint[] {
  const entry = findRegistry(conf, formatReference(reference));
  if (entry === undefined) return [{ reference, insecure: false, mirror: false }];
  refuseBlocked(conf, entry);
  const mirrors = entry.mirrors
    .filter(({ pullFrom }) => pullFrom === 'all' || (pullFrom === 'digest-only') === (reference.digest !== undefined))
    .map((mirror) => ({ reference: relocate(reference, entry.prefix, mirror.location), insecure: mirror.insecure, mirror: true }));
  return [...mirrors, { reference: relocate(reference, entry.prefix, entry.location), insecure: entry.insecure, mirror: false }];
}

/** May plain http and unchecked certificates be used for the registry as such (login, search)? Throws REGISTRY_ERROR when it is blocked. */
export function isInsecure(conf: RegistriesConf, domain: string): boolean {
  const entry = findRegistry(conf, domain);
  if (entry !== undefined) refuseBlocked(conf, entry);
  return entry?.insecure === true;
}

function refuseBlocked(conf: RegistriesConf, { blocked, prefix }: RegistryEntry): void {
  if (blocked) throw new EngineError('REGISTRY_ERROR', `registry ${prefix} is blocked in ${conf.file} or ${conf.file}.d`);
}

interface Merged {
  readonly file: string;
  unqualifiedSearch?: readonly string[];
  shortNameMode: RegistriesConf['shortNameMode'];
  readonly registries: Map<string, RegistryEntry>;
  readonly aliases: Map<string, Alias>;
  credentialHelpers: readonly string[];
}

type Table = Readonly<Record<string, unknown>>;

function mainFile(places: RegistriesPlaces, system: string): string {
  const chosen = places.env['CONTAINERS_REGISTRIES_CONF'] || places.env['REGISTRIES_CONFIG_PATH'];
  if (chosen) return chosen;
  const own = join(places.config, 'registries.conf');
  return readConf(own) === undefined ? join(system, 'registries.conf') : own;
}

function merge(into: Merged, path: string, table: Table): void {
  if ('registries' in table) {
    throw new EngineError('CONFIG', `loading registries configuration ${JSON.stringify(path)}: the version 1 format is not supported`, {
      hint: 'Write it as version 2: see containers-registries.conf(5).',
    });
  }
  const check = checkerFor(path);
  const search = table['unqualified-search-registries'];
  if (search !== undefined) into.unqualifiedSearch = check.strings(search, 'unqualified-search-registries');
  const mode = table['short-name-mode'];
  if (mode !== undefined) into.shortNameMode = check.oneOf(mode, 'short-name-mode', ['enforcing', 'permissive', 'disabled']);
  const helpers = table['credential-helpers'];
  if (helpers !== undefined) into.credentialHelpers = check.strings(helpers, 'credential-helpers');
  for (const [index, row] of check.tables(table['registry'], 'registry').entries()) {
    const entry = parseEntry(row, `registry[${index}]`, check);
    into.registries.set(entry.prefix, entry);
  }
  mergeAliases(into, path, table['aliases']);
}

function mergeAliases(into: Merged, path: string, aliases: unknown): void {
  if (aliases === undefined) return;
  const check = checkerFor(path);
  for (const [name, target] of Object.entries(check.table(aliases, 'aliases'))) {
    const value = check.string(target, `aliases.${name}`);
    // An empty target takes an alias of an earlier file back.
    if (value === '') into.aliases.delete(name);
    else into.aliases.set(name, { target: fullName(value, `aliases.${name}`, check), file: path });
  }
}

/** An alias says where, and nothing of which version. */
function fullName(text: string, where: string, check: Checker): string {
  try {
    const { domain, tag, digest } = parseTyped(text);
    if (domain !== undefined && tag === undefined && digest === undefined) return text;
  } catch {
    // Told below, with the place.
  }
  throw check.error(where, `must be a full name without tag or digest, not ${JSON.stringify(text.slice(0, 300))}`);
}

function parseEntry(row: Table, where: string, check: Checker): RegistryEntry {
  const location = parseLocation(row['location'], `${where}.location`, check);
  const prefix = check.string(row['prefix'] ?? location, `${where}.prefix`);
  if (prefix === '') throw check.error(where, 'needs a prefix or a location');
  if (location === '' && !prefix.startsWith('*.')) throw check.error(where, 'needs a location');
  if (prefix.includes('*') && !/^\*\.[^*/]+$/.test(prefix)) throw check.error(`${where}.prefix`, 'may have a * only as in *.example.com');
  const digestOnly = check.boolean(row['mirror-by-digest-only'] ?? false, `${where}.mirror-by-digest-only`);
  return {
    prefix: trimSlash(prefix),
    location,
    insecure: check.boolean(row['insecure'] ?? false, `${where}.insecure`),
    blocked: check.boolean(row['blocked'] ?? false, `${where}.blocked`),
    mirrors: check
      .tables(row['mirror'], `${where}.mirror`)
      .map((mirror, index) => parseMirror(mirror, `${where}.mirror[${index}]`, { digestOnly, check })),
  };
}

function parseMirror(row: Table, where: string, { digestOnly, check }: { readonly digestOnly: boolean; readonly check: Checker }): Mirror {
  const location = parseLocation(row['location'], `${where}.location`, check);
  if (location === '') throw check.error(where, 'needs a location');
  const choice = row['pull-from-mirror'] || undefined;
  if (digestOnly && choice !== undefined) throw check.error(`${where}.pull-from-mirror`, 'cannot be set beside mirror-by-digest-only');
  return {
    location,
    insecure: check.boolean(row['insecure'] ?? false, `${where}.insecure`),
    pullFrom: digestOnly ? 'digest-only' : check.oneOf(choice ?? 'all', `${where}.pull-from-mirror`, ['all', 'digest-only', 'tag-only']),
  };
}

/** Throws for what looks like a place and is none: `https://quay.io`, `quay.io//x`. Empty stays empty. */
function parseLocation(value: unknown, where: string, check: Checker): string {
  const location = trimSlash(check.string(value ?? '', where));
  if (location === '') return '';
  if (location.includes('://')) throw check.error(where, `must have no scheme: ${JSON.stringify(location)}`);
  const [domain = '', ...path] = location.split('/');
  if (!isDomain(domain) || path.includes('')) throw check.error(where, `is no place of a registry: ${JSON.stringify(location)}`);
  return location;
}

/** How many characters of the name the prefix covers; 0 if it does not match at a boundary. */
function matchLength(prefix: string, name: string): number {
  if (prefix.startsWith('*.')) {
    const host = prefix.slice(1);
    const domain = name.split('/', 1)[0]!;
    return domain.endsWith(host) && domain.length > host.length ? domain.length : 0;
  }
  if (name === prefix) return name.length;
  return name.startsWith(prefix) && ':/@'.includes(name[prefix.length]!) ? prefix.length : 0;
}

function relocate(reference: Reference, prefix: string, location: string): Reference {
  if (location === '') return reference;
  const moved = location + repositoryOf(reference).slice(matchLength(prefix, formatReference(reference)));
  const slash = moved.indexOf('/');
  if (slash === -1) throw new EngineError('CONFIG', `rewriting ${formatReference(reference)}: location ${location} is no repository`);
  // Not parsed as a whole: a host without a dot would be taken for a namespace of docker.io.
  const { domain, path } = qualify(parseTyped(moved.slice(slash + 1)), moved.slice(0, slash));
  return { ...reference, domain, path };
}

function trimSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

function listConf(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.conf'))
      .toSorted()
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function readConf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new EngineError('CONFIG', `loading registries configuration ${JSON.stringify(path)}: ${message}`, { cause: error });
  }
}

async function parseConf(text: string, path: string): Promise<Table> {
  try {
    return await parseToml(text);
  } catch (error) {
    const first = (error as Error).message.split('\n')[0]!;
    throw new EngineError('CONFIG', `loading registries configuration ${JSON.stringify(path)}: ${first}`, { cause: error });
  }
}

type Checker = ReturnType<typeof checkerFor>;

function checkerFor(path: string) {
  const error = (where: string, why: string): EngineError =>
    new EngineError('CONFIG', `loading registries configuration ${JSON.stringify(path)}: ${where} ${why}`);
  const string = (value: unknown, where: string): string => {
    if (typeof value !== 'string') throw error(where, 'must be a string');
    return value;
  };
  const table = (value: unknown, where: string): Table => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw error(where, 'must be a table');
    return value as Table;
  };
  const array = (value: unknown, where: string): readonly unknown[] => {
    if (!Array.isArray(value)) throw error(where, 'must be an array');
    return value as readonly unknown[];
  };
  return {
    error,
    string,
    table,
    strings: (value: unknown, where: string): readonly string[] => array(value, where).map((item) => string(item, where)),
    tables: (value: unknown, where: string): readonly Table[] => array(value ?? [], where).map((item) => table(item, where)),
    boolean: (value: unknown, where: string): boolean => {
      if (typeof value !== 'boolean') throw error(where, 'must be true or false');
      return value;
    },
    oneOf: <T extends string>(value: unknown, where: string, allowed: readonly T[]): T => {
      const found = allowed.find((item) => item === value);
      if (found === undefined) throw error(where, `must be one of ${allowed.join(', ')}`);
      return found;
    },
  };
}
