/** COPY and ADD: from the words to a layer. */
import { Root } from '../host/root.ts';
import { EngineError, isEngineError } from '../core/errors.ts';
import { Destination } from './copy/destination.ts';
import { digestSources } from './copy/digest.ts';
import { isArchive } from './copy/archive.ts';
import { ReadFiles } from './copy/files.ts';
import { copyMembers } from './copy/members.ts';
import { parseMode, type ModeChange } from './copy/mode.ts';
import { MissingSource, treeSources, type CopySource, type SourceTree } from './copy/sources.ts';
import type { WalkRules } from './copy/walk.ts';
import { expandWord } from './dockerfile/expand.ts';
import { failed, flagPlace } from './dockerfile/failure.ts';
import { expanded } from './dockerfile/stages.ts';
import type { StatementOf } from './dockerfile/statement.ts';
import { isGitUrl } from './git-url.ts';
import { ignoreRules } from './ignore.ts';
import type { BuildMachine } from './machine.ts';
import { absoluteIn, valueIn } from './metadata.ts';
import type { StageState } from './state.ts';
import type { Fetched } from './fetch.ts';
import type { OwnerLookUp } from './owner.ts';

export type Transfer = StatementOf<'copy' | 'add'>;

export interface TransferFacts {
  readonly escape: '\\' | '`';
  /** The context, or the tree that `--from` names. */
  readonly tree: SourceTree | undefined;
  /** The tree is that of an image or a stage: its owners are those of files there. */
  readonly isImage: boolean;
  /** How an error names the tree. */
  readonly treeName: string;
  readonly lookUpOwner: OwnerLookUp;
  readonly fetch: (url: string, checksum: string | undefined) => Promise<Fetched>;
  readonly repository: (
    url: string,
    options: { readonly checksum: string | undefined; readonly keepGitDirectory: boolean },
  ) => Promise<Root>;
  readonly nowSeconds: number;
}

export interface PlannedTransfer {
  readonly sources: readonly CopySource[];
  readonly rules: WalkRules;
  readonly kind: 'file' | 'dir' | 'multi';
  /** Over all that is read. */
  readonly digest: string;
  readonly read: ReadFiles;
  /** Absolute. */
  readonly to: string;
  readonly rawOwner?: string | undefined;
  readonly mode?: ModeChange | undefined;
  readonly modeText?: string | undefined;
}

const URL_SOURCE = /^(https?|ftp):\/\//;

/** Throws DOCKERFILE. */
export async function planTransfer(state: StageState, statement: Transfer, facts: TransferFacts): Promise<PlannedTransfer> {
  const value = valueIn(state);
  const expand = (raw: string): string => (statement.literal ? plainly(raw, value) : expanded(statement, raw, facts.escape, value));
  const destination = expand(statement.rawDestination);
  const directory = /(^|\/)\.?$/.test(destination) ? '/' : '';
  const to = absoluteIn(state.config, destination).replace(/\/$/, '') + directory;
  const rules = transferRules(statement, facts, expand);
  const sources: CopySource[] = [];
  for (const raw of statement.rawSources) sources.push(...(await sourcesOf(statement, raw, expand(raw), { ...facts, rules })));
  if (statement.heredocs.length > 0 && statement.rawChecksum !== undefined) throw localChecksum(statement);
  for (const { name, content, expand: isExpanded } of statement.heredocs)
    sources.push({ kind: 'text', name, bytes: Buffer.from(isExpanded ? inText(content, value) : content) });
  if (sources.length > 1 && directory === '' && statement.heredocs.length > 0)
    throw failed(statement.at, `destination ${JSON.stringify(destination)} must be a directory and end with a /`);
  const modeText = statement.rawChmod === undefined ? undefined : expand(statement.rawChmod);
  const mode = modeText === undefined ? undefined : parseMode(modeText);
  if (modeText !== undefined && mode === undefined)
    throw failed(statement.at, `invalid chmod parameter: '${modeText}'. it should be octal or symbolic`, {
      ...flagPlace(statement.at, 'chmod'),
    });
  const [first] = sources;
  const read = new ReadFiles();
  const kind = sources.length > 1 ? 'multi' : first?.kind === 'tree' && first.isDirectory ? 'dir' : 'file';
  return {
    sources,
    rules,
    kind,
    digest: digestSources(sources, rules, { owners: facts.isImage, read }),
    read,
    to,
    rawOwner: statement.rawChown === undefined ? undefined : expand(statement.rawChown),
    mode,
    modeText,
  };
}

/** The layer. Throws DOCKERFILE, LAYER_REFUSED, STORE_FULL. */
export async function addTransfer(
  machine: BuildMachine,
  state: StageState,
  statement: Transfer,
  plan: PlannedTransfer,
  facts: TransferFacts,
) {
  await using view = state.layers.length === 0 ? undefined : await machine.view(state.layers);
  using root = view === undefined ? undefined : new Root(view.path);
  const { rawOwner } = plan;
  const owner =
    rawOwner === undefined
      ? undefined
      : await told(statement, flagPlace(statement.at, 'chown'), async () => facts.lookUpOwner(root, rawOwner));
  return await told(statement, undefined, async () => {
    const now = { seconds: facts.nowSeconds, nanoseconds: 0 };
    const { sources, rules, to, mode, read } = plan;
    const destination = new Destination(root, { ...(owner ?? { uid: 0, gid: 0 }), mtime: now });
    return await machine.addLayer(
      copyMembers({ sources, rules, destination, to, owner, mode, keepOwners: facts.isImage, parents: statement.parents, now, read }),
    );
  });
}

const OF_THE_LINE = [
  'INVALID_ARGUMENT',
  'NO_SUCH_USER',
  'IMAGE_CORRUPT',
  'HELPER_MISSING',
  'HELPER_FAILED',
  'REGISTRY_ERROR',
  'REGISTRY_UNREACHABLE',
] as const;

/** What goes wrong is told with the word that asked for it. */
async function told<T>(
  { at }: Transfer,
  word: { readonly word: string; readonly at: number } | undefined,
  work: () => Promise<T>,
): Promise<T> {
  return await work().catch((error: unknown) => {
    if (!isEngineError(error, ...OF_THE_LINE)) throw error;
    throw failed(at, error.message, { ...word, cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  });
}

function transferRules({ rawExcludes }: Transfer, { tree }: TransferFacts, expand: (raw: string) => string): WalkRules {
  const own = tree?.rules ?? { isLeftOut: () => false, mayHoldWanted: () => false };
  if (rawExcludes.length === 0) return own;
  const excluded = ignoreRules(rawExcludes.map(expand), '--exclude');
  return {
    isLeftOut: (path) => own.isLeftOut(path) || excluded.isIgnored(path),
    mayHoldWanted: (path) => own.mayHoldWanted(path) || (excluded.isIgnored(path) && excluded.mayHoldIncluded(path)),
  };
}

async function sourcesOf(
  statement: Transfer,
  raw: string,
  word: string,
  { tree, treeName, fetch, repository, rules }: TransferFacts & { readonly rules: WalkRules },
): Promise<readonly CopySource[]> {
  const isAdd = statement.kind === 'add';
  const place = { word: raw, at: statement.at.text.indexOf(raw, statement.at.restAt) };
  if (isAdd && isGitUrl(word)) {
    const options = { checksum: statement.rawChecksum, keepGitDirectory: statement.keepGitDir };
    const root = await told(statement, place, () => repository(word, options));
    return [{ kind: 'tree', root, path: '', name: '', asked: '', isDirectory: true, parents: [] }];
  }
  if (isAdd && URL_SOURCE.test(word)) {
    const { name, path, digest } = await told(statement, place, () => fetch(word, statement.rawChecksum));
    return [{ kind: 'file', name, path, digest }];
  }
  if (statement.rawChecksum !== undefined) throw localChecksum(statement);
  if (tree === undefined) throw new EngineError('DOCKERFILE', `${statement.at.name} needs a build context`);
  try {
    const sources = treeSources({ ...tree, rules }, word, { parents: statement.parents });
    if (!isAdd || statement.unpack === false) return sources;
    const found: CopySource[] = [];
    for (const source of sources) found.push(!source.isDirectory && (await isArchive(source)) ? { ...source, kind: 'archive' } : source);
    return found;
  } catch (error) {
    if (!(error instanceof MissingSource)) throw error;
    throw failed(
      statement.at,
      `checking on sources under ${JSON.stringify(treeName)}: ${JSON.stringify(`/${word.replace(/^\/+/, '')}`)}: no such file or directory`,
      place,
    );
  }
}

function localChecksum({ at }: Transfer): Error {
  return failed(at, '--checksum is for what is downloaded, and not for local sources', { ...flagPlace(at, 'checksum') });
}

/** Variables alone, and none behind a backslash: all else is part of the text, the backslash too. */
function inText(text: string, value: (name: string) => string | undefined): string {
  return text.replaceAll(/\\[^]|\$(?:\w+|\{[^}]*\})/g, (found) =>
    found.startsWith('\\') ? found : expandWord(found, { escape: '\\', value }),
  );
}

/** Variables alone: quotes and escapes are part of the text. */
function plainly(text: string, value: (name: string) => string | undefined): string {
  return text.replaceAll(/\\\$|\$(?:\w+|\{[^}]*\})/g, (found) => (found === '\\$' ? '$' : expandWord(found, { escape: '\\', value })));
}
