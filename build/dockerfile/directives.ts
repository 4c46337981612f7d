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
  const check = new Map((found.get('check') ?? '').split(';').map((part) => keyValue(part)));
  return {
    escape: found.get('escape') === '`' ? '`' : '\\',
    ...(found.has('syntax') ? { syntax: found.get('syntax')! } : {}),
    skippedChecks: (check.get('skip') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    checksAreErrors: check.get('error') === 'true',
  };
}

function keyValue(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
