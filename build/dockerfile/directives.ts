/** `# escape=…`, `# syntax=…`, `# check=…` on the first lines of a Dockerfile. */
import { dockerfileError, type Source } from './source.ts';

export interface Directives {
  readonly escape: '\\' | '`';
  /** The frontend that was asked for. It is never run: what the language has today is built in. */
  readonly syntax?: string;
  /** Names of checks that are left out, or `all`. */
  readonly skippedChecks: readonly string[];
  /** Warnings of checks are errors. */
  readonly checksAreErrors: boolean;
}

const DIRECTIVE = /^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const KNOWN = ['escape', 'syntax', 'check'];

/** Up to the first line that is none. Throws DOCKERFILE for one that is there twice, and for another escape character than the two. */
export function readDirectives(source: Source): Directives {
  const found = new Map<string, string>();
  for (const [index, line] of source.lines.entries()) {
    const [, name = '', value = ''] = DIRECTIVE.exec(line) ?? [];
    const key = name.toLowerCase();
    if (!KNOWN.includes(key)) break;
    const complaint = { source, place: { line: index + 1, column: line.indexOf(name) + 1 } };
    if (found.has(key)) throw dockerfileError(`only one ${key} parser directive can be used`, complaint);
    if (key === 'escape' && value !== '\\' && value !== '`')
      throw dockerfileError(`invalid escape token '${value}' does not match \` or \\`, complaint);
    found.set(key, value);
  }
  const complaint = (what: string): Error => {
    const index = source.lines.findIndex((line) => /^\s*#\s*check\s*=/i.test(line));
    return dockerfileError(what, { source, place: { line: index + 1, column: source.lines[index]!.search(/[^\s#]/) + 1 } });
  };
  return {
    escape: found.get('escape') === '`' ? '`' : '\\',
    ...(found.has('syntax') ? { syntax: found.get('syntax')! } : {}),
    ...checkOptions(found.get('check') ?? '', complaint),
  };
}

export type CheckOptions = Pick<Directives, 'skippedChecks' | 'checksAreErrors'>;

/** `skip=RULE,…;error=true`. Throws what `complaint` makes of words that it cannot be. */
export function checkOptions(text: string, complaint: (what: string) => Error): CheckOptions {
  const words = new Map<string, string>();
  for (const part of text.split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (!['skip', 'error', 'experimental'].includes(name))
      throw complaint(`invalid check option ${JSON.stringify(equals < 0 ? part : name)}: it is skip=RULE,… or error=true`);
    words.set(name, part.slice(equals + 1).trim());
  }
  const error = (words.get('error') ?? 'false').toLowerCase();
  if (!['true', 'false', '1', '0', 't', 'f'].includes(error))
    throw complaint(`invalid check option "error": ${error} is neither true nor false`);
  return {
    skippedChecks: (words.get('skip') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    checksAreErrors: ['true', '1', 't'].includes(error),
  };
}
