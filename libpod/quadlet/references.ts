/** Values that name other Quadlet files: the resource takes the place of the file, and the unit comes after that of the file. */
import { join } from 'node:path';
import { parseCsvLine } from '../../core/csv.ts';
import { QuadletError, type Source } from './source.ts';
import type { Service } from './service.ts';

/** How a network, a volume, an image, a pod or a container is called in commands. Throws QuadletError where only systemd will know. */
export function resourceName(source: Source): string {
  switch (source.kind) {
    case 'image':
      return source.text('ImageTag') ?? source.text('Image') ?? '';
    case 'build':
      return source.values('ImageTag')[0] ?? '';
    case 'container': {
      const name = source.text('ContainerName');
      if (source.isTemplate || name?.includes('%')) throw new QuadletError(`cannot get the resource name of ${source.file}`);
      return name ?? `systemd-${source.service}`;
    }
    case 'pod':
      return source.text('PodName') ?? `systemd-${source.stem}`;
    default: {
      const [, stem = '', instance] = /^([^@]*)(@)?/s.exec(source.stem) ?? [];
      return source.text(NAME_KEYS[source.kind] ?? '') ?? `systemd-${stem}${instance === undefined ? '' : '-%i'}`;
    }
  }
}

const NAME_KEYS: Partial<Readonly<Record<string, string>>> = { network: 'NetworkName', volume: 'VolumeName' };

/** Throws QuadletError. */
export function imageName(service: Service, key = 'Image'): string {
  const { source } = service;
  const name = source.text(key) ?? '';
  if (name.endsWith('.image') || name.endsWith('.build')) {
    return resourceName(service.require(name, key, `requested Quadlet image ${name} was not found`));
  }
  if (!isFullyQualified(name)) {
    const words = `${source.file} specifies the image "${name}" which not a fully qualified image name. This is not ideal for performance and security reasons. See the podman-pull manpage discussion of short-name-aliases.conf for details.`;
    source.warn(words, source.unit.last(source.group, key), `Write the registry in front: docker.io/library/${name}`);
  }
  return name;
}

/** An id, an archive with its transport, or a name with its registry. */
function isFullyQualified(name: string): boolean {
  if (
    /^(?:sha256:)?[\da-f]{64}$/.test(name) ||
    /^(?:docker-archive|oci-archive|docker-daemon|containers-storage|dir|docker|oci):/.test(name)
  )
    return true;
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  return slash > 0 && (first === 'localhost' || /[.:]/.test(first));
}

/** Throws QuadletError. */
export function networkFlags(service: Service): string[] {
  const { source } = service;
  return source.values('Network').flatMap((value) => {
    if (value === '') return [];
    const [, name = '', options] = /^([^:]*)(:.*)?$/s.exec(value) ?? [];
    if (!name.endsWith('.network') && !name.endsWith('.container')) return ['--network', value];
    const found = service.require(name, 'Network', `requested Quadlet unit ${name} was not found`);
    if (found.kind === 'network') return ['--network', resourceName(found) + (options ?? '')];
    if (options !== undefined) return source.fail("extra options are not supported when joining another container's network", 'Network');
    return ['--network', `container:${resourceName(found)}`];
  });
}

/** Throws QuadletError. */
export function volumeFlags(service: Service): string[] {
  return service.source.values('Volume').flatMap((value) => {
    const [first = '', ...rest] = value.split(':');
    if (rest.length === 0) return ['-v', value];
    const from = volumeSource(service, first, 'Volume');
    return ['-v', [...(from === '' ? [] : [from]), ...rest].join(':')];
  });
}

function volumeSource(service: Service, from: string, key: string): string {
  if (from.startsWith('.')) {
    const path = service.source.absolute(from);
    service.needPath(path);
    return path;
  }
  if (from.endsWith('.volume') || from.endsWith('.image')) {
    return resourceName(service.require(from, key, `requested Quadlet source ${from} was not found`));
  }
  service.needPath(from.startsWith('/') ? join(from) : from);
  return from;
}

const WITH_SOURCE = ['volume', 'bind', 'glob', 'image'];

/** Throws QuadletError. */
export function mountFlags(service: Service): string[] {
  return service.source.words('Mount').flatMap((word) => ['--mount', mountOf(service, word)]);
}

function mountOf(service: Service, word: string): string {
  const fields = parseFields(service, word);
  const named = (...names: readonly string[]): string | undefined => {
    const found = fields.find((field) => names.includes(field.split('=', 1)[0]!));
    return found?.slice(found.indexOf('=') + 1);
  };
  const type = named('type') ?? 'volume';
  if (!WITH_SOURCE.includes(type)) return word;
  const from = named('source', 'src') ?? '';
  if (from === '') return service.source.fail('source cannot be empty', 'Mount', 'Write type=TYPE,source=SOURCE,destination=PATH');
  const isReference =
    from.startsWith('.') ||
    from.startsWith('/') ||
    (type === 'volume' ? from.endsWith('.volume') : type === 'image' && from.endsWith('.image'));
  const source = isReference ? volumeSource(service, from, 'Mount') : from;
  const rest = fields.filter((field) => !['type', 'source', 'src'].includes(field.split('=', 1)[0]!));
  return [`type=${type}`, `source=${source}`, ...rest].map(quoteField).join(',');
}

function parseFields(service: Service, word: string): readonly string[] {
  try {
    return parseCsvLine(word);
  } catch (error) {
    return service.source.fail(`invalid Mount ${word}: ${(error as Error).message}`, 'Mount');
  }
}

function quoteField(field: string): string {
  return /[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** Paths of files of the machine, relative to the Quadlet file. */
export function fileFlags(source: Source, key: string, flag: string): string[] {
  return source.words(key).flatMap((path) => [flag, source.absolute(path)]);
}
