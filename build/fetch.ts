/** ADD of a file of the web, or of a repository. */
import { createHash } from 'node:crypto';
import { createWriteStream, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../core/errors.ts';
import { randomHex } from '../host/random.ts';
import { Root } from '../host/root.ts';
import { parseGitUrl } from './git-url.ts';
import type { BuildMachine } from './machine.ts';

export interface Fetched {
  readonly name: string;
  readonly path: string;
  /** Hex digits of SHA-256. */
  readonly digest: string;
}

const MAX_BYTES = 64 * 2 ** 30;

/** Throws INVALID_ARGUMENT (the checksum, or no name to be had from the URL), and what a download throws. */
export async function fetchUrl(
  machine: Pick<BuildMachine, 'download' | 'scratch'>,
  url: string,
  checksum: string | undefined,
): Promise<Fetched> {
  if (!URL.canParse(url)) throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(url)} is no URL`);
  const name = basename(new URL(url).pathname);
  if (name === '') throw new EngineError('INVALID_ARGUMENT', `cannot determine a file name from ${url}`);
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw new EngineError('INVALID_ARGUMENT', `invalid checksum ${JSON.stringify(checksum)}: it is sha256:HEX`);
  const path = join(machine.scratch, `url-${randomHex(8)}`);
  const content = createHash('sha256');
  let bytes = 0;
  using body = await machine.download(url);
  await pipeline(
    body.stream,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) throw new EngineError('INVALID_ARGUMENT', `${url} is larger than 64 GiB`);
        content.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
  );
  utimesSync(path, 0, 0);
  const digest = content.digest('hex');
  if (checksum !== undefined && checksum !== `sha256:${digest}`)
    throw new EngineError('INVALID_ARGUMENT', `unexpected response digest for ${JSON.stringify(url)}: sha256:${digest}, want ${checksum}`);
  return { name, path, digest };
}

/** What is in it, as a tree. Throws INVALID_ARGUMENT (the URL, or another commit than the checksum says), and what a checkout throws. */
export async function fetchRepository(
  machine: Pick<BuildMachine, 'checkOut'>,
  url: string,
  { checksum, keepGitDirectory }: { readonly checksum: string | undefined; readonly keepGitDirectory: boolean },
): Promise<Root> {
  const { path, commit } = await machine.checkOut(parseGitUrl(url), { keepGitDirectory });
  if (checksum !== undefined && (checksum.length < 7 || !commit.startsWith(checksum)))
    throw new EngineError('INVALID_ARGUMENT', `expected checksum to match ${checksum}, got ${commit}`);
  return new Root(path);
}
