/** The mounts of a container as inspect shows them: as a list, and as the words that would ask for them. */
import type { JsonObject } from '../../core/json.ts';
import type { ContainerConfig, ContainerMount } from '../spec/container.ts';
import { propagationOf, runtimeOptions } from '../spec/mount-options.ts';
import { sorted } from './sorted.ts';

/** Volumes first. A tmpfs is shown in HostConfig.Tmpfs only, an artifact nowhere. */
export function inspectedMounts(config: ContainerConfig, volumePath: (name: string) => string): JsonObject[] {
  return volumesFirst(config).map((mount) => {
    const options = runtimeOptions(mount.options);
    const propagation = propagationOf(options);
    const shown = {
      Destination: mount.target,
      Driver: mount.type === 'volume' ? 'local' : '',
      Mode: '',
      Options: mount.type === 'image' ? null : options.filter((option) => option !== 'ro' && option !== 'rw' && option !== propagation),
      RW: mount.type === 'image' ? mount.writable : !options.includes('ro'),
      Propagation: propagation,
    };
    if (mount.type === 'volume') return { Type: 'volume', Name: mount.name, Source: volumePath(mount.name), ...shown };
    const subpath = mount.type === 'image' && mount.subpath !== undefined ? { SubPath: mount.subpath } : {};
    return { Type: mount.type === 'image' ? 'image' : 'bind', Source: sourceOf(mount), ...shown, ...subpath };
  });
}

/** `source:target:options` */
export function binds(config: ContainerConfig): string[] {
  return volumesFirst(config)
    .filter(({ type }) => type !== 'image')
    .map((mount) => [sourceOf(mount), mount.target, ...[runtimeOptions(mount.options).join(',')].filter((text) => text !== '')].join(':'));
}

export function tmpfs(config: ContainerConfig): JsonObject {
  const entries = config.mounts
    .filter(({ type }) => type === 'tmpfs')
    .map((mount) => [mount.target, runtimeOptions(mount.options).join(',')]);
  return sorted(Object.fromEntries(entries) as Record<string, string>);
}

function volumesFirst({ mounts }: ContainerConfig): ContainerMount[] {
  const shown = mounts.filter(({ type }) => type !== 'tmpfs' && type !== 'artifact');
  return [...shown.filter(({ type }) => type === 'volume'), ...shown.filter(({ type }) => type !== 'volume')];
}

function sourceOf(mount: ContainerMount): string {
  if (mount.type === 'volume') return mount.name;
  return mount.type === 'bind' || mount.type === 'image' ? mount.source : mount.type;
}
