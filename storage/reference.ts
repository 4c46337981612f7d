/**
 * Image references: the grammar of the distribution project (reference.go), normalised as Docker and Podman do it.
 *
 *     reference = name [":" tag] ["@" digest]        name = [domain "/"] path
 *
 * The first component is a domain when it has a dot or a port, or is `localhost`; otherwise the name is short and means docker.io.
 * One pass over the characters: no pattern here can be made to backtrack.
 */
import { isDigest, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { isFullId } from '../core/id.ts';

/** Normalised: the domain is always there, official images of docker.io carry `library/`. */
export interface Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** A reference as typed: `domain` is missing from a short name. */
export interface TypedReference extends Omit<Reference, 'domain'> {
  readonly domain?: string;
}

export const DEFAULT_DOMAIN = 'docker.io';
export const LOCAL_DOMAIN = 'localhost';
const DEFAULT_TAG = 'latest';
const NAME_LIMIT = 255;
const TAG_LIMIT = 128;

/** Short names mean docker.io. No tag is added. Throws INVALID_REFERENCE with Podman's words. */
export function parseReference(text: string): Reference {
  return qualify(parseTyped(text), DEFAULT_DOMAIN);
}

/** A name for something stored here (`tag`, `load`, `import`, `commit`): short names mean localhost, a missing tag means latest. */
export function parseLocalReference(text: string): Reference {
  return withDefaultTag(qualify(parseTyped(text), LOCAL_DOMAIN));
}

export function isShortName(text: string): boolean {
  return parseTyped(text).domain === undefined;
}

/** Put a short name under `domain` (which may have a path: `quay.io/team`). */
export function qualify(typed: TypedReference, domain: string): Reference {
  const { domain: given, ...rest } = typed;
  if (given !== undefined) return normaliseDocker({ ...rest, domain: given });
  const [host, ...namespace] = domain.split('/');
  return normaliseDocker({ ...rest, domain: host!, path: [...namespace, rest.path].join('/') });
}

/** `latest` where neither tag nor digest says which. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** `docker.io/library/alpine:3@sha256:…`: as Podman prints names, nothing left out. */
export function formatReference(reference: Reference): string {
  return `${repositoryOf(reference)}${suffixOf(reference)}`;
}

/** `docker.io/library/alpine` */
export function repositoryOf(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/**
 * Does the stored name answer to the short name typed? `bb` finds `localhost/bb:latest` and `quay.io/team/bb:latest`,
 * `team/bb` only the latter. Tags must agree, a missing one means latest.
 */
export function answersTo(stored: Reference, typed: TypedReference): boolean {
  if (typed.digest !== undefined && typed.digest !== stored.digest) return false;
  if (typed.tag !== undefined || typed.digest === undefined) {
    if ((typed.tag ?? DEFAULT_TAG) !== stored.tag) return false;
  }
  const repository = repositoryOf(stored);
  const wanted = typed.domain === undefined ? typed.path : `${typed.domain}/${typed.path}`;
  return repository === wanted || repository.endsWith(`/${wanted}`);
}

/** Split without filling anything in. Throws INVALID_REFERENCE. */
export function parseTyped(text: string): TypedReference {
  if (text === '') throw invalid(text, 'repository name must have at least one component');
  // Longer than any valid reference: not worth a look, and not worth printing whole.
  if (text.length > NAME_LIMIT * 2 + TAG_LIMIT + 100) throw invalid(`${text.slice(0, 100)}…`);
  if (isFullId(text)) throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const tagged = at === -1 ? text : text.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const tag = colon === -1 ? undefined : tagged.slice(colon + 1);
  const name = colon === -1 ? tagged : tagged.slice(0, colon);
  const { domain, path } = splitDomain(name);

  if (hasUpperCase(path) && isPath(path.toLowerCase())) refuseUpperCase(text, path);
  if (!isPath(path) || (domain !== undefined && !isDomain(domain))) throw invalid(text);
  if (tag !== undefined && !isTag(tag)) throw invalid(text);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text);
  if (name.length > NAME_LIMIT) throw invalid(text, `repository name must not be more than ${NAME_LIMIT} characters`);
  return {
    path,
    ...(domain === undefined ? {} : { domain }),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitDomain(name: string): { domain?: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  if (slash === -1 || !(first === LOCAL_DOMAIN || first.includes('.') || first.includes(':'))) return { path: name };
  return { domain: first, path: name.slice(slash + 1) };
}

function normaliseDocker(reference: Reference): Reference {
  const domain = reference.domain === 'index.docker.io' ? DEFAULT_DOMAIN : reference.domain;
  const path = domain === DEFAULT_DOMAIN && !reference.path.includes('/') ? `library/${reference.path}` : reference.path;
  return { ...reference, domain, path };
}

function suffixOf(reference: Reference): string {
  return `${reference.tag === undefined ? '' : `:${reference.tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}

/** `UPPER/case` could be a domain to Docker; Podman takes it for a transport it does not know. */
function refuseUpperCase(text: string, path: string): never {
  const first = path.slice(0, Math.max(path.indexOf('/'), 0));
  if (path === text && first !== '' && hasUpperCase(first)) {
    throw new EngineError('INVALID_REFERENCE', `Invalid image name ${JSON.stringify(text)}, expected colon-separated transport:reference`);
  }
  throw invalid(text, 'repository name must be lowercase');
}

function invalid(text: string, why = 'invalid reference format'): EngineError {
  return new EngineError('INVALID_REFERENCE', `parsing reference ${JSON.stringify(text)}: ${why}`);
}

function isPath(path: string): boolean {
  return path.split('/').every(isPathComponent);
}

/** alpha-numeric runs joined by one dot, one or two underscores, or any number of dashes. */
function isPathComponent(component: string): boolean {
  let separator = '';
  let started = false;
  for (const character of component) {
    if (isLowerAlphanumeric(character)) {
      if (separator !== '' && !started) return false;
      if (!isSeparator(separator)) return false;
      separator = '';
      started = true;
    } else {
      separator += character;
    }
  }
  return started && separator === '';
}

function isSeparator(text: string): boolean {
  if (text === '' || text === '.' || text === '_' || text === '__') return true;
  for (const character of text) if (character !== '-') return false;
  return true;
}

/** `quay.io`, `localhost:5000`, `[::1]:5000`: what may stand before the first slash. */
export function isDomain(domain: string): boolean {
  const { host, port } = splitPort(domain);
  if (port !== undefined && !(port !== '' && every(port, isDecimal))) return false;
  if (host.startsWith('[')) return host.length > 3 && host.endsWith(']') && every(host.slice(1, -1), (c) => isHex(c) || c === ':');
  return host.split('.').every((label) => every(label, (c) => isAlphanumeric(c) || c === '-') && label !== '' && !/^-|-$/.test(label));
}

function splitPort(domain: string): { host: string; port?: string } {
  const bracket = domain.lastIndexOf(']');
  const colon = domain.indexOf(':', bracket + 1);
  return colon === -1 ? { host: domain } : { host: domain.slice(0, colon), port: domain.slice(colon + 1) };
}

function isTag(tag: string): boolean {
  if (tag === '' || tag.length > TAG_LIMIT || tag.startsWith('.') || tag.startsWith('-')) return false;
  return every(tag, (c) => isAlphanumeric(c) || c === '_' || c === '.' || c === '-');
}

function every(text: string, test: (character: string) => boolean): boolean {
  for (const character of text) if (!test(character)) return false;
  return true;
}

function hasUpperCase(text: string): boolean {
  return text !== text.toLowerCase();
}

function isDecimal(c: string): boolean {
  return c >= '0' && c <= '9';
}

function isLowerAlphanumeric(c: string): boolean {
  return isDecimal(c) || (c >= 'a' && c <= 'z');
}

function isAlphanumeric(c: string): boolean {
  return isLowerAlphanumeric(c) || (c >= 'A' && c <= 'Z');
}

function isHex(c: string): boolean {
  return isDecimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
