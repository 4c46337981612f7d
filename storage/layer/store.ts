/**
 * Layers on disk, one directory per diff-id, shared by all images that have it:
 *
 *   layers/<hex>/diff  record  [kept/]  layer.json     layers/l/<short> → ../<hex>/diff     layers/locks/     layers/unsettled/<hex>
 *
 * A layer is unpacked in `tmp/` and renamed into place when its digests fit, so whoever dies when, it is there whole or not at all.
 * A power cut is another matter: the rename may survive it and the contents not. Waiting for the disk would double the time of a pull, so a new layer
 * is noted in `unsettled/` first; `settle` waits for the disk once for all of them, and after a reboot reads those that were not waited for
 * against their digest and drops what did not survive.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { namesIn } from '../../host/if-there.ts';
import { digestFromHex, digestHex, type Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { bootId } from '../../host/boot.ts';
import { lockFile, tryLockFile, type FileLock } from '../../host/flock.ts';
import type { LayerLimits } from './limits.ts';
import { FACTS, RECORD, TREE, WORK } from './places.ts';
import { diskUsage } from '../tree/usage.ts';
import { removeTree } from '../tree/remove.ts';
import { healStaging, StagingDirectory } from './staging.ts';
import type { UnpackedLayer } from './unpack.ts';

export interface LayerFacts {
  readonly diffId: Digest;
  /** Of the uncompressed tar: what Podman counts as the size of a layer. */
  readonly tarBytes: number;
  /** Of its regular files. */
  readonly fileBytes: number;
  readonly entries: number;
  readonly createdMs: number;
}

export interface ApplyOptions {
  readonly compressedDigest?: Digest | undefined;
  /** Of the compressed bytes. */
  readonly sizeBytes?: number | undefined;
  readonly limits?: LayerLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((compressedBytes: number) => void) | undefined;
}

export interface AppliedLayer {
  readonly facts: LayerFacts;
  /** False when it was there already; the source was not opened then. */
  readonly fresh: boolean;
  /** What this machine could not keep of a fresh layer, one line per kind, for a warning. */
  readonly notices: readonly string[];
}

/** What is wrong with a layer: each list is empty when that part is sound. */
export interface LayerDamage {
  readonly link: readonly string[];
  readonly facts: readonly string[];
  /** Only another copy of the layer mends these. */
  readonly content: readonly string[];
}

/** Hex digits of a diff-id in the name of its short link: 104 bits, and 130 of them in one page of mount options. */
const SHORT = 26;
/** Smaller layers (as they are sent or stored) are unpacked on the thread that reads them. */
const THREAD_FROM_BYTES = 2 * 2 ** 20;
const FULL = /^[0-9a-f]{64}$/;

export class LayerStore {
  readonly #layers: string;
  readonly #staging: string;
  #flushing: Promise<void> | undefined;

  /** `store`: the directory of the whole store. Nothing is made before the first layer. */
  constructor(store: string) {
    this.#layers = join(store, 'layers');
    this.#staging = join(store, 'tmp');
  }

  has(diffId: Digest): boolean {
    return existsSync(this.#directory(diffId));
  }

  /**
   * Make sure the layer is there. `source` gives its bytes (plain, gzip or zstd) and is only called when they are needed; where another process
   * is unpacking the same layer, this waits and finds it.
   * Throws IMAGE_CORRUPT, LAYER_REFUSED, STORE_FULL, NOT_SUPPORTED, ABORTED, and what `source` throws; nothing is left behind then.
   */
  async apply(diffId: Digest, source: () => Promise<Readable>, options: ApplyOptions = {}): Promise<AppliedLayer> {
    if (this.has(diffId)) return { facts: this.facts(diffId), fresh: false, notices: [] };
    this.#makeDirectories();
    using _lock = await this.#lock(diffId, options.signal);
    if (this.has(diffId)) return { facts: this.facts(diffId), fresh: false, notices: [] };
    healStaging(this.#staging);
    using staging = StagingDirectory.make(this.#staging);
    return this.#keep(staging, await this.#unpack(staging, diffId, source, options));
  }

  /**
   * Put a fresh copy in the place of a damaged layer, or of one that is missing. Nobody may have it mounted. The old one stays if this fails or is
   * killed; where the file system cannot exchange two directories, a kill can leave the layer missing. Throws what apply throws.
   */
  async replace(diffId: Digest, source: () => Promise<Readable>, options: ApplyOptions = {}): Promise<AppliedLayer> {
    this.#makeDirectories();
    using _lock = await this.#lock(diffId, options.signal);
    using staging = StagingDirectory.make(this.#staging);
    const unpacked = await this.#unpack(staging, diffId, source, options);
    using damaged = StagingDirectory.make(this.#staging);
    const { exchange } = await import('../../host/exchange.ts');
    return this.#keep(staging, unpacked, () => {
      const place = this.#directory(diffId);
      if (!this.has(diffId)) return staging.keepAs(place);
      // What was damaged is staging's now, which is removed.
      if (exchange(staging.path, place)) return;
      renameSync(place, join(damaged.path, 'layer'));
      staging.keepAs(place);
    });
  }

  async #unpack(staging: StagingDirectory, diffId: Digest, source: () => Promise<Readable>, options: ApplyOptions): Promise<UnpackedLayer> {
    const unpack = isWorthThread(options.sizeBytes)
      ? (await import('./thread.ts')).unpackOnThread
      : (await import('./unpack.ts')).unpackLayer;
    return unpack({
      directory: staging.path,
      source: await source(),
      diffId,
      compressed: { digest: options.compressedDigest, sizeBytes: options.sizeBytes },
      limits: options.limits,
      signal: options.signal,
      onProgress: options.onProgress,
    });
  }

  /**
   * apply for a layer in the making: its bytes (a plain tar) tell its diff-id. Where that layer is here already, the new one is dropped.
   * `atHand`: the tree of which the tar is made, when nobody writes to it any more; its files are shared then.
   * Throws LAYER_REFUSED, STORE_FULL, ABORTED, and what `source` throws; nothing is left behind then.
   */
  async add(
    source: Readable,
    options: Pick<ApplyOptions, 'signal'> & { readonly atHand?: string | undefined } = {},
  ): Promise<AppliedLayer> {
    this.#makeDirectories();
    healStaging(this.#staging);
    using staging = StagingDirectory.make(this.#staging);
    const { unpackLayer } = await import('./unpack.ts');
    const unpacked = await unpackLayer({ directory: staging.path, source, signal: options.signal, atHand: options.atHand });
    using _lock = await this.#lock(unpacked.diffId, options.signal);
    if (this.has(unpacked.diffId)) return { facts: this.facts(unpacked.diffId), fresh: false, notices: unpacked.notices };
    return this.#keep(staging, unpacked);
  }

  /**
   * Idempotent. Nobody may have it mounted. `decide` is called with the layer locked and takes it out of sight by calling what it is given,
   * or leaves it alone: so the owner of the references can look at them and remove the layer in one transaction.
   */
  async remove(diffId: Digest, decide: (take: () => void) => void = (take) => take()): Promise<void> {
    if (!this.has(diffId)) return;
    using staging = StagingDirectory.make(this.#staging);
    {
      using _lock = await this.#lock(diffId);
      if (!this.has(diffId)) return;
      decide(() => {
        renameSync(this.#directory(diffId), join(staging.path, 'layer'));
        rmSync(this.#shortLink(diffId), { force: true });
        rmSync(this.#unsettled(diffId), { force: true });
      });
    }
    const { unlinkSideBySide } = await import('../tree/unlink.ts');
    await unlinkSideBySide(staging.path);
  }

  list(): readonly Digest[] {
    return namesIn(this.#layers)
      .filter((name) => FULL.test(name))
      .map(digestFromHex);
  }

  /** Throws STORE_CORRUPT when the layer is not there or cannot be read. */
  facts(diffId: Digest): LayerFacts {
    const path = join(this.#directory(diffId), FACTS);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      throw new EngineError('STORE_CORRUPT', `layer ${diffId} is not in the store`, { cause, hint: 'Pull the image again.' });
    }
    return checkFacts(parseJson(text, path, 'STORE_CORRUPT') as unknown as LayerFacts, path);
  }

  sizeBytes(diffId: Digest): number {
    return this.facts(diffId).tarBytes;
  }

  /**
   * What a driver mounts: one short path per layer, topmost first. `diffIds` as in an image config, base first. Nothing is looked up.
   * A layer that is there twice stands where it comes last: overlayfs refuses it twice, and below itself it shows nothing more.
   */
  lowerDirs(diffIds: readonly Digest[]): readonly string[] {
    return [...new Set(diffIds.toReversed())].map((diffId) => this.#shortLink(diffId));
  }

  /** The layer's tree in overlay format. */
  tree(diffId: Digest): string {
    return join(this.#directory(diffId), TREE);
  }

  /** An empty directory beside the tree, for tools that ask where a mount could do its work; made when first asked for. */
  work(diffId: Digest): string {
    const path = join(this.#directory(diffId), WORK);
    if (this.has(diffId)) mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** The original uncompressed tar, byte for byte. The stream fails with STORE_CORRUPT when the tree was changed. */
  async tar(diffId: Digest): Promise<Readable> {
    const { assembleTar } = await import('./assemble.ts');
    return assembleTar(this.#directory(diffId));
  }

  /** True if the tar that tree and record give still has the digest it came with. Reads everything. */
  async verify(diffId: Digest): Promise<boolean> {
    const { verifyLayer } = await import('./verify.ts');
    return verifyLayer(this.#directory(diffId), diffId);
  }

  /** What is wrong with the layer, in words; `quick`: only what shows without reading its files. */
  async examine(diffId: Digest, { quick }: { readonly quick: boolean }): Promise<LayerDamage> {
    if (!this.has(diffId)) return { link: [], facts: [], content: ['it is missing'] };
    const missing = [TREE, RECORD].filter((name) => !existsSync(join(this.#directory(diffId), name)));
    const content = missing.map((name) => `its ${name} is missing`);
    if (content.length === 0 && !quick) {
      const { examineLayer } = await import('./examine.ts');
      content.push(...(await examineLayer(this.#directory(diffId), diffId)));
    }
    return { link: this.#linkProblems(diffId), facts: this.#factsProblems(diffId), content };
  }

  /** Write the short link anew. */
  relink(diffId: Digest): void {
    const link = this.#shortLink(diffId);
    mkdirSync(join(this.#layers, 'l'), { recursive: true, mode: 0o700 });
    using staging = StagingDirectory.make(this.#staging);
    symlinkSync(this.#linkTarget(diffId), join(staging.path, 'link'));
    if (lstatSync(link, { throwIfNoEntry: false })?.isDirectory()) removeTree(link);
    renameSync(join(staging.path, 'link'), link);
  }

  /** Find out once more what is said of a layer whose files are sound. */
  async recount(diffId: Digest): Promise<void> {
    let tarBytes = 0;
    for await (const chunk of await this.tar(diffId)) tarBytes += (chunk as Buffer).length;
    const { sizeBytes, inodes } = diskUsage(this.tree(diffId));
    const facts: LayerFacts = { diffId, tarBytes, fileBytes: sizeBytes, entries: inodes, createdMs: Date.now() };
    using staging = StagingDirectory.make(this.#staging);
    writeFileSync(join(staging.path, FACTS), JSON.stringify(facts), { mode: 0o600 });
    renameSync(join(staging.path, FACTS), join(this.#directory(diffId), FACTS));
  }

  #linkProblems(diffId: Digest): readonly string[] {
    try {
      return readlinkSync(this.#shortLink(diffId)) === this.#linkTarget(diffId) ? [] : ['its short link leads elsewhere'];
    } catch {
      return ['its short link is missing'];
    }
  }

  #factsProblems(diffId: Digest): readonly string[] {
    try {
      const { diffId: own } = this.facts(diffId);
      return own === diffId ? [] : [`${FACTS} is about another layer`];
    } catch (error) {
      if (isEngineError(error, 'STORE_CORRUPT')) return [`${FACTS} cannot be read`];
      throw error;
    }
  }

  #linkTarget(diffId: Digest): string {
    return join('..', digestHex(diffId), TREE);
  }

  /**
   * Wait until new layers are on the disk, so that a power cut cannot take them; layers that a reboot overtook before that are verified, and removed
   * if they are damaged. Costs one readdir when there is nothing to do. To be called when a pull or load has nothing else to do, and after a reboot.
   * Returns the layers that were removed.
   */
  async settle(): Promise<readonly Digest[]> {
    const waiting = namesIn(join(this.#layers, 'unsettled'))
      .filter((name) => FULL.test(name))
      .map(digestFromHex);
    if (waiting.length === 0) return [];
    const damaged: Digest[] = [];
    for (const diffId of waiting) {
      if (!this.has(diffId) || this.#appliedSinceBoot(diffId) || (await this.verify(diffId))) continue;
      await this.remove(diffId);
      damaged.push(diffId);
    }
    const { syncFileSystem } = await import('../../host/sync.ts');
    await syncFileSystem(this.#layers);
    for (const diffId of waiting) if (this.has(diffId)) rmSync(this.#unsettled(diffId), { force: true });
    return damaged;
  }

  /** Remove what killed processes left half done: staging, which apply does too, and links and notes of layers that are not there. Cheap. */
  heal(): void {
    healStaging(this.#staging);
    if (!existsSync(join(this.#layers, 'locks'))) return;
    const layers = namesIn(this.#layers).filter((name) => FULL.test(name));
    const [full, short] = [new Set(layers), new Set(layers.map((name) => name.slice(0, SHORT)))];
    for (const name of namesIn(join(this.#layers, 'l'))) if (!short.has(name)) this.#dropStale('l', name);
    for (const name of namesIn(join(this.#layers, 'unsettled'))) if (!full.has(name)) this.#dropStale('unsettled', name);
  }

  /** With the layer's lock, for whoever holds it may be about to put the layer there. */
  #dropStale(directory: 'l' | 'unsettled', name: string): void {
    using lock = tryLockFile(join(this.#layers, 'locks', name.slice(0, 2)));
    if (lock === undefined || namesIn(this.#layers).some((layer) => FULL.test(layer) && layer.startsWith(name))) return;
    rmSync(join(this.#layers, directory, name), { force: true });
  }

  #keep(
    staging: StagingDirectory,
    { diffId, tarBytes, fileBytes, entries, notices }: UnpackedLayer,
    place: () => void = () => staging.keepAs(this.#directory(diffId)),
  ): AppliedLayer {
    const facts: LayerFacts = { diffId, tarBytes, fileBytes, entries, createdMs: Date.now() };
    writeFileSync(join(staging.path, FACTS), JSON.stringify(facts), { mode: 0o600 });
    this.#publish(diffId, place);
    this.#startFlush();
    return { facts, fresh: true, notices };
  }

  #publish(diffId: Digest, place: () => void): void {
    writeFileSync(this.#unsettled(diffId), bootId(), { mode: 0o600 });
    // The link comes first: a layer that is there can be mounted, a link to nothing harms nobody.
    const link = this.#shortLink(diffId);
    rmSync(link, { force: true });
    symlinkSync(this.#linkTarget(diffId), link);
    place();
  }

  /** The disk begins with what is written while other layers are still unpacked; settle waits for the rest. */
  #startFlush(): void {
    if (this.#flushing !== undefined) return;
    this.#flushing = import('../../host/sync.ts')
      .then(({ syncFileSystem }) => syncFileSystem(this.#layers))
      .catch(() => undefined)
      .finally(() => (this.#flushing = undefined));
  }

  #appliedSinceBoot(diffId: Digest): boolean {
    try {
      return readFileSync(this.#unsettled(diffId), 'utf8') === bootId();
    } catch {
      return false;
    }
  }

  #makeDirectories(): void {
    for (const name of ['l', 'locks', 'unsettled']) mkdirSync(join(this.#layers, name), { recursive: true, mode: 0o700 });
  }

  /** One of 256 locks: a file for each layer there ever was would never go away. */
  #lock(diffId: Digest, signal?: AbortSignal): Promise<FileLock> {
    const path = join(this.#layers, 'locks', digestHex(diffId).slice(0, 2));
    return lockFile(path, { timeoutMs: Infinity, ...(signal === undefined ? {} : { signal }) });
  }

  #directory(diffId: Digest): string {
    return join(this.#layers, digestHex(diffId));
  }

  #shortLink(diffId: Digest): string {
    return join(this.#layers, 'l', digestHex(diffId).slice(0, SHORT));
  }

  #unsettled(diffId: Digest): string {
    return join(this.#layers, 'unsettled', digestHex(diffId));
  }
}

/** A thread takes 30 ms to start. */
function isWorthThread(sizeBytes: number | undefined): boolean {
  return sizeBytes !== undefined && sizeBytes >= THREAD_FROM_BYTES && availableParallelism() > 1;
}

function checkFacts(facts: LayerFacts, path: string): LayerFacts {
  const numbers = [facts.tarBytes, facts.fileBytes, facts.entries, facts.createdMs];
  if (numbers.every((number) => typeof number === 'number')) return facts;
  throw new EngineError('STORE_CORRUPT', `${path}: a number is missing`);
}
