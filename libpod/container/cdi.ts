/**
 * Devices of the Container Device Interface (github.com/cncf-tags/container-device-interface, SPEC.md): what vendors describe in files of
 * /etc/cdi and /var/run/cdi becomes device nodes, mounts, variables and hooks of a container.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { log } from '../../core/log.ts';
import type { CdiEdits, HostDevice, ResolvedMount } from '../spec/container.ts';
import type { OciHook } from '../spec/oci-types.ts';
import { askedDevices } from './devices.ts';

export interface CdiDevices {
  readonly edits: CdiEdits;
  readonly devices: readonly HostDevice[];
  readonly mounts: readonly ResolvedMount[];
}

interface ContainerEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly { readonly path: string; readonly hostPath?: string; readonly permissions?: string }[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
    readonly type?: string;
  }[];
  readonly hooks?: readonly (OciHook & { readonly hookName: string })[];
  readonly additionalGids?: readonly number[];
  readonly intelRdt?: { readonly closID?: string };
}

interface Spec {
  readonly path: string;
  readonly kind: string;
  readonly devices: readonly { readonly name: string; readonly containerEdits?: ContainerEdits }[];
  readonly containerEdits?: ContainerEdits;
}

/**
 * `vendor.com/class=name`, each as often as it is named. Edits of a file are made once, before those of its first device.
 * Throws INVALID_ARGUMENT: nobody describes the device, or a node that it names is not there.
 */
export async function resolveCdiDevices(names: readonly string[], directories: readonly string[]): Promise<CdiDevices> {
  const specs = await readSpecs(directories);
  const found = names.map((name) => ({ name, ...describe(name, specs) }));
  const unknown = found.filter(({ device }) => device === undefined).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new EngineError('INVALID_ARGUMENT', `setting up CDI devices: unresolvable CDI devices ${unknown.join(', ')}`, {
      hint: `Devices are described by JSON and YAML files in ${directories.join(' and ')}.`,
    });
  }
  const whole = [...new Set(found.map(({ spec }) => spec))].map((spec) => spec?.containerEdits);
  return carriedOut([...found.map(({ device }) => device?.containerEdits), ...whole].filter((edits) => edits !== undefined));
}

function describe(name: string, specs: readonly Spec[]): { spec?: Spec; device?: Spec['devices'][number] } {
  const [kind, device] = name.split('=', 2);
  for (const spec of specs.filter((one) => one.kind === kind)) {
    const described = spec.devices.find((one) => one.name === device);
    if (described) return { spec, device: described };
  }
  return {};
}

/** Those of the last directory first, which wins; a file that cannot be read is passed over with a warning, as others may do. */
async function readSpecs(directories: readonly string[]): Promise<readonly Spec[]> {
  const specs: Spec[] = [];
  for (const directory of directories.toReversed()) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory).toSorted()) {
      if (!/\.(?:json|yaml)$/.test(name)) continue;
      const path = join(directory, name);
      try {
        specs.push(parseSpec(await parseDocument(readFileSync(path, 'utf8'), name), path));
      } catch (error) {
        log.warn(`CDI: ${path}: ${(error as Error).message.split('\n')[0]}`);
      }
    }
  }
  return specs;
}

async function parseDocument(text: string, name: string): Promise<unknown> {
  if (name.endsWith('.json')) return JSON.parse(text);
  const { parse } = await import('yaml');
  return parse(text);
}

function parseSpec(document: unknown, path: string): Spec {
  const spec = asObject(document, 'the document');
  const { kind, devices, containerEdits } = spec;
  if (typeof kind !== 'string' || !kind.includes('/')) throw new Error('kind must be VENDOR/CLASS');
  if (!Array.isArray(devices)) throw new Error('devices must be a list');
  for (const [index, device] of devices.entries()) {
    const { name, containerEdits: edits } = asObject(device, `devices[${index}]`);
    if (typeof name !== 'string') throw new Error(`devices[${index}].name must be a string`);
    checkEdits(edits, `devices[${index}].containerEdits`);
  }
  checkEdits(containerEdits, 'containerEdits');
  return { ...(spec as unknown as Omit<Spec, 'path'>), path };
}

/** The lists that are gone through, and the words that end up in an OCI configuration. */
function checkEdits(edits: unknown, where: string): void {
  if (edits === undefined || edits === null) return;
  const { env, deviceNodes, mounts, hooks } = asObject(edits, where);
  const texts = (list: unknown, name: string, keys: readonly string[]): void => {
    if (list === undefined) return;
    if (!Array.isArray(list)) throw new Error(`${where}.${name} must be a list`);
    for (const entry of list) {
      const values = keys.length === 0 ? [entry] : keys.map((key) => asObject(entry, `${where}.${name}`)[key]);
      if (values.some((value) => typeof value !== 'string'))
        throw new Error(`${where}.${name} must have ${keys.join(' and ') || 'strings'}`);
    }
  };
  texts(env, 'env', []);
  texts(deviceNodes, 'deviceNodes', ['path']);
  texts(mounts, 'mounts', ['hostPath', 'containerPath']);
  texts(hooks, 'hooks', ['hookName', 'path']);
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new Error(`${what} must be an object`);
}

function carriedOut(all: readonly ContainerEdits[]): CdiDevices {
  const hooks: Record<string, OciHook[]> = {};
  for (const { hookName, ...hook } of all.flatMap((edits) => edits.hooks ?? [])) (hooks[hookName] ??= []).push(hook);
  const rdtClass = all.find((edits) => edits.intelRdt?.closID !== undefined)?.intelRdt?.closID;
  const devices = new Map<string, HostDevice>();
  for (const node of all.flatMap((edits) => edits.deviceNodes ?? [])) {
    const wish = { hostPath: node.hostPath ?? node.path, containerPath: node.path, access: node.permissions ?? 'rwm' };
    for (const device of askedDevices(wish)) devices.set(device.path, device);
  }
  return {
    devices: [...devices.values()],
    mounts: all.flatMap((edits) => edits.mounts ?? []).map(mountOf),
    edits: {
      env: all.flatMap((edits) => edits.env ?? []).map(splitVariable),
      hooks,
      additionalGids: [...new Set(all.flatMap((edits) => edits.additionalGids ?? []))].filter((gid) => gid !== 0),
      ...(rdtClass === undefined ? {} : { rdtClass }),
    },
  };
}

function mountOf({ hostPath, containerPath, options = [], type }: NonNullable<ContainerEdits['mounts']>[number]): ResolvedMount {
  if (type === 'tmpfs') return { type, source: 'tmpfs', target: containerPath, options };
  if (!statSync(hostPath, { throwIfNoEntry: false })) {
    throw new EngineError('INVALID_ARGUMENT', `setting up CDI devices: statfs ${hostPath}: no such file or directory`);
  }
  const isBind = options.some((option) => option === 'bind' || option === 'rbind');
  return { type: 'bind', source: hostPath, target: containerPath, options: isBind ? options : ['rbind', ...options] };
}

function splitVariable(text: string): readonly [key: string, value: string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
