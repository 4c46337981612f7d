/**
 * Seccomp profiles: the format of containers/common's seccomp.json, whose rules depend on capabilities, architecture and kernel,
 * made into the plain filter of an OCI configuration (config-linux.md#seccomp).
 */
import { EngineError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import type { OciSeccomp, OciSyscallArgument, OciSyscallRule } from './oci-types.ts';

/** What the rules of a profile ask about. */
export interface SeccompFacts {
  /** The bounding set. */
  readonly capabilities: readonly string[];
  /** `process.arch`: x64, arm64 … */
  readonly arch: string;
  /** `os.release()`: 6.1.0-13-amd64 */
  readonly kernel: string;
}

/** The built-in profile, read when first needed (see NOTICE for where it is from). */
export async function defaultSeccompProfile(): Promise<unknown> {
  const { default: profile } = await import('./seccomp-default.json', { with: { type: 'json' } });
  builtIn = profile;
  return profile;
}

/** Our own file needs no checking; that is half the time of a filter, and almost every start makes one. */
let builtIn: unknown;

/**
 * The filter that a profile means for these capabilities and this machine. `path` names the profile in errors.
 * Throws INVALID_ARGUMENT where the document is no profile: a filter that cannot be read is never replaced by none.
 */
export function seccompFilter(document: unknown, path: string, facts: SeccompFacts): OciSeccomp {
  const profile = document === builtIn ? (document as Profile) : checkProfile(document, path);
  const native = ARCHITECTURES[facts.arch];
  const architectures = profile.architectures ?? archMapped(profile.archMap, native?.seccomp);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length > 0 && { architectures }),
    ...(profile.flags !== undefined && { flags: profile.flags }),
    ...(profile.listenerPath !== undefined && { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata !== undefined && { listenerMetadata: profile.listenerMetadata }),
    syscalls: profile.syscalls.filter((rule) => applies(rule, native?.go, facts)).map(plainRule),
  };
}

/** Names of an architecture in Go (which profiles use) and in libseccomp. */
const ARCHITECTURES: Readonly<Record<string, { readonly go: string; readonly seccomp: string }>> = {
  x64: { go: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  ia32: { go: '386', seccomp: 'SCMP_ARCH_X86' },
  arm64: { go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
  arm: { go: 'arm', seccomp: 'SCMP_ARCH_ARM' },
  ppc64: { go: 'ppc64le', seccomp: 'SCMP_ARCH_PPC64LE' },
  s390x: { go: 's390x', seccomp: 'SCMP_ARCH_S390X' },
  riscv64: { go: 'riscv64', seccomp: 'SCMP_ARCH_RISCV64' },
};

interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly ArchMapEntry[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly ProfileRule[];
}

interface ArchMapEntry {
  readonly architecture: string;
  readonly subArchitectures?: readonly string[];
}

interface ProfileRule {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly OciSyscallArgument[] | null;
  readonly includes?: Conditions;
  readonly excludes?: Conditions;
}

interface Conditions {
  readonly arches?: readonly string[];
  readonly caps?: readonly string[];
  readonly minKernel?: string;
}

function archMapped(entries: readonly ArchMapEntry[] | undefined, native: string | undefined): readonly string[] {
  const entry = entries?.find(({ architecture }) => architecture === native);
  return entry ? [entry.architecture, ...(entry.subArchitectures ?? [])] : [];
}

/** `includes`: of each kind of condition at least one (arches), all (caps) must hold; `excludes`: none may. */
function applies({ includes, excludes }: ProfileRule, goArch: string | undefined, facts: SeccompFacts): boolean {
  const isHere = (arch: string): boolean => arch === goArch;
  const isHeld = (capability: string): boolean => facts.capabilities.includes(capability);
  if (excludes?.arches?.some(isHere) || excludes?.caps?.some(isHeld)) return false;
  if (excludes?.minKernel !== undefined && isKernelAtLeast(facts.kernel, excludes.minKernel)) return false;
  if (includes?.arches && includes.arches.length > 0 && !includes.arches.some(isHere)) return false;
  if (includes?.caps && !includes.caps.every(isHeld)) return false;
  return includes?.minKernel === undefined || isKernelAtLeast(facts.kernel, includes.minKernel);
}

function plainRule({ name, names, action, errnoRet, args }: ProfileRule): OciSyscallRule {
  return {
    names: names && names.length > 0 ? names : [name ?? ''],
    action,
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args && args.length > 0 && { args }),
  };
}

function isKernelAtLeast(release: string, minimum: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = minimum.split('.').map((part) => Number.parseInt(part, 10));
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function checkProfile(document: unknown, path: string): Profile {
  const wrong = (what: string): EngineError =>
    new EngineError('INVALID_ARGUMENT', `loading seccomp profile (${path}) failed: ${what}`, { exitCode: 125 });
  if (!isRecord(document)) throw wrong('decoding seccomp profile failed: the document is no object');
  if (!isAction(document['defaultAction'])) throw wrong('defaultAction is missing or unknown');
  const { architectures, archMap, syscalls = [] } = document;
  if (isFilled(architectures) && isFilled(archMap)) {
    throw wrong("'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'");
  }
  if (!Array.isArray(syscalls)) throw wrong('syscalls is no list');
  for (const [index, rule] of syscalls.entries()) {
    const fault = ruleFault(rule);
    if (fault !== undefined) throw wrong(`syscalls[${index}]: ${fault}`);
  }
  for (const list of ['architectures', 'flags'] as const) {
    if (document[list] !== undefined && document[list] !== null && !isStrings(document[list])) throw wrong(`${list} is no list of strings`);
  }
  // An empty list of architectures means the same as none: archMap decides.
  const { architectures: _, ...rest } = document;
  return { ...rest, ...(isFilled(architectures) && { architectures }), syscalls } as unknown as Profile;
}

function ruleFault(rule: unknown): string | undefined {
  if (!isRecord(rule)) return 'no object';
  const { name, names, args, includes, excludes } = rule;
  if (typeof name === 'string' && name !== '' && isFilled(names)) {
    return "'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'";
  }
  if (!(typeof name === 'string' && name !== '') && !(isStrings(names) && names.length > 0)) return 'names no system call';
  if (!isAction(rule['action'])) return 'action is missing or unknown';
  if (args !== undefined && args !== null && !(Array.isArray(args) && args.every(isArgument))) return 'args is malformed';
  if (![includes, excludes].every((conditions) => conditions === undefined || conditions === null || isConditions(conditions))) {
    return 'includes or excludes is malformed';
  }
  return undefined;
}

function isConditions(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return [value['arches'], value['caps']].every((list) => list === undefined || list === null || isStrings(list));
}

function isArgument(value: unknown): boolean {
  return isRecord(value) && typeof value['index'] === 'number' && typeof value['value'] === 'number' && typeof value['op'] === 'string';
}

function isAction(value: unknown): boolean {
  return typeof value === 'string' && /^SCMP_ACT_[A-Z_]+$/.test(value);
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
