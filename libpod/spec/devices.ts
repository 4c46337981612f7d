/**
 * Devices of a container (config-linux.md#devices). mknod(2) of a device is refused in a user namespace, so a rootless container gets
 * the host's node bound into its /dev; only root has nodes made.
 */
import type { ContainerConfig, HostDevice, StartFacts } from './container.ts';
import type { OciDevice, OciMount, OciResources } from './oci-types.ts';

type Rules = NonNullable<OciResources['devices']>;

export interface Devices {
  readonly mounts: readonly OciMount[];
  readonly nodes: readonly OciDevice[];
  readonly rules: Rules | undefined;
}

export function devices(config: ContainerConfig, facts: Pick<StartFacts, 'rootless' | 'devices' | 'deviceRules'>): Devices {
  if (facts.rootless) {
    return { mounts: facts.devices.map(bound), nodes: [], rules: config.privileged ? undefined : [{ allow: false, access: 'rwm' }] };
  }
  return {
    mounts: [],
    nodes: facts.devices.map(node),
    rules: facts.deviceRules ? rules(config, facts.devices) : undefined,
  };
}

/**
 * Whether a privileged container gets the device at this path of the host's /dev. The runtime makes the terminal's nodes itself, and a
 * systemd inside would start a login on each /dev/ttyN.
 */
export function isPrivilegedDevice(path: string, systemd: boolean): boolean {
  if (/^\/dev\/(?:console|tty|ptmx)$/.test(path) || /^\/dev\/(?:pts|shm|fd|mqueue|\.lxc|\.lxd-mounts|\.udev)\//.test(path)) return false;
  return !(systemd && /^\/dev\/tty\d+$/.test(path));
}

function bound(device: HostDevice): OciMount {
  return {
    destination: device.path,
    type: 'bind',
    source: device.hostPath,
    options: ['slave', 'nosuid', 'noexec', device.access.includes('w') ? 'rw' : 'ro', 'rbind'],
  };
}

function rules(config: ContainerConfig, asked: readonly HostDevice[]): Rules {
  return config.privileged
    ? [{ allow: true, access: 'rwm' }]
    : [{ allow: false, access: 'rwm' }, ...asked.map(rule), ...(config.deviceRules ?? []).map((own) => ({ allow: true, ...own }))];
}

function node({ path, type, major, minor, fileMode, uid, gid }: HostDevice): OciDevice {
  return { path, type, major, minor, fileMode, uid, gid };
}

function rule({ type, major, minor, access }: HostDevice): Rules[number] {
  return { allow: true, type, major, minor, access };
}
