/** Configurations that a runtime must not take, where `create` is an error and leaves nothing behind (runtime.md#errors), and odd ones that it must. */
import { expect } from 'vitest';
import type { Bench, RuntimeName } from './bench.ts';
import { configFor, NAMESPACES, type Config } from './config.ts';
import { requirement, type Deviation, type Requirement } from './requirement.ts';

interface Odd {
  readonly section: string;
  readonly must: string;
  /** What is odd about the configuration; a string is the file itself, undefined no file at all. */
  readonly config: Config | string | undefined;
  readonly isRefused: boolean;
  /** Runtimes that do the opposite. */
  readonly opposite: Readonly<Partial<Record<RuntimeName, string>>>;
}

interface Outcome {
  readonly code: number;
  readonly said: string;
  /** What there is of it afterwards: `state`, where the runtime lists it, and `cgroup`. */
  readonly left: readonly string[];
}

const odds: Odd[] = [];
function refused(section: string, what: string, config: Odd['config'], opposite: Odd['opposite'] = {}): void {
  odds.push({ section, must: `refused: ${what}`, config, isRefused: true, opposite });
}
function taken(section: string, what: string, config: Odd['config'], opposite: Odd['opposite'] = {}): void {
  odds.push({ section, must: `taken: ${what}`, config, isRefused: false, opposite });
}

const CRUN_TAKES_IT = { crun: 'takes it' };
const linux = (members: object): Config => ({ linux: members });
const program = (members: object): Config => ({ process: members });
const namespaces = (...more: readonly object[]): Config => linux({ namespaces: [...NAMESPACES, ...more] });
const seccomp = (...syscalls: readonly object[]): Config => linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls } });
const hooks = (hook: object): Config => ({ hooks: { createRuntime: [hook] } });
const mount = (members: object): Config => ({ mounts: [members] });

refused('bundle.md', 'a bundle without config.json', undefined);
refused('config.md', 'a config.json that is no JSON', '{ "ociVersion": ');
refused('config.md#specification-version', 'a configuration without ociVersion', { ociVersion: undefined });
refused('config.md#specification-version', 'a version that is none', { ociVersion: 'first' });
refused('config.md#root', 'a root that is not there', { root: { path: 'no-such-root' } });
refused(
  'config.md#mounts',
  'a bind mount whose source is not there',
  mount({ destination: '/m', type: 'none', source: '/no/such', options: ['bind'] }),
);
refused('config.md#mounts', 'a file system that the kernel does not have', mount({ destination: '/m', type: 'nosuchfs', source: 'none' }));
refused('config.md#process', 'a cwd that is not absolute', program({ cwd: 'srv' }), CRUN_TAKES_IT);
refused('config.md#process', 'a program without args', program({ args: [] }));
refused('config.md#posix-process', 'an rlimit that is none', program({ rlimits: [{ type: 'RLIMIT_NONE', soft: 1, hard: 1 }] }));
refused(
  'config.md#posix-process',
  'two rlimits of one type',
  program({ rlimits: [1, 2].map((soft) => ({ type: 'RLIMIT_CORE', soft, hard: 9 })) }),
  CRUN_TAKES_IT,
);
refused('config.md#linux-process', 'an oomScoreAdj out of range', program({ oomScoreAdj: 5000 }));
refused('config.md#posix-platform-hooks', 'a hook whose path is not absolute', hooks({ path: 'bin/true' }));
refused('config.md#posix-platform-hooks', 'a hook that is not there', hooks({ path: '/no/such/hook' }));
refused('config.md#posix-platform-hooks', 'a hook with a timeout of zero', hooks({ path: '/bin/cat', timeout: 0 }), CRUN_TAKES_IT);
refused('config.md#annotations', 'an annotation whose key is empty', { annotations: { '': 'empty' } }, CRUN_TAKES_IT);
refused('config-linux.md#namespaces', 'a type of namespace that is none', namespaces({ type: 'none' }));
refused('config-linux.md#namespaces', 'a type of namespace that is listed twice', namespaces({ type: 'uts' }), CRUN_TAKES_IT);
refused(
  'config-linux.md#namespaces',
  'a path that is not there',
  linux({ namespaces: [{ type: 'mount' }, { type: 'uts', path: '/no/such/uts' }] }),
);
refused(
  'config-linux.md#namespaces',
  'a path of a namespace of another type',
  linux({ namespaces: [{ type: 'mount' }, { type: 'uts', path: '/proc/self/ns/ipc' }] }),
);
refused(
  'config-linux.md#namespaces',
  'a path that is not absolute',
  linux({ namespaces: [{ type: 'mount' }, { type: 'uts', path: 'proc/self/ns/uts' }] }),
);
refused(
  'config-linux.md#devices',
  'a device where there is a file of another kind',
  linux({ devices: [{ path: '/srv/masked-file', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 }] }),
);
refused('config-linux.md#unified', 'a file of a controller that is not there', linux({ resources: { unified: { 'nosuch.max': '1' } } }));
refused('config-linux.md#sysctl', 'a kernel parameter that is not there', linux({ sysctl: { 'net.ipv4.no_such_parameter': '1' } }));
refused(
  'config-linux.md#seccomp',
  'an errnoRet with an action that takes none',
  seccomp({ names: ['mkdir'], action: 'SCMP_ACT_LOG', errnoRet: 1 }),
);
refused('config-linux.md#seccomp', 'an action that is none', seccomp({ names: ['mkdir'], action: 'SCMP_ACT_NONE' }));
refused(
  'config-linux.md#seccomp',
  'an operator that is none',
  seccomp({ names: ['mkdir'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_NONE' }] }),
);
refused(
  'config-linux.md#seccomp',
  'a listener that is asked for without a socket for it',
  seccomp({ names: ['chown'], action: 'SCMP_ACT_NOTIFY' }),
  CRUN_TAKES_IT,
);
refused('config-linux.md#rootfs-mount-propagation', 'a propagation that is none', linux({ rootfsPropagation: 'none' }), CRUN_TAKES_IT);
refused('config-linux.md#personality', 'a domain that is none', linux({ personality: { domain: 'NONE' } }));

taken(
  'config.md#linux-mount-options',
  'the option nosymfollow',
  mount({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosymfollow'] }),
  { crun: 'refuses it' },
);
taken('config.md#linux-process', 'a capability that the kernel does not have', program({ capabilities: { bounding: ['CAP_NO_SUCH'] } }));
taken('config.md#annotations', 'an annotation that nobody knows', { annotations: { 'org.example.unknown': 'ignored' } });
taken('config.md#extensibility', 'a property that nobody knows', { unknownProperty: { kept: 'ignored' } });
taken(
  'config-linux.md#masked-paths',
  'a path that is not there',
  linux({ maskedPaths: ['/no/such/path'], readonlyPaths: ['/no/such/path'] }),
);
taken(
  'config-linux.md#seccomp',
  'a system call that the architecture does not have',
  seccomp({ names: ['no_such_call'], action: 'SCMP_ACT_ERRNO' }),
);

/** There are some fifty calls. */
const TRY_ALL_MS = 110_000;

const idOf = (index: number) => `odd-${index}`;

/** Every create, one after the other; then one look at what there is. */
async function tryAll(bench: Bench): Promise<readonly Outcome[]> {
  const ids = odds.map((_, index) => idOf(index));
  const bundles = await Promise.all(odds.map((odd, index) => bundleFor(bench, odd, ids[index]!)));
  const creates = ids.map((id, index) => {
    const said = `${bundles[index]}/said`;
    return `timeout 20 $RUNTIME create --bundle ${bundles[index]} ${id} < /dev/null > ${said} 2>&1; printf '%s\t%s\n' $? "$(tr '\n' ' ' < ${said})"`;
  });
  const look = `$RUNTIME list --quiet | tr '\n' ' '; echo; cd /sys/fs/cgroup${bench.cgroupOf('')} && echo *`;
  const lines = (await bench.script([...creates, look].join('\n'), { timeoutMs: TRY_ALL_MS })).trimEnd().split('\n');
  const [listed = [], cgroups = []] = lines.slice(-2).map((line) => line.split(' ').filter((word) => word !== ''));
  await bench.script(listed.map((id) => `$RUNTIME delete --force ${id}`).join('; '), { timeoutMs: TRY_ALL_MS });
  return ids.map((id, index) => {
    const [code, said = ''] = lines[index]!.split('\t');
    return { code: Number(code), said, left: [...(listed.includes(id) ? ['state'] : []), ...(cgroups.includes(id) ? ['cgroup'] : [])] };
  });
}

async function bundleFor(bench: Bench, { config }: Odd, id: string): Promise<string> {
  const bundle = await bench.bundle(typeof config === 'object' ? configFor(bench, id, 'exit 0', config) : {});
  if (typeof config === 'string') await bench.host.writeFile(`${bundle}/config.json`, config);
  if (config === undefined) await bench.host.run(['rm', `${bundle}/config.json`]);
  return bundle;
}

/** As timeout(1) says it. */
const TIMED_OUT = 124;
const isError = ({ code, said, left }: Outcome): boolean => code !== 0 && code !== TIMED_OUT && said !== '' && !left.includes('state');
const isContainer = ({ code, left }: Outcome): boolean => code === 0 && left.includes('state');

export const REFUSALS: readonly Requirement[] = [
  ...odds.map(({ section, must, isRefused, opposite }, index) => {
    const comesTo = (check: (outcome: Outcome) => boolean) => async (bench: Bench) =>
      expect((await bench.once(tryAll))[index]).toSatisfy(check);
    const deviation = (does: string): Deviation => ({ does, holds: comesTo(isRefused ? isContainer : isError) });
    const deviations = Object.entries(opposite).map(([name, does]) => [name, deviation(does)] as const);
    return requirement(section, must, comesTo(isRefused ? isError : isContainer), Object.fromEntries(deviations));
  }),
  requirement(
    'runtime.md#errors',
    'a create that fails leaves nothing behind',
    async (bench) => expect((await bench.once(tryAll)).filter((outcome) => isError(outcome) && outcome.left.length > 0)).toEqual([]),
    {
      crun: {
        does: 'leaves the cgroup',
        holds: async (bench) => {
          const left = (await bench.once(tryAll)).filter(isError).flatMap((outcome) => outcome.left);
          expect(new Set(left)).toEqual(new Set(['cgroup']));
        },
      },
    },
  ),
];
