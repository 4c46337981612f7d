/** Repositories as contexts and as sources of ADD: `https://HOST/PATH.git#REF:DIRECTORY` and its kin. Pure. */
import { EngineError } from '../core/errors.ts';

export interface GitPlace {
  /** As git takes it. */
  readonly url: string;
  /** A branch, a tag or a commit; absent: what the repository has checked out. */
  readonly ref?: string | undefined;
  /** A directory of the repository. */
  readonly directory?: string | undefined;
}

const ALWAYS_GIT = /^(?:git:\/\/|ssh:\/\/|[\w.-]+@[\w.-]+:)/;
const GITHUB = /^github\.com\//;
const WEB = /^https?:\/\/[^#?]*\.git(?:#|$)/;

export function isGitUrl(text: string): boolean {
  return ALWAYS_GIT.test(text) || GITHUB.test(text) || WEB.test(text);
}

/** Of a text that isGitUrl. Throws INVALID_ARGUMENT: git must take no part of it for a flag, and the directory leads nowhere outside (CVE-2019-13139). */
export function parseGitUrl(text: string): GitPlace {
  const hash = text.indexOf('#');
  const typed = hash < 0 ? text : text.slice(0, hash);
  const [ref = '', ...rest] = hash < 0 ? [] : text.slice(hash + 1).split(':');
  const directory = rest.join(':');
  const bad = (why: string): EngineError => new EngineError('INVALID_ARGUMENT', `git repository ${JSON.stringify(text)}: ${why}`);
  if (/[\0-\x20\x7f]/.test(text)) throw bad('it holds a space or a control character');
  const host = /^(?:\w+:\/\/)?(?:[^@/]*@)?([^/:]*)/.exec(typed)?.[1] ?? '';
  if (host === '' || host.startsWith('-')) throw bad(`${JSON.stringify(host)} is no host`);
  if (/^-|\.\.|[~^:?*[\\]|@\{|\.lock$|\/$/.test(ref)) throw bad(`${JSON.stringify(ref)} is no branch, tag or commit`);
  if (directory.split('/').includes('..')) throw bad(`the directory ${JSON.stringify(directory)} leads out of the repository`);
  return { url: GITHUB.test(typed) ? `https://${typed}` : typed, ref: ref || undefined, directory: directory || undefined };
}
