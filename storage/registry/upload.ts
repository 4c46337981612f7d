/**
 * Blobs and manifests into a registry (distribution-spec "Push"): POST opens an upload and names its place, PATCH sends the bytes, PUT closes it
 * with the digest. A small blob goes with the PUT. What is sent is streamed and of unknown length where it is compressed on the way.
 */
import type { Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { BlobMeter } from '../transport/blob-hash.ts';
import type { OutgoingBlob, WrittenBlob } from '../transport/destination.ts';
import { registryFailure } from './failure.ts';
import { withoutSecrets, type HttpResponse } from './http.ts';
import type { Registry, RegistryRequest } from './registry.ts';

/** One repository of a registry, open for writing. */
export interface UploadPlace {
  readonly registry: Registry;
  readonly path: string;
  /** For messages: `quay.io/team/app`. */
  readonly name: string;
}

/** Below this a blob is held in memory and sent with the PUT, which can be repeated. */
const SMALL_BYTES = 2 ** 20;
/** A registry that hands an upload from place to place without end. */
const MOVES_LIMIT = 5;

/** The size of a blob that is there, undefined when it is not. */
export async function blobSize(place: UploadPlace, digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
  const response = await place.registry.send({ ...at(place, `blobs/${digest}`), method: 'HEAD', signal });
  response.body.destroy();
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw await registryFailure(response, `checking whether a blob ${digest} exists in ${place.name}`);
  const size = Number(response.headers['content-length']);
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

/** Take the blob over from another repository of the same registry. False where the registry would rather have the bytes. */
export async function mountBlob(place: UploadPlace, digest: Digest, from: string, signal?: AbortSignal): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const request = at(place, `blobs/uploads/?${query.toString()}`);
  const response = await place.registry.send({
    ...request,
    method: 'POST',
    repository: { ...request.repository, mountFrom: from },
    signal,
  });
  response.body.destroy();
  if (response.status === 201) return true;
  // It opened an upload instead, which nobody is going to finish.
  if (response.status === 202) await cancel(place, response);
  return false;
}

/** Throws REGISTRY_*, STORE_CORRUPT, ABORTED. */
export async function uploadBlob(place: UploadPlace, blob: OutgoingBlob, signal?: AbortSignal): Promise<WrittenBlob> {
  const opened = await place.registry.send({ ...at(place, 'blobs/uploads/'), method: 'POST', signal });
  if (opened.status !== 202)
    throw await registryFailure(opened, `initiating layer upload to /v2/${place.path}/blobs/uploads/ in ${host(place)}`);
  opened.body.destroy();
  try {
    return await (isSmall(blob) ? uploadSmall(place, opened, blob, signal) : uploadStream(place, opened, blob, signal));
  } catch (error) {
    await cancel(place, opened);
    throw error;
  }
}

export async function uploadManifest(
  place: UploadPlace,
  manifest: { readonly bytes: Uint8Array; readonly mediaType: string; readonly digest: Digest },
  reference: string,
  signal?: AbortSignal,
): Promise<void> {
  const response = await place.registry.send({
    ...at(place, `manifests/${reference}`),
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    signal,
  });
  const action = `uploading manifest ${reference} to ${place.name}`;
  if (response.status !== 201 && response.status !== 200 && response.status !== 202) throw await registryFailure(response, action);
  response.body.destroy();
  const claimed = response.headers['docker-content-digest'];
  if (claimed?.startsWith('sha256:') && claimed !== manifest.digest) {
    throw new EngineError('REGISTRY_ERROR', `${action}: the registry stored ${claimed.slice(0, 80)} instead of ${manifest.digest}`);
  }
}

async function uploadSmall(place: UploadPlace, opened: HttpResponse, blob: OutgoingBlob, signal?: AbortSignal): Promise<WrittenBlob> {
  const meter = new BlobMeter();
  const chunks: Buffer[] = [];
  for await (const chunk of (await blob.open()).pipe(meter) as AsyncIterable<Buffer>) chunks.push(chunk);
  const written = meter.written(blob);
  await close(place, locationOf(opened, place), written.digest, Buffer.concat(chunks), signal);
  return written;
}

/** The stream may be sent again from its start when the registry hands the upload on before it has read anything. */
async function uploadStream(place: UploadPlace, opened: HttpResponse, blob: OutgoingBlob, signal?: AbortSignal): Promise<WrittenBlob> {
  let url = locationOf(opened, place);
  for (let move = 0; move < MOVES_LIMIT; move++) {
    const source = await blob.open();
    const meter = new BlobMeter();
    source.once('error', (error) => meter.destroy(error));
    try {
      const response = await place.registry.send({
        ...at(place, url),
        method: 'PATCH',
        headers: { 'content-type': 'application/octet-stream' },
        body: source.pipe(meter),
        signal,
      });
      if (response.status === 307 || response.status === 308) {
        response.body.destroy();
        url = locationOf(response, place);
        continue;
      }
      if (response.status !== 202 && response.status !== 204)
        throw await registryFailure(response, `uploading layer chunked to ${place.name}`);
      response.body.destroy();
      // It answered before it had everything: what it has cannot be the blob.
      if (!meter.readableEnded) throw new EngineError('REGISTRY_ERROR', `uploading layer to ${place.name}: the registry stopped reading`);
      const written = meter.written(blob);
      await close(place, locationOf(response, place), written.digest, undefined, signal);
      return written;
    } catch (error) {
      throw source.errored ?? error;
    } finally {
      source.destroy();
      meter.destroy();
    }
  }
  throw new EngineError('REGISTRY_ERROR', `uploading layer to ${place.name}: redirected more than ${MOVES_LIMIT} times`);
}

async function close(place: UploadPlace, url: URL, digest: Digest, body: Buffer | undefined, signal?: AbortSignal): Promise<void> {
  const target = new URL(url);
  target.searchParams.set('digest', digest);
  const response = await place.registry.send({
    ...at(place, target),
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: body ?? Buffer.alloc(0),
    signal,
  });
  if (response.status !== 201) throw await registryFailure(response, `uploading layer to ${withoutSecrets(url)}`);
  response.body.destroy();
}

/** An upload that is not going to be finished. A registry that does not do this drops it in its own time. */
async function cancel(place: UploadPlace, opened: HttpResponse): Promise<void> {
  try {
    const url = locationOf(opened, place);
    const response = await place.registry.send({ ...at(place, url), method: 'DELETE', signal: AbortSignal.timeout(3000) });
    response.body.destroy();
  } catch (error) {
    if (!isEngineError(error)) throw error;
  }
}

/** Where the upload goes on. It may be another host, which then gets no credentials (registry.ts); https never leads to http. */
function locationOf(response: HttpResponse, place: UploadPlace): URL {
  const location = response.headers['location'];
  const next = location === undefined ? null : URL.parse(location, response.url);
  if (next === null || (next.protocol !== 'https:' && next.protocol !== 'http:')) {
    throw new EngineError('REGISTRY_ERROR', `determining upload URL in ${place.name}: the registry names no usable Location`);
  }
  if (response.url.protocol === 'https:' && next.protocol === 'http:') {
    throw new EngineError(
      'REGISTRY_ERROR',
      `determining upload URL in ${place.name}: refused the way from https to ${withoutSecrets(next)}`,
    );
  }
  next.username = next.password = '';
  return next;
}

function isSmall({ digest, size }: OutgoingBlob): boolean {
  return digest !== undefined && size !== undefined && size <= SMALL_BYTES;
}

function at(
  place: UploadPlace,
  where: string | URL,
): Pick<RegistryRequest, 'path' | 'url'> & { readonly repository: NonNullable<RegistryRequest['repository']> } {
  const repository = { path: place.path, actions: 'pull,push' } as const;
  return typeof where === 'string' ? { path: `/v2/${place.path}/${where}`, repository } : { path: where.pathname, url: where, repository };
}

function host({ name, path }: UploadPlace): string {
  return name.slice(0, -path.length - 1);
}
