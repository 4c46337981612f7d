/** policy.json (containers-policy.json(5)): which images may be stored. What it asks and we cannot check is refused, never let through. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { isRecord, parseJson } from '../core/json.ts';
import { systemWords } from '../core/system-words.ts';

export interface Policy {
  /** The file it was read from; undefined when there is none, and then everything is accepted. */
  readonly file?: string;
  readonly default: readonly Requirement[];
  readonly transports: Readonly<Record<string, Readonly<Record<string, readonly Requirement[]>>>>;
}

/** Only the type is looked at: all but two need signatures, which are not checked. */
export interface Requirement {
  readonly type: string;
}

/** Where an image comes from, in the policy's terms: `docker` + `quay.io/a/b:1`, `dir` + `/tmp/x`. */
export interface Origin {
  readonly transport: string;
  readonly name: string;
}

export const ACCEPT_ANYTHING: Policy = { default: [{ type: 'insecureAcceptAnything' }], transports: {} };

export interface PolicyPlaces {
  readonly config: string;
  readonly system?: string;
  readonly file?: string | undefined;
}

/**
 * The file named, else the user's, else the system's. With none of the last two everything is accepted: a bare machine has no policy.
 * Throws CONFIG when a file does not parse.
 */
export async function loadPolicy(places: PolicyPlaces): Promise<Policy> {
  const found = await readPolicyFile(places);
  return found === undefined ? ACCEPT_ANYTHING : parsePolicy(found.text, found.file);
}

/** The text that is in force, and where it stands; undefined where there is none. Throws CONFIG when it cannot be read. */
export async function readPolicyFile(places: PolicyPlaces): Promise<{ readonly file: string; readonly text: string } | undefined> {
  const { file: named, config, system = '/etc/containers' } = places;
  for (const file of named === undefined ? [join(config, 'policy.json'), join(system, 'policy.json')] : [named]) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (named === undefined && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
      throw new EngineError('CONFIG', `open ${file}: ${systemWords(error)}`, { cause: error });
    });
    if (text !== undefined) return { file, text };
  }
  return undefined;
}

/** Throws POLICY_REJECTED. All requirements of the most specific scope must hold. */
export function enforcePolicy(policy: Policy, origin: Origin): void {
  const requirements = requirementsFor(policy, origin);
  for (const { type } of requirements) {
    if (type === 'insecureAcceptAnything') continue;
    const image = `${origin.transport}:${origin.transport === 'docker' ? '//' : ''}${origin.name}`;
    if (type === 'reject') throw new EngineError('POLICY_REJECTED', `Source image rejected: Running image ${image} is rejected by policy.`);
    throw new EngineError(
      'POLICY_REJECTED',
      `Source image rejected: ${image} needs a signature (${type}), and signatures cannot be checked`,
      {
        hint: `Change ${policy.file ?? 'policy.json'}, or pull the image with a tool that checks signatures.`,
      },
    );
  }
}

function requirementsFor(policy: Policy, origin: Origin): readonly Requirement[] {
  const scopes = Object.hasOwn(policy.transports, origin.transport) ? policy.transports[origin.transport]! : {};
  for (const scope of scopesOf(origin)) if (Object.hasOwn(scopes, scope)) return scopes[scope]!;
  return policy.default;
}

/** Most specific first. */
function* scopesOf({ transport, name }: Origin): Generator<string> {
  yield name;
  const repository = transport === 'docker' ? withoutTag(name) : name;
  for (let end = repository.length; end > 0; end = repository.lastIndexOf('/', end - 1)) yield repository.slice(0, end);
  if (transport === 'docker') {
    const labels = repository.split('/')[0]!.split('.');
    for (let first = 1; first < labels.length; first++) yield `*.${labels.slice(first).join('.')}`;
  }
  yield '';
}

function withoutTag(name: string): string {
  const untied = name.split('@')[0]!;
  const colon = untied.indexOf(':', untied.lastIndexOf('/'));
  return colon === -1 ? untied : untied.slice(0, colon);
}

/** Throws CONFIG. */
export function parsePolicy(text: string, file: string): Policy {
  const json = parseJson(text, `invalid policy in ${JSON.stringify(file)}`, 'CONFIG');
  const bad = (why: string): EngineError => new EngineError('CONFIG', `invalid policy in ${JSON.stringify(file)}: ${why}`);
  if (!isRecord(json)) throw bad('not an object');
  for (const key of Object.keys(json)) if (key !== 'default' && key !== 'transports') throw bad(`Unknown key ${JSON.stringify(key)}`);
  const requirements = (value: unknown, where: string): readonly Requirement[] => {
    if (!Array.isArray(value) || value.length === 0) throw bad(`${where} must be a list of at least one requirement`);
    return value.map((item: unknown) => {
      if (!isRecord(item) || typeof item['type'] !== 'string') throw bad(`${where} has a requirement without type`);
      return { type: item['type'] };
    });
  };
  const scopesOfTransport = (scopes: unknown, where: string): Readonly<Record<string, readonly Requirement[]>> => {
    if (!isRecord(scopes)) throw bad(`${where} must be an object`);
    return Object.fromEntries(
      Object.entries(scopes).map(([scope, list]) => [scope, requirements(list, `${where}.${JSON.stringify(scope)}`)]),
    );
  };
  const transports = json['transports'] ?? {};
  if (!isRecord(transports)) throw bad('transports must be an object');
  return {
    file,
    default: requirements(json['default'], 'default'),
    transports: Object.fromEntries(
      Object.entries(transports).map(([name, scopes]) => [name, scopesOfTransport(scopes, `transports.${name}`)]),
    ),
  };
}
