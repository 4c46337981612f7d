/** What the units made of all kinds of Quadlet files have in common, and how one file finds another. */
import { isAbsolute } from 'node:path';
import { pathWord, quoteWord, withoutSpecifiers } from '../../core/unit-word.ts';
import { type Kind, QUADLET_GROUP } from './keys.ts';
import { kindOf, QuadletError, type Source } from './source.ts';
import type { Entry, UnitFile } from './unit-file.ts';
import { splitWords, WordError } from './words.ts';

/** What the files of one run are to each other and to the machine. */
export interface Surroundings {
  /** All that parse, by file name. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly rootless: boolean;
  /** The command that the units call. */
  readonly program: string;
  /** A feature that is not there, by the kind of file that needs it. */
  readonly missing: Partial<Readonly<Record<Kind, string>>>;
  /** Keys of which the same is true, and why. */
  readonly missingKeys: Partial<Readonly<Record<Kind, Readonly<Record<string, string>>>>>;
  /** The number of a user or a group of this machine. */
  account(kind: 'user' | 'group', name: string): number | undefined;
  deviceExists(path: string): boolean;
}

/** Whether there will be a unit of that file. Where it is this file that the other one waits for, there will. */
export type MakesUnit = (source: Source) => boolean;

/** A unit under construction: the file as it was written, with what is added to it. */
export class Service {
  readonly source: Source;
  readonly around: Surroundings;
  readonly unit: UnitFile;
  readonly #makesUnit: MakesUnit;

  constructor(source: Source, around: Surroundings, makesUnit: MakesUnit) {
    this.#makesUnit = makesUnit;
    this.source = source;
    this.around = around;
    this.unit = source.unit;
  }

  /** The `[Unit]` that every one of them has. Throws QuadletError. */
  begin(): void {
    this.#translateDependencies();
    const { rootless } = this.around;
    if (this.#wantsNetwork()) {
      const target = rootless ? 'podman-user-wait-network-online.service' : 'network-online.target';
      this.unit.addFirst('Unit', 'After', target);
      this.unit.addFirst('Unit', 'Wants', target);
    }
    this.unit.add('Unit', 'SourcePath', withoutSpecifiers(this.source.path));
    this.unit.add('Unit', 'RequiresMountsFor', '%t/containers');
  }

  /** `lichen [global flags] WORD…` */
  command(...words: readonly string[]): string[] {
    const { source, around } = this;
    const modules = source.values('ContainersConfModule').map((path) => `--module=${path}`);
    return [around.program, ...modules, ...source.words('GlobalArgs'), ...words];
  }

  /** Set, for there can be only one. */
  setCommand(key: string, words: readonly string[]): void {
    this.unit.set('Service', key, words.map(quoteWord).join(' '));
  }

  addCommand(key: string, words: readonly string[], { mayFail = false } = {}): void {
    this.unit.add('Service', key, `${mayFail ? '-' : ''}${words.map(quoteWord).join(' ')}`);
  }

  /** A command that is done when it ends. */
  finishOneshot(words: readonly string[], { remains }: { readonly remains: boolean }): void {
    this.addCommand('ExecStart', words);
    this.unit.setDefault('Service', 'SyslogIdentifier', '%N');
    this.unit.setDefault('Service', 'Type', 'oneshot');
    if (remains) this.unit.setDefault('Service', 'RemainAfterExit', 'yes');
  }

  /** The file of that name; its unit is there, and started before this one. Throws QuadletError with these words where there is none. */
  require(file: string, key: string, words: string): Source {
    const entry = this.#entryNaming(key, file);
    const found = this.find(file, entry);
    if (found === undefined) throw new QuadletError(words, entry, this.#nearFiles(file));
    this.dependOn('Requires', found, entry);
    return found;
  }

  /** Throws QuadletError for one that needs a feature that is not there. */
  find(file: string, entry?: Entry): Source | undefined {
    const kind = kindOf(file);
    const feature = kind && this.around.missing[kind];
    if (feature !== undefined) throw new QuadletError(`${file} needs \`${feature}\`, which is not there yet`, entry);
    return this.around.sources.get(file);
  }

  /** Throws QuadletError if there is no unit to depend on. */
  dependOn(key: string, source: Source, entry: Entry | undefined): void {
    if (!this.#makesUnit(source)) throw new QuadletError(`${source.file} makes no unit`, entry, 'What is wrong with it is told as well');
    this.unit.add('Unit', key, `${source.service}.service`);
    this.unit.add('Unit', 'After', `${source.service}.service`);
  }

  /** The unit waits for what is mounted there, if a unit can say so. */
  needPath(path: string): void {
    const word = isAbsolute(path) ? pathWord(path) : undefined;
    if (word !== undefined) this.unit.add('Unit', 'RequiresMountsFor', word);
  }

  #wantsNetwork(): boolean {
    const value = this.unit.last(QUADLET_GROUP, 'DefaultDependencies')?.value;
    return value === undefined || /^(?:1|yes|true|on)$/i.test(value);
  }

  #entryNaming(key: string, file: string): Entry | undefined {
    return this.unit.all(this.source.group, key).find(({ value }) => value.includes(file));
  }

  #nearFiles(file: string): string {
    const kind = kindOf(file);
    const same = [...this.around.sources.keys()].filter((name) => kindOf(name) === kind);
    return same.length === 0 ? `There is no .${kind} file beside it` : `There are ${same.slice(0, 5).join(', ')}`;
  }

  /** Names of Quadlet files in `[Unit]` become those of their services. Throws QuadletError. */
  #translateDependencies(): void {
    for (const key of DEPENDENCIES) {
      const entries = this.unit.all('Unit', key);
      if (!entries.some(({ value }) => value.split(/\s+/).some(isUnitName))) continue;
      const names = entries.flatMap((entry) => this.#split(entry).map((word) => (isUnitName(word) ? this.#serviceOf(word, entry) : word)));
      this.unit.set('Unit', key, names.join(' '));
    }
  }

  #split(entry: Entry): string[] {
    try {
      return splitWords(entry.value);
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      throw new QuadletError('unsupported escape char', entry, error.message);
    }
  }

  #serviceOf(file: string, entry: Entry): string {
    const found = this.find(file, entry);
    if (found === undefined) throw new QuadletError(`unable to translate dependency for ${file}`, entry, this.#nearFiles(file));
    return `${found.service}.service`;
  }
}

/** Keys of `[Unit]` that name other units. */
const DEPENDENCIES = [
  'After',
  'Before',
  'BindsTo',
  'Conflicts',
  'OnFailure',
  'OnSuccess',
  'PartOf',
  'PropagatesReloadTo',
  'PropagatesStopTo',
  'ReloadPropagatedFrom',
  'Requires',
  'Requisite',
  'StopPropagatedFrom',
  'Upholds',
  'Wants',
];

function isUnitName(word: string): boolean {
  return kindOf(word) !== undefined;
}
