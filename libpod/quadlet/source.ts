/** One Quadlet file with its drop-ins, what is wrong with it, and the names that others know it by. */
import { basename, dirname, isAbsolute, join } from 'node:path';
import { withoutSpecifiers } from '../../core/unit-word.ts';
import { GROUP, type Kind, KINDS, keysOf, QUADLET_GROUP, suggestKey } from './keys.ts';
import type { Entry, UnitFile } from './unit-file.ts';
import { hasOpenQuote, splitWords, WordError } from './words.ts';

/** What a user is told. `message` is worded as Podman words it. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** The Quadlet file that makes no unit for it; `path` may be a drop-in of it. */
  readonly file?: string;
  readonly path: string;
  readonly message: string;
  readonly line?: number | undefined;
  readonly key?: string | undefined;
  readonly hint?: string | undefined;
}

/** Ends the conversion of one file. */
export class QuadletError extends Error {
  readonly entry: Entry | undefined;
  readonly hint: string | undefined;

  constructor(message: string, entry?: Entry, hint?: string) {
    super(message);
    this.entry = entry;
    this.hint = hint;
  }
}

/** `true`, `on` and so on, as systemd has them. */
const TRUE = ['1', 'yes', 'true', 'on'];
const FALSE = ['0', 'no', 'false', 'off', ''];

export class Source {
  readonly path: string;
  /** `web.container`: what others refer to it by. */
  readonly file: string;
  readonly kind: Kind;
  readonly unit: UnitFile;
  readonly problems: Problem[] = [];

  constructor(path: string, kind: Kind, unit: UnitFile) {
    this.path = path;
    this.file = basename(path);
    this.kind = kind;
    this.unit = unit;
  }

  get group(): string {
    return GROUP[this.kind];
  }

  /** `web` */
  get stem(): string {
    return this.file.slice(0, -this.kind.length - 1);
  }

  /** `foo@.container`, from which systemd makes instances. */
  get isTemplate(): boolean {
    return this.stem.endsWith('@');
  }

  /** Without `.service`. */
  get service(): string {
    const given = this.text('ServiceName');
    if (given !== undefined) return given;
    if (this.kind === 'container' || this.kind === 'kube') return this.stem;
    const [, name = '', instance = ''] = /^([^@]*)(@.*)?$/s.exec(this.stem) ?? [];
    return `${name}-${this.kind}${instance}`;
  }

  has(key: string): boolean {
    return this.unit.has(this.group, key);
  }

  /** What the key says last, without double quotes around it. Undefined where that is nothing. */
  text(key: string): string | undefined {
    return this.givenText(key) || undefined;
  }

  /** Nothing at all is a value, too. */
  givenText(key: string): string | undefined {
    const value = this.unit.last(this.group, key)?.value;
    return value === undefined ? undefined : (/^"(.*)"$/s.exec(value)?.[1] ?? value);
  }

  bool(key: string): boolean | undefined {
    const entry = this.unit.last(this.group, key);
    if (entry === undefined) return undefined;
    const word = this.givenText(key)!.toLowerCase();
    if (TRUE.includes(word)) return true;
    if (!FALSE.includes(word)) this.warn(`${entry.value} is neither true nor false, and taken as false`, entry, 'Write true or false');
    return false;
  }

  /** Each as it was written. */
  values(key: string): readonly string[] {
    return this.unit.all(this.group, key).map(({ value }) => value);
  }

  /** The words of all of them. Throws QuadletError. */
  words(key: string): readonly string[] {
    return this.unit.all(this.group, key).flatMap((entry) => this.#split(entry));
  }

  /** The words of the last one. Throws QuadletError. */
  lastWords(key: string): readonly string[] {
    const entry = this.unit.last(this.group, key);
    return entry === undefined ? [] : this.#split(entry);
  }

  /** `a=b c`, each name once, in order: what comes later counts. A word without `=` stands for itself. Throws QuadletError. */
  pairs(key: string): readonly string[] {
    const byName = new Map(this.words(key).map((word) => [word.split('=', 1)[0]!, word]));
    return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, word]) => word);
  }

  /** Relative to the file, unless systemd has yet to say where it begins. */
  absolute(path: string): string {
    return isAbsolute(path) || path.startsWith('%') ? path : join(withoutSpecifiers(dirname(this.path)), path);
  }

  /** Throws QuadletError about the last entry of the key. */
  fail(message: string, key?: string, hint?: string): never {
    throw new QuadletError(message, key === undefined ? undefined : this.unit.last(this.group, key), hint);
  }

  warn(message: string, entry?: Entry, hint?: string): void {
    this.#tell('warning', message, entry, hint);
  }

  error(message: string, entry?: Entry, hint?: string): void {
    this.#tell('error', message, entry, hint);
  }

  get hasErrors(): boolean {
    return this.problems.some(({ severity }) => severity === 'error');
  }

  /** Records an error for each key that no file of the kind may have. */
  checkKeys(): void {
    for (const group of [this.group, QUADLET_GROUP]) {
      const known = keysOf(this.kind, group)!;
      for (const entry of this.unit.entries(group)) {
        if (known.includes(entry.key)) continue;
        const message = `unsupported key '${entry.key}' in group '${group}' in ${this.path}`;
        this.error(message, entry, suggestKey(this.kind, group, entry.key));
      }
    }
  }

  #split(entry: Entry): string[] {
    if (hasOpenQuote(entry.value)) this.warn('a quote is not closed; it ends with the line', entry, `Write " or ' at its end`);
    try {
      return splitWords(entry.value);
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      throw new QuadletError('unsupported escape char', entry, error.message);
    }
  }

  #tell(severity: Problem['severity'], message: string, entry: Entry | undefined, hint: string | undefined): void {
    const place = entry === undefined || entry.path === '' ? { path: this.path } : { path: entry.path, line: entry.line, key: entry.key };
    this.problems.push({ severity, message, hint, file: this.file, ...place });
  }
}

/** Undefined for a file of another kind. */
export function kindOf(file: string): Kind | undefined {
  return KINDS.find((kind) => file.endsWith(`.${kind}`));
}
