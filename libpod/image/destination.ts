/** Where a push goes: `docker://` (or no transport at all), `docker-archive:`, `oci:`, `oci-archive:`, `dir:`. */
import { EngineError } from '../../core/errors.ts';
import { formatReference, parseReference, repositoryOf, withDefaultTag, type Reference } from '../../storage/reference.ts';
import type { ImageDestination } from '../../storage/transport/destination.ts';
import { parseFileSource } from '../../storage/transport/open.ts';
import type { Engine } from '../engine.ts';
import { stagingDirectory } from './blobs.ts';
import { registriesConf } from './find.ts';
import type { RegistryChoice } from '../registry/access.ts';

export interface OpenedDestination {
  readonly destination: ImageDestination;
  /** `quay.io/team/app` for a registry. */
  readonly repository?: string;
  /** The manifest it must be, where the destination is named by digest. */
  readonly digest?: Reference['digest'];
  /** False: layers stay plain, whatever compression is asked for. */
  readonly compresses: boolean;
}

export interface DestinationOptions extends RegistryChoice {
  /** What an archive calls the image besides the name in the destination. */
  readonly name?: string | undefined;
  /** Compress the layers of a `dir:`. */
  readonly compress?: boolean;
}

/** Throws INVALID_REFERENCE, NOT_SUPPORTED (transport), ARCHIVE_UNSUPPORTED (place), REGISTRY_ERROR (blocked), CONFIG. Nothing is asked of a registry yet. */
export async function openDestination(engine: Engine, text: string, options: DestinationOptions): Promise<OpenedDestination> {
  const file = parseFileSource(text);
  if (file === undefined) return openRegistry(engine, text, options);
  const { transport, rest } = file;
  if (transport === 'dir') {
    const { openImageDirectoryWriter } = await import('../../storage/transport/image-directory-writer.ts');
    return { destination: openImageDirectoryWriter(rest, undefined), compresses: options.compress === true };
  }
  const { path, name } = splitName(rest, text);
  if (transport === 'docker-archive') return { destination: await openArchive(path, name, options), compresses: false };
  const { openOciArchiveWriter, openOciDirectoryWriter } = await import('../../storage/transport/oci-layout-writer.ts');
  const destination = transport === 'oci' ? openOciDirectoryWriter(path, name) : openOciArchiveWriter(path, name, stagingDirectory(engine));
  return { destination, compresses: true };
}

/** What trying again would not mend. Throws as openDestination, and touches nothing. */
export async function checkDestination(engine: Engine, text: string): Promise<void> {
  if (parseFileSource(text) === undefined) await findTarget(engine, text);
}

async function openArchive(path: string, name: string | undefined, options: DestinationOptions): Promise<ImageDestination> {
  const { openDockerArchiveWriter } = await import('../../storage/transport/docker-archive-writer.ts');
  const names = [name, options.name].filter((one) => one !== undefined).map((one) => withDefaultTag(parseReference(one)));
  return openDockerArchiveWriter(
    path,
    names.filter(({ digest }) => digest === undefined),
  );
}

async function openRegistry(engine: Engine, text: string, options: DestinationOptions): Promise<OpenedDestination> {
  const [{ openRegistryDestination }, { openAccess }, { reference, insecure }] = await Promise.all([
    import('../../storage/registry/destination.ts'),
    import('./access.ts'),
    findTarget(engine, text),
  ]);
  const { credentials, certificates, tlsVerify } = await openAccess(engine, options);
  const destination = openRegistryDestination(reference, {
    credentials,
    certificates,
    tlsVerify: tlsVerify ?? (insecure ? false : undefined),
  });
  return {
    destination,
    repository: repositoryOf(reference),
    compresses: true,
    ...(reference.digest === undefined ? {} : { digest: reference.digest }),
  };
}

interface Target {
  readonly reference: Reference;
  readonly insecure: boolean;
}

/** Mirrors and other locations are for pulling: what is pushed goes where it is named. */
async function findTarget(engine: Engine, text: string): Promise<Target> {
  const reference = withDefaultTag(parseReference(text.replace(/^docker:\/\//, '')));
  const [{ findRegistry }, conf] = await Promise.all([import('../../storage/registries.ts'), registriesConf(engine)]);
  const entry = findRegistry(conf, formatReference(reference));
  if (entry?.blocked) throw new EngineError('REGISTRY_ERROR', `registry ${entry.prefix} is blocked in ${conf.file} or ${conf.file}.d`);
  return { reference, insecure: entry?.insecure === true };
}

/** A path may hold no colon: what follows the first is a name. */
function splitName(rest: string, text: string): { path: string; name?: string } {
  const colon = rest.indexOf(':');
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (path === '') throw new EngineError('INVALID_REFERENCE', `Invalid image name ${JSON.stringify(text)}: no path given`);
  return colon === -1 || colon === rest.length - 1 ? { path } : { path, name: rest.slice(colon + 1) };
}
