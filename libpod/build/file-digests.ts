/**
 * Digests of the files of a context, from one build to the next: a file whose inode, size and times are the same is not read again.
 * One file of the store for each context. A digest is kept only of a file that was at rest when it was read: one that changes twice within a tick of the
 * clock may look as it did.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { identityOf, stampOf, type FileDigests } from '../../build/copy/files.ts';
import { log } from '../../core/log.ts';
import { namesIn } from '../../host/if-there.ts';
import { replaceFile } from '../../host/replace-file.ts';
import type { Engine } from '../engine.ts';

/** More than the coarsest clock of a file system. */
const AT_REST_NS = 2_500_000_000n;
const UNUSED_DAYS = 30;

type Known = Record<string, readonly [stamp: string, digest: string]>;

export function digestsDirectory({ paths }: Pick<Engine, 'paths'>): string {
  return join(paths.store, 'build-files');
}

export class ContextDigests implements FileDigests {
  readonly #path: string;
  readonly #known: ReadonlyMap<string, readonly [stamp: string, digest: string]>;
  readonly #seen = new Map<string, readonly [stamp: string, digest: string]>();
  #isChanged = false;

  /** `context`: the path of its directory. What cannot be read counts as nothing. */
  constructor(engine: Engine, context: string) {
    this.#path = join(digestsDirectory(engine), `${createHash('sha256').update(context).digest('hex').slice(0, 32)}.json`);
    this.#known = readKnown(this.#path);
  }

  find(stat: BigIntStats): string | undefined {
    const [identity, stamp] = [identityOf(stat), stampOf(stat)];
    const entry = this.#known.get(identity);
    if (entry?.[0] !== stamp) return this.#seen.get(identity)?.[0] === stamp ? this.#seen.get(identity)![1] : undefined;
    this.#seen.set(identity, entry);
    return entry[1];
  }

  keep(stat: BigIntStats, digest: string): void {
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    if (nowNs - stat.mtimeNs < AT_REST_NS || nowNs - stat.ctimeNs < AT_REST_NS) return;
    this.#seen.set(identityOf(stat), [stampOf(stat), digest]);
    this.#isChanged = true;
  }

  /** For the next build. That there is no room for it is no failure. */
  save(): void {
    if (!this.#isChanged) return;
    const rest = this.#known.size > 2 * this.#seen.size + 1000 ? [] : this.#known;
    try {
      mkdirSync(join(this.#path, '..'), { recursive: true, mode: 0o700 });
      replaceFile(this.#path, JSON.stringify(Object.fromEntries([...rest, ...this.#seen]) satisfies Known), 0o600);
      forgetUnused(join(this.#path, '..'));
    } catch (error) {
      log.debug(() => `digests of files are not kept: ${(error as Error).message}`);
    }
  }
}

function readKnown(path: string): ReadonlyMap<string, readonly [string, string]> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Known));
  } catch {
    return new Map();
  }
}

function forgetUnused(directory: string): void {
  const oldest = Date.now() - UNUSED_DAYS * 86_400_000;
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && stat.mtimeMs < oldest) rmSync(path, { force: true });
  }
}
