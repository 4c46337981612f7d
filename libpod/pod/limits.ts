/** Limits of a pod as files of a cgroup (the kernel's cgroup-v2.rst), and as properties of a slice (systemd.resource-control(5)). Pure. */
import type { OciResources, OciThrottle } from '../spec/oci-types.ts';

const DEFAULT_PERIOD_MICROS = 100_000;

/** Where a value has lines, each is to be written by itself: a write sets one device. */
export function cgroupFiles({ memory, cpu, blockIO }: OciResources): Readonly<Record<string, string>> {
  return filled({
    'memory.max': memory?.limit,
    'memory.swap.max': swapAlone(memory),
    'cpu.max': cpu?.quota === undefined ? undefined : `${cpu.quota} ${cpu.period ?? DEFAULT_PERIOD_MICROS}`,
    'cpu.weight': weight(cpu?.shares),
    'cpuset.cpus': cpu?.cpus,
    'cpuset.mems': cpu?.mems,
    'io.weight': weights(blockIO),
    'io.max': throttles(blockIO),
  });
}

export function sliceProperties({ memory, cpu, blockIO }: OciResources): readonly string[] {
  const device = ({ major, minor, rate }: OciThrottle): string => `/dev/block/${major}:${minor} ${rate}`;
  const files = filled({
    MemoryMax: memory?.limit,
    MemorySwapMax: swapAlone(memory) === 'max' ? 'infinity' : swapAlone(memory),
    CPUQuota: cpu?.quota === undefined ? undefined : `${(cpu.quota / (cpu.period ?? DEFAULT_PERIOD_MICROS)) * 100}%`,
    CPUWeight: weight(cpu?.shares),
    AllowedCPUs: cpu?.cpus,
    AllowedMemoryNodes: cpu?.mems,
    IOWeight: blockIO?.weight,
  });
  return [
    ...Object.entries(files).map(([name, value]) => `${name}=${value}`),
    ...(blockIO?.weightDevice ?? []).map((one) => `IODeviceWeight=/dev/block/${one.major}:${one.minor} ${one.weight}`),
    ...(blockIO?.throttleReadBpsDevice ?? []).map((one) => `IOReadBandwidthMax=${device(one)}`),
    ...(blockIO?.throttleWriteBpsDevice ?? []).map((one) => `IOWriteBandwidthMax=${device(one)}`),
  ];
}

/** OCI counts memory and swap together. */
function swapAlone(memory: OciResources['memory']): string | undefined {
  if (memory?.swap === undefined) return undefined;
  return memory.swap < 0 ? 'max' : String(Math.max(0, memory.swap - (memory.limit ?? 0)));
}

/** Shares are 2 to 262144, weights 1 to 10000. */
function weight(shares: number | undefined): number | undefined {
  if (shares === undefined || shares === 0) return undefined;
  return 1 + Math.floor(((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);
}

function weights(blockIO: OciResources['blockIO']): string | undefined {
  const lines = [
    ...(blockIO?.weight === undefined ? [] : [`default ${blockIO.weight}`]),
    ...(blockIO?.weightDevice ?? []).map((one) => `${one.major}:${one.minor} ${one.weight}`),
  ];
  return lines.length === 0 ? undefined : lines.join('\n');
}

function throttles(blockIO: OciResources['blockIO']): string | undefined {
  const limits = [
    ...(blockIO?.throttleReadBpsDevice ?? []).map((one) => ({ ...one, key: 'rbps' })),
    ...(blockIO?.throttleWriteBpsDevice ?? []).map((one) => ({ ...one, key: 'wbps' })),
  ];
  return limits.length === 0 ? undefined : limits.map(({ major, minor, key, rate }) => `${major}:${minor} ${key}=${rate}`).join('\n');
}

function filled(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])),
  );
}
