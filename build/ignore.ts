/**
 * `.containerignore` and `.dockerignore`: patterns by Go's filepath.Match, `**` for any number of directories, `!` to take some back;
 * the last one that matches decides. A pattern that matches a directory matches all that is in it.
 */
import { EngineError } from '../core/errors.ts';

interface Pattern {
  readonly text: string;
  readonly exclusion: boolean;
  readonly matches: RegExp;
}

export interface IgnoreRules {
  /** `path`: relative, with slashes, without `.` and `..`. */
  isIgnored(path: string): boolean;
  /** May something below this ignored directory be taken back? */
  mayHoldIncluded(directory: string): boolean;
}

/** The lines of the file. Throws INVALID_ARGUMENT for a pattern that cannot be read. */
export function parseIgnoreFile(text: string, name: string): IgnoreRules {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return ignoreRules(
    lines.map((line) => line.trimEnd()).filter((line) => !line.startsWith('#')),
    name,
  );
}

/** `name` is for messages. Throws INVALID_ARGUMENT. */
export function ignoreRules(lines: readonly string[], name: string): IgnoreRules {
  const patterns = lines.flatMap((line) => parsePattern(line, name) ?? []);
  const exclusions = patterns.filter(({ exclusion }) => exclusion);
  const verdict = (path: string): boolean => {
    const upward = withParents(path);
    let ignored = false;
    for (const { matches, exclusion } of patterns) {
      if (exclusion === ignored && upward.some((one) => matches.test(one))) ignored = !exclusion;
    }
    return ignored;
  };
  return {
    isIgnored: verdict,
    mayHoldIncluded: (directory) => exclusions.some(({ text }) => mayReachBelow(text, directory)),
  };
}

function parsePattern(line: string, name: string): Pattern | undefined {
  const trimmed = line.trim();
  if (trimmed === '') return undefined;
  const exclusion = trimmed.startsWith('!');
  const typed = exclusion ? trimmed.slice(1).trim() : trimmed;
  if (exclusion && typed === '') throw new EngineError('INVALID_ARGUMENT', `${name}: illegal exclusion pattern: "!"`);
  const text = cleaned(typed);
  if (text === '') return undefined;
  const source = expression(text);
  if (source === undefined) throw new EngineError('INVALID_ARGUMENT', `${name}: syntax error in pattern ${JSON.stringify(typed)}`);
  return { text, exclusion, matches: new RegExp(`^${source}$`, 'su') };
}

/** Go's filepath.Clean, without a slash in front. What climbs out of the context matches nothing in it. */
function cleaned(text: string): string {
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !text.startsWith('/')) parts.push(part);
  }
  return parts.length === 0 && /^\.?$/.test(text) ? '' : parts.join('/');
}

/** Undefined where the pattern cannot be read. */
function expression(text: string): string | undefined {
  let source = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '*' && text[at + 1] === '*') {
      at++;
      if (text[at + 1] === '/') at++;
      source += at + 1 >= text.length ? '.*' : '(?:.*/)?';
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = endOfClass(text, at);
      if (end === undefined) return undefined;
      const negated = text[at + 1] === '^' || text[at + 1] === '!';
      const inside = text.slice(at + (negated ? 2 : 1), end).replaceAll(/[[\]&~^]/g, '\\$&');
      source += `[${negated ? '^' : ''}${inside}]`;
      at = end;
    } else if (character === '\\') {
      at++;
      if (at >= text.length) return undefined;
      source += escaped(text[at]!);
    } else source += escaped(character);
  }
  return source;
}

function endOfClass(text: string, start: number): number | undefined {
  for (let at = start + 2; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ']') return at;
  }
  return undefined;
}

function escaped(character: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(character) && character !== '-' ? `\\${character}` : character;
}

/** `a/b/c`, `a/b`, `a`. */
function withParents(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

/** By the plain beginnings of the two, so it may say yes too often. */
function mayReachBelow(pattern: string, directory: string): boolean {
  const plain = pattern.split('/');
  const wild = plain.findIndex((part) => /[*?[\\]/.test(part));
  const fixed = wild < 0 ? plain : plain.slice(0, wild);
  const parts = directory.split('/');
  if (wild >= 0 && fixed.length < parts.length) return fixed.every((part, index) => part === parts[index]);
  return parts.every((part, index) => part === fixed[index]);
}
