/** `image trust`: policy.json as a table, and its rules changed one at a time. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { parseJson, type Json } from '../../core/json.ts';
import { readIdentity } from '../../host/identity.ts';
import { choosePaths } from '../../host/paths.ts';
import { lockBeside, replaceFile } from '../../host/replace-file.ts';
import { loadPolicy, parsePolicy, readPolicyFile, type PolicyPlaces, type Requirement } from '../../storage/policy.ts';
import { isDomain } from '../../storage/reference.ts';
import { readSignatureStores, signatureStoreOf } from './signature-stores.ts';

export interface TrustPlaces {
  readonly env: NodeJS.ProcessEnv;
  /** `--policypath`: instead of the user's and the system's. */
  readonly policyFile?: string | undefined;
  /** `--registrypath`: instead of the user's and the system's registries.d. */
  readonly registriesDirectory?: string | undefined;
}

/** One requirement of one scope. */
export interface TrustRow {
  /** `all`, `repository` for registries, else as in policy.json. */
  readonly transport: string;
  readonly scope: string;
  readonly type: string;
  /** Whose signatures count. Keys are not looked into. */
  readonly id: string;
  /** Where registries.d says the signatures lie. */
  readonly store: string;
}

export const TRUST_TYPES = ['accept', 'reject', 'signedBy', 'sigstoreSigned'] as const;
export type TrustType = (typeof TRUST_TYPES)[number];

export interface TrustChange {
  /** `default`, `quay.io`, `quay.io/team`, `*.example.com` */
  readonly scope: string;
  readonly type: TrustType;
  readonly keys: readonly string[];
}

/** The default first, then transports and scopes by name. Throws CONFIG. */
export async function trustRows(places: TrustPlaces): Promise<readonly TrustRow[]> {
  const found = policyPlaces(places);
  const [policy, stores] = await Promise.all([loadPolicy(found), readSignatureStores(found.config, places.registriesDirectory)]);
  const rows = (transport: string, scope: string, requirements: readonly Requirement[]): TrustRow[] =>
    requirements.map(({ type }) => ({
      transport: transport === 'docker' ? 'repository' : transport,
      scope,
      type: TYPE_WORDS[type] ?? type,
      id: type === 'sigstoreSigned' ? 'N/A' : '',
      store: signatureStoreOf(transport === 'all' ? '' : scope, stores),
    }));
  return [
    ...rows('all', 'default', policy.default),
    ...sorted(policy.transports).flatMap(([transport, scopes]) =>
      sorted(scopes).flatMap(([scope, requirements]) => rows(transport, scope, requirements)),
    ),
  ];
}

/** The file in force as it is; the rule that holds where there is none. Throws CONFIG. */
export async function rawPolicy(places: TrustPlaces): Promise<string> {
  return (await readPolicyFile(policyPlaces(places)))?.text ?? format({ default: [REQUIREMENTS.accept] });
}

/**
 * Replace the rule for a scope. An ordinary user's rules go to his own policy.json, which begins as a copy of the system's: it stands instead of it.
 * The file is complete or as it was. Throws INVALID_ARGUMENT, CONFIG, LOCKED.
 */
export async function setTrust(places: TrustPlaces, change: TrustChange): Promise<void> {
  checkChange(change);
  const found = policyPlaces(places);
  const file = found.file ?? join(found.config, 'policy.json');
  const writing = (cause: unknown): EngineError => new EngineError('CONFIG', `open ${file}: ${systemWords(cause)}`, { cause });
  try {
    mkdirSync(dirname(file), { recursive: true });
    using _lock = await lockBeside(file, LOCK_TIMEOUT_MS);
    const text = found.file === undefined || existsSync(found.file) ? (await readPolicyFile(found))?.text : undefined;
    const changed = changedPolicy(text ?? format({ default: [REQUIREMENTS.accept] }), file, change);
    replaceFile(file, changed, (statSync(file, { throwIfNoEntry: false })?.mode ?? 0o644) & 0o777);
  } catch (error) {
    throw error instanceof EngineError ? error : writing(error);
  }
}

const LOCK_TIMEOUT_MS = 10_000;

const TYPE_WORDS: Readonly<Record<string, string>> = { insecureAcceptAnything: 'accept', signedBy: 'signed' };

const REQUIREMENTS = { accept: { type: 'insecureAcceptAnything' }, reject: { type: 'reject' } } as const;

function policyPlaces({ env, policyFile }: TrustPlaces): PolicyPlaces {
  return { config: choosePaths(readIdentity(env), env).config, file: policyFile };
}

function checkChange({ scope, type, keys }: TrustChange): void {
  const refuse = (words: string): EngineError => new EngineError('INVALID_ARGUMENT', words);
  const needsKeys = type === 'signedBy' || type === 'sigstoreSigned';
  if (needsKeys && keys.length === 0) throw refuse(`at least one public key must be defined for type '${type}'`);
  if (!needsKeys && keys.length > 0) throw refuse(`${keys.length} public keys unexpectedly provided for trust type ${type}`);
  const missing = keys.find((key) => !existsSync(key));
  if (missing !== undefined) throw refuse(`public key ${missing}: no such file or directory`);
  if (scope !== 'default' && !isScope(scope)) throw refuse(`invalid image uri: ${scope}: not a registry, namespace or repository`);
}

/** What can be the beginning of an image's name: a rule that could never match would only look like protection. */
function isScope(scope: string): boolean {
  const [domain = '', ...path] = scope.split('/');
  if (scope.startsWith('*.')) return path.length === 0 && isDomain(domain.slice(2));
  return isDomain(domain) && path.every((component) => /^[a-z0-9][a-z0-9._-]*(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?$/.test(component));
}

function changedPolicy(text: string, file: string, { scope, type, keys }: TrustChange): string {
  parsePolicy(text, file);
  const document = parseJson(text, file, 'CONFIG') as { default: Json; transports?: Record<string, Record<string, Json>> };
  const requirements: Json =
    type === 'accept' || type === 'reject'
      ? [REQUIREMENTS[type]]
      : keys.map((key) => ({ type, ...(type === 'signedBy' ? { keyType: 'GPGKeys' } : {}), keyPath: resolve(key) }));
  if (scope === 'default') return format({ ...document, default: requirements });
  const { docker = {}, ...others } = document.transports ?? {};
  return format({ ...document, transports: { ...others, docker: Object.fromEntries(sorted({ ...docker, [scope]: requirements })) } });
}

function format(document: object): string {
  return JSON.stringify(document, undefined, 4);
}

function sorted<T>(record: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
