/** What a build came to, in a form that two programs can be compared by. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { readBody, readTar } from '../../storage/tar/read.ts';
import type { TarEntry } from '../../storage/tar/entry.ts';

export interface BuildGolden {
  readonly name: string;
  readonly exitCode: number;
  /** Of a build that did not fail. */
  readonly image?: BuiltImage;
}

export interface BuiltImage {
  readonly config: unknown;
  /** Where times are compared. */
  readonly created?: string;
  readonly author: string;
  readonly history: readonly unknown[];
  readonly layers: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** What its files differ in from those of the plain base. */
  readonly files: readonly string[];
}

interface Inspected {
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> };
  readonly Created: string;
  readonly Author: string;
  readonly History:
    | readonly {
        readonly created?: string;
        readonly created_by?: string;
        readonly comment?: string;
        readonly author?: string;
        readonly empty_layer?: boolean;
      }[]
    | null;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Annotations: Readonly<Record<string, string>> | null;
}

export function builtImage(document: unknown, files: readonly string[], times: boolean): BuiltImage {
  const { Config, Created, Author, History, RootFS, Annotations } = document as Inspected;
  return {
    config: sorted(withoutIdentity(Config)),
    ...(times ? { created: seconds(Created) } : {}),
    author: Author,
    history: (History ?? []).map(({ created, created_by: by = '', comment, author, empty_layer: empty }) =>
      sorted({
        by: toldAlike(by),
        ...(times && created !== undefined ? { created: seconds(created) } : {}),
        ...(comment ? { comment } : {}),
        ...(author ? { author } : {}),
        ...(empty === true ? { empty } : {}),
      }),
    ),
    layers: RootFS.Layers.length,
    annotations: Object.fromEntries(
      Object.entries(Annotations ?? {})
        .map(([name, value]) => [name, /\.(created|base\.digest)$/.test(name) ? 'SET' : value] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
    files,
  };
}

/** Programs write as many digits after the second as they like. */
function seconds(time: string): string {
  return time.replace(/\.\d+/, '');
}

/** buildah's version, which only buildah can write. */
function withoutIdentity(config: Inspected['Config']): unknown {
  const { Labels, ...rest } = config;
  const labels = Object.entries(Labels ?? {}).filter(([name]) => name !== 'io.buildah.version');
  return labels.length === 0 ? rest : { ...rest, Labels: Object.fromEntries(labels) };
}

/** What was copied is told by a digest of one's own; what Podman adds for its cache is nobody else's. */
function toldAlike(by: string): string {
  return by
    .replaceAll(/(file|dir|multi):[0-9a-f]{64}/g, '$1:HASH')
    .replace(/\|(?:unsetLabel|unsetAnnotation|inheritLabels|force-mtime|clamp-mtime)=.*$|:sha256:[0-9a-f]{64}$/, '')
    .trimEnd();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

export interface Tree extends ReadonlyMap<string, string> {}

const LIMIT = 64 * 2 ** 20;

/** The files of each image of a docker-archive with several, by its names. `times`: tell those of files, too. */
export async function treesOf(archive: Readable, times: (image: string) => boolean): Promise<ReadonlyMap<string, Tree>> {
  const parts = new Map<string, Buffer>();
  const links = new Map<string, string>();
  for await (const member of readTar(archive)) {
    const name = member.entry.path.toString();
    if (member.entry.type === 'file') parts.set(name, await readBody(member, LIMIT, () => new Error(`${name} is large`)));
    else if (member.entry.type === 'symlink') links.set(name, member.entry.linkPath.toString());
  }
  const manifest = JSON.parse(parts.get('manifest.json')!.toString()) as { RepoTags: string[] | null; Layers: string[] }[];
  const trees = new Map<string, Tree>();
  for (const { RepoTags, Layers } of manifest) {
    for (const image of RepoTags ?? [])
      trees.set(
        image,
        await flattened(
          Layers.map((layer) => parts.get(layer)!),
          times(image),
        ),
      );
  }
  return trees;
}

async function flattened(layers: readonly Buffer[], times: boolean): Promise<Tree> {
  const tree = new Map<string, string>();
  for (const layer of layers) {
    const own: [string, string][] = [];
    for await (const member of readTar(chunks(layer))) {
      const path = `/${member.entry.path.toString()}`.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1');
      const [, directory = '', hidden] = /^(.*\/)\.wh\.(.+)$/.exec(path) ?? [];
      if (hidden === '.wh..opq') drop(tree, directory, false);
      else if (hidden !== undefined) drop(tree, directory + hidden, true);
      else own.push([path, await described(member, own, tree, times)]);
    }
    for (const [path, told] of own) {
      if (!told.startsWith('d') && tree.get(path)?.startsWith('d') === true) drop(tree, path, true);
      tree.set(path, told);
    }
  }
  return tree;
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

function drop(tree: Map<string, string>, path: string, itself: boolean): void {
  if (itself) tree.delete(path);
  for (const known of tree.keys()) if (known.startsWith(path.endsWith('/') ? path : `${path}/`)) tree.delete(known);
}

type Member = Parameters<typeof readBody>[0];

async function described(member: Member, own: readonly (readonly [string, string])[], tree: Tree, times: boolean): Promise<string> {
  const { entry } = member;
  if (entry.type === 'hardlink') {
    const target = `/${entry.linkPath.toString()}`;
    return own.find(([path]) => path === target)?.[1] ?? tree.get(target) ?? `hard link to ${target}`;
  }
  const time = times && entry.type === 'file' ? ` ${entry.mtime.seconds}` : '';
  return `${letterOf(entry)}${entry.mode.toString(8).padStart(4, '0')} ${entry.uid}:${entry.gid}${time}${await contentOf(member)}`;
}

function letterOf({ type }: TarEntry): string {
  return { file: '-', directory: 'd', symlink: 'l', fifo: 'p', char: 'c', block: 'b', hardlink: 'h' }[type];
}

async function contentOf(member: Member): Promise<string> {
  const { entry } = member;
  if (entry.type === 'symlink') return ` -> ${entry.linkPath.toString()}`;
  if (entry.type !== 'file') return '';
  const bytes = await readBody(member, LIMIT, () => new Error('large'));
  const text = bytes.toString();
  return bytes.length <= 100 && /^[\x20-\x7e\n\t]*$/.test(text)
    ? ` ${JSON.stringify(text)}`
    : ` sha256:${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
}

/** What `tree` differs in from `base`: paths with what they are, and those that are gone. */
export function treeChanges(tree: Tree, base: Tree): readonly string[] {
  const added = [...tree].filter(([path, told]) => base.get(path) !== told && path !== '/').map(([path, told]) => `${path}: ${told}`);
  const gone = [...base.keys()].filter((path) => !tree.has(path)).map((path) => `${path}: gone`);
  return [...added, ...gone].toSorted();
}
