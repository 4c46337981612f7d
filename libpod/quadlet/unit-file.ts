/**
 * Files in the syntax of systemd's units (systemd.syntax(7)), kept line by line, so that what is wrong can be pointed at and what is not ours is
 * written back as it came. A backslash at the end of a line joins it with the next one as Podman's Quadlet does: nothing comes in between.
 */

/** Where a line stands: the file itself, or one of its drop-ins. */
export interface Place {
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

export interface Entry extends Place {
  readonly key: string;
  readonly value: string;
}

/** A line of a group: an entry, or a comment as it was written. */
type Line = Entry | { readonly comment: string };

const NONE: readonly Entry[] = [];

/** The first line of a file that does not parse. `message` is worded as Podman words it. */
export class UnitSyntaxError extends Error {
  readonly place: Place;
  readonly hint: string;

  constructor(message: string, place: Place, hint: string) {
    super(message);
    this.name = 'UnitSyntaxError';
    this.place = place;
    this.hint = hint;
  }
}

export class UnitFile {
  readonly #groups = new Map<string, Line[]>();
  /** The entries of each group by key, from when they are first asked for: most keys are looked for and few are there. */
  readonly #found = new Map<string, Map<string, Entry[]>>();
  /** Comments before the first group. */
  readonly #head: string[] = [];

  /** Throws UnitSyntaxError. `path` is for messages only. */
  static parse(text: string, path: string): UnitFile {
    const unit = new UnitFile();
    unit.#read(text, path);
    return unit;
  }

  /** What a drop-in says, after what is there already. */
  merge(other: UnitFile): void {
    for (const [group, lines] of other.#groups) this.#changed(group).push(...lines);
  }

  has(group: string, key: string): boolean {
    return this.#entriesOf(group, key).length > 0;
  }

  entries(group: string): readonly Entry[] {
    return (this.#groups.get(group) ?? []).filter(isEntry);
  }

  /** The last one of the key, which is the one that counts where there can be only one. */
  last(group: string, key: string): Entry | undefined {
    return this.#entriesOf(group, key).at(-1);
  }

  /** All of the key since it was last set to nothing. */
  all(group: string, key: string): readonly Entry[] {
    const found = this.#entriesOf(group, key);
    return found.length === 0 ? found : found.slice(found.findLastIndex(({ value }) => value === '') + 1);
  }

  /** Ours have no place. */
  add(group: string, key: string, value: string): void {
    const entry = { key, value, path: '', line: 0 };
    this.#group(group).push(entry);
    const byKey = this.#found.get(group);
    const same = byKey?.get(key);
    if (same === undefined) byKey?.set(key, [entry]);
    else same.push(entry);
  }

  /** Before all others of the group, so that what the file says comes after it and can undo it. */
  addFirst(group: string, key: string, value: string): void {
    this.#changed(group).unshift({ key, value, path: '', line: 0 });
  }

  /** Instead of all others of the key. */
  set(group: string, key: string, value: string): void {
    this.remove(group, key);
    this.add(group, key, value);
  }

  setDefault(group: string, key: string, value: string): void {
    if (!this.has(group, key)) this.add(group, key, value);
  }

  remove(group: string, key: string): void {
    if (!this.has(group, key)) return;
    const lines = this.#group(group);
    this.#groups.set(
      group,
      lines.filter((line) => !isEntry(line) || line.key !== key),
    );
    this.#found.get(group)!.delete(key);
  }

  /** A group of the new name that is there already keeps its lines, first. */
  rename(from: string, to: string): void {
    const lines = this.#groups.get(from);
    if (lines === undefined) return;
    this.#groups.delete(from);
    this.#found.delete(from);
    this.#changed(to).push(...lines);
  }

  toString(): string {
    const groups = [...this.#groups].map(([name, lines]) => [`[${name}]`, ...lines.map(formatLine)].join('\n'));
    return [...(this.#head.length > 0 ? [this.#head.join('\n')] : []), ...groups].map((block) => `${block}\n`).join('\n');
  }

  #entriesOf(group: string, key: string): readonly Entry[] {
    let byKey = this.#found.get(group);
    if (byKey === undefined) {
      byKey = Map.groupBy(this.entries(group), (entry) => entry.key);
      this.#found.set(group, byKey);
    }
    return byKey.get(key) ?? NONE;
  }

  #changed(name: string): Line[] {
    this.#found.delete(name);
    return this.#group(name);
  }

  #group(name: string): Line[] {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const lines: Line[] = [];
    this.#groups.set(name, lines);
    return lines;
  }

  #read(text: string, path: string): void {
    let lines: Line[] | undefined;
    for (const { content, line } of logicalLines(text)) {
      if (isComment(content)) {
        if (lines === undefined) this.#head.push(content);
        else lines.push({ comment: content });
        continue;
      }
      const group = content.startsWith('[') ? /^\[([^[\]\p{Cc}]+)\]$/u.exec(content)?.[1] : undefined;
      if (group !== undefined) {
        lines = this.#changed(group);
        continue;
      }
      lines = addEntry(content, path, line, lines);
    }
  }
}

function addEntry(content: string, path: string, line: number, lines: Line[] | undefined): Line[] {
  const at = content.indexOf('=');
  if (at <= 0 || content.startsWith('[')) {
    throw new UnitSyntaxError(
      `file contains line ${line}: “${content}” which is not a key-value pair, group, or comment`,
      { path, line },
      content.startsWith('[')
        ? 'A group is one word in brackets: [Container]'
        : 'Write KEY=VALUE; a line that goes on in the next one ends with a backslash',
    );
  }
  if (lines === undefined) {
    throw new UnitSyntaxError('key file does not start with a group', { path, line }, 'The first line is the name of a group: [Container]');
  }
  lines.push({ key: content.slice(0, at).trimEnd(), value: content.slice(at + 1).trimStart(), path, line });
  return lines;
}

interface Logical {
  readonly content: string;
  readonly line: number;
}

/** Without blank ones, those that go on joined, with the number of the first. Comments may stand in between. */
function logicalLines(text: string): readonly Logical[] {
  const logical: Logical[] = [];
  let begun: Logical | undefined;
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const trimmed = raw.trim();
    if (begun === undefined) {
      if (trimmed === '') continue;
      if (!trimmed.endsWith('\\') || isComment(trimmed)) logical.push({ content: trimmed, line: number });
      else begun = { content: trimmed.slice(0, -1), line: number };
    } else if (!isComment(trimmed)) {
      const isOpen = trimmed.endsWith('\\');
      const next: Logical = { content: begun.content + (isOpen ? trimmed.slice(0, -1) : trimmed), line: begun.line };
      begun = isOpen ? next : undefined;
      if (!isOpen) logical.push({ ...next, content: next.content.trimEnd() });
    }
  }
  if (begun !== undefined) logical.push({ ...begun, content: begun.content.trimEnd() });
  return logical.filter(({ content }) => content !== '');
}

function isComment(line: string): boolean {
  return line.startsWith('#') || line.startsWith(';');
}

function isEntry(line: Line): line is Entry {
  return 'key' in line;
}

function formatLine(line: Line): string {
  return isEntry(line) ? `${line.key}=${line.value}` : line.comment;
}
