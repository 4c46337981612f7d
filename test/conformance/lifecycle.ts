/** Of one container from create to delete: runtime.md, and the hooks of config.md. */
import { expect } from 'vitest';
import type { CommandResult } from '../host/host.ts';
import { logged, type Bench } from './bench.ts';
import { configFor, DEV, PROC } from './config.ts';
import { requirement, type Deviations, type Requirement } from './requirement.ts';

const ID = 'life';
const KINDS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
type Kind = (typeof KINDS)[number];

type State = Readonly<Record<string, unknown>> | undefined;

/** What came of each step, in the order of the steps. */
interface Life {
  readonly bundle: string;
  readonly cgroup: string;
  readonly created: { readonly result: CommandResult; readonly state: State; readonly order: readonly string[]; readonly cgroup: string };
  /** A second create under the same id. */
  readonly again: CommandResult;
  readonly killedNever: CommandResult;
  readonly started: { readonly result: CommandResult; readonly order: readonly string[]; readonly state: State };
  readonly startedAgain: CommandResult;
  readonly deletedEarly: { readonly result: CommandResult; readonly state: State };
  readonly killed: { readonly result: CommandResult; readonly state: State; readonly log: readonly string[] };
  readonly startedStopped: CommandResult;
  readonly killedStopped: CommandResult;
  readonly deleted: { readonly result: CommandResult; readonly state: State; readonly order: readonly string[]; readonly left: string };
  readonly reused: { readonly result: CommandResult; readonly killed: CommandResult; readonly state: State };
  /** What each kind of hook was given and saw. */
  readonly hooks: Readonly<
    Record<Kind, { readonly state: Readonly<Record<string, unknown>>; readonly namespace: string; readonly words: string }>
  >;
  readonly namespaces: { readonly runtime: string; readonly container: string };
}

async function live(bench: Bench): Promise<Life> {
  const { host } = bench;
  const log = `${bench.home}/log`;
  await host.run(['mkdir', '-p', log]);
  const lines = async (name: string) => (await logged(bench, `${log}/${name}`)).split('\n').filter((line) => line !== '');
  const config = lifeConfig(bench, log);
  const bundle = await bench.bundle(config);
  const killedNever = await bench.call(['kill', ID, 'KILL']);

  const result = await bench.create(ID, bundle);
  const state = await bench.state(ID);
  const cgroup = (await bench.inside(['cat', `/proc/${String(state?.['pid'])}/cgroup`])).stdout;
  const created = { result, state, order: await lines('order'), cgroup };
  const again = await bench.create(ID, bundle);
  const changed = { ...config, process: { ...config.process, args: ['sh', '-c', 'echo changed >> /log/order'] } };
  await host.writeFile(`${bundle}/config.json`, JSON.stringify(changed));
  const started = { result: await bench.call(['start', ID]), order: await lines('order'), state: await bench.reaches(ID, 'running') };
  const runtime = (await bench.inside(['readlink', '/proc/self/ns/mnt'])).stdout.trim();
  const startedAgain = await bench.call(['start', ID]);
  const deletedEarly = { result: await bench.call(['delete', ID]), state: await bench.state(ID) };
  // Before that it has no answer to the signal.
  await expect.poll(() => lines('order')).toContain('program');
  const killed = { result: await bench.call(['kill', ID, 'TERM']), state: await bench.reaches(ID, 'stopped'), log: await lines('order') };
  const startedStopped = await bench.call(['start', ID]);
  const killedStopped = await bench.call(['kill', ID, 'KILL']);
  const deleted = {
    result: await bench.call(['delete', ID]),
    state: await bench.state(ID),
    order: await lines('order'),
    left: await bench.script(
      `ls -d /sys/fs/cgroup${bench.cgroupOf(ID)} ${host.user.runtimeDir}/oci/${ID} 2>/dev/null; ls -d ${bundle}; exit 0`,
    ),
  };
  const hooks = await Promise.all(KINDS.map(async (kind) => [kind, await hookLog(bench, log, kind)] as const));
  const [container = ''] = await lines('namespace');
  await host.writeFile(`${bundle}/config.json`, JSON.stringify({ ...config, hooks: {} }));
  const reused = {
    result: await bench.create(ID, bundle),
    killed: await bench.call(['kill', ID, 'KILL']),
    state: await bench.reaches(ID, 'stopped'),
  };
  await bench.call(['delete', '--force', ID]);
  return {
    bundle,
    cgroup: bench.cgroupOf(ID),
    created,
    again,
    killedNever,
    started,
    startedAgain,
    deletedEarly,
    killed,
    startedStopped,
    killedStopped,
    deleted,
    reused,
    hooks: Object.fromEntries(hooks) as Life['hooks'],
    namespaces: { runtime, container },
  };
}

const PROGRAM = `trap 'echo signalled >> /log/order; exit 3' TERM
readlink /proc/self/ns/mnt > /log/namespace; echo program >> /log/order
while :; do sleep 0.05; done`;

function lifeConfig(bench: Bench, log: string) {
  const hook = (kind: Kind, name: string, directory: string) => ({
    path: kind === 'startContainer' ? '/bin/busybox' : '/bin/sh',
    args: ['sh', '-c', hookScript(name, directory), 'zero', 'one'],
    env: ['PATH=/bin:/usr/bin', `WORD=of ${kind}`],
  });
  const hooks = KINDS.map((kind) => {
    const directory = kind === 'startContainer' ? '/log' : log;
    return [kind, [hook(kind, kind, directory), hook(kind, `${kind}-second`, directory)]] as const;
  });
  return configFor(bench, ID, PROGRAM, {
    root: { path: '../rootfs' },
    mounts: [PROC, DEV, { destination: '/log', type: 'none', source: log, options: ['bind'] }],
    annotations: { 'org.example.note': 'kept' },
    hooks: Object.fromEntries(hooks),
  });
}

function hookScript(name: string, directory: string): string {
  return `cat > ${directory}/${name}.state; readlink /proc/self/ns/mnt > ${directory}/${name}.namespace; echo "$0 $1 $WORD" > ${directory}/${name}.words; echo ${name} >> ${directory}/order`;
}

async function hookLog(bench: Bench, log: string, kind: Kind): Promise<Life['hooks'][Kind]> {
  const text = async (name: string) => (await logged(bench, `${log}/${kind}.${name}`)).trim();
  return {
    state: JSON.parse((await text('state')) || '{}') as Record<string, unknown>,
    namespace: await text('namespace'),
    words: await text('words'),
  };
}

const rows: Requirement[] = [];
function row(section: string, must: string, check: (life: Life) => void, deviations: Deviations = {}): void {
  rows.push(requirement(section, must, async (bench) => check(await bench.once(live)), deviations));
}
const known = (does: string, check: (life: Life) => void) => ({ does, holds: async (bench: Bench) => check(await bench.once(live)) });
const fails = ({ exitCode, stderr }: CommandResult): void => {
  expect(exitCode).not.toBe(0);
  expect(stderr).not.toBe('');
};
const before = (order: readonly string[], ...names: readonly string[]): void => {
  expect(order.filter((name) => names.includes(name))).toEqual(names);
};

row('runtime.md#create', 'a container is created from a bundle under an id', ({ created }) =>
  expect(created.result).toMatchObject({ exitCode: 0, stderr: '' }),
);
row('runtime.md#create', 'the program does not run before start', ({ created }) => expect(created.order).not.toContain('program'));
row('runtime.md#create', 'an id that is taken is an error, and the container under it stays', ({ again, started }) => {
  fails(again);
  expect(started.result.exitCode).toBe(0);
});
row('runtime.md#state', 'the state has ociVersion, id, status, pid and the absolute path of the bundle', ({ created, bundle }) => {
  expect(created.state).toMatchObject({ ociVersion: expect.stringMatching(/^1\./), id: ID, status: 'created', bundle });
  expect(created.state?.['pid']).toBeGreaterThan(1);
});
row('config.md#root', 'the path of the root may be relative to the bundle', ({ created }) => expect(created.result.exitCode).toBe(0));
row('config-linux.md#cgroups-path', 'the container is in the cgroup that cgroupsPath names, below the mount point', ({ created, cgroup }) =>
  expect(created.cgroup).toContain(`0::${cgroup}\n`),
);
row('runtime.md#state', 'the state has the annotations', ({ created }) =>
  expect(created.state?.['annotations']).toEqual({ 'org.example.note': 'kept' }),
);
row('runtime.md#state', 'the status goes from created to running and stopped', ({ created, started, killed }) => {
  expect([created.state?.['status'], started.state?.['status'], killed.state?.['status']]).toEqual(['created', 'running', 'stopped']);
});
row('runtime.md#lifecycle', 'config.json can change after create without effect', ({ killed }) => {
  expect(killed.log).toContain('program');
  expect(killed.log).not.toContain('changed');
});
row('runtime.md#start', 'start runs the program', ({ started, killed }) => {
  expect(started.result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(killed.log.filter((line) => line === 'program')).toHaveLength(1);
});
row(
  'runtime.md#start',
  'start of a container that is not created is an error without effect',
  ({ startedAgain, startedStopped, killed }) => {
    fails(startedAgain);
    fails(startedStopped);
    expect(killed.log.filter((line) => line === 'program')).toHaveLength(1);
  },
);
row('runtime.md#kill', 'kill sends the signal to the process of the container', ({ killed }) => {
  expect(killed.result.exitCode).toBe(0);
  expect(killed.log).toContain('signalled');
});
row('runtime.md#kill', 'kill sends the signal to a container that is created, too', ({ reused }) => {
  expect(reused.killed.exitCode).toBe(0);
  expect(reused.state).toMatchObject({ status: 'stopped' });
});
row('runtime.md#kill', 'kill of a container that neither runs nor is created is an error', ({ killedNever, killedStopped }) => {
  fails(killedNever);
  fails(killedStopped);
});
row('runtime.md#delete', 'delete of a container that is not stopped is an error without effect', ({ deletedEarly }) => {
  fails(deletedEarly.result);
  expect(deletedEarly.state).toMatchObject({ status: 'running' });
});
row('runtime.md#delete', 'delete removes what create made, and nothing else', ({ deleted, bundle }) => {
  expect(deleted.result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(deleted.left).toBe(`${bundle}\n`);
});
row('runtime.md#delete', 'the state of a container that is deleted is an error', ({ deleted }) => expect(deleted.state).toBeUndefined());
row('runtime.md#delete', 'the id can be used again', ({ reused }) => expect(reused.result).toMatchObject({ exitCode: 0, stderr: '' }));

row('runtime.md#lifecycle', 'prestart, createRuntime and createContainer hooks run in this order during create', ({ created }) => {
  expect(created.order.filter((name) => !name.endsWith('-second'))).toEqual(['prestart', 'createRuntime', 'createContainer']);
});
row('runtime.md#lifecycle', 'startContainer hooks run during start, before the program', ({ killed }) =>
  before(killed.log, 'createContainer', 'startContainer', 'program'),
);
row('runtime.md#lifecycle', 'poststart hooks run before start is over', ({ started }) => expect(started.order).toContain('poststart'));
row('runtime.md#lifecycle', 'poststop hooks run after the container is deleted, before delete is over', ({ killed, deleted }) => {
  expect(killed.log).not.toContain('poststop');
  expect(deleted.order).toContain('poststop');
});
for (const kind of KINDS) {
  row('config.md#posix-platform-hooks', `${kind} hooks run in the order of the list`, ({ deleted }) =>
    before(deleted.order, kind, `${kind}-second`),
  );
  row('config.md#posix-platform-hooks', `${kind} hooks read the state on stdin`, ({ hooks }) => {
    const annotations = { 'org.example.note': 'kept' };
    expect(hooks[kind].state).toMatchObject({ ociVersion: expect.any(String), id: ID, status: expect.any(String), annotations });
  });
  row(
    'config.md#posix-platform-hooks',
    `the state for ${kind} hooks names the bundle`,
    ({ hooks, bundle }) => expect(hooks[kind].state['bundle']).toBe(bundle),
    kind === 'startContainer'
      ? { crun: known('says /, the root of the container', ({ hooks }) => expect(hooks[kind].state['bundle']).toBe('/')) }
      : {},
  );
  row('config.md#posix-platform-hooks', `${kind} hooks have their args and env`, ({ hooks }) =>
    expect(hooks[kind].words).toBe(`zero one of ${kind}`),
  );
  const inContainer = kind === 'createContainer' || kind === 'startContainer';
  row(
    'config.md#posix-platform-hooks',
    `${kind} hooks run in the namespaces of the ${inContainer ? 'container' : 'runtime'}`,
    ({ hooks, namespaces }) => {
      expect(hooks[kind].namespace).toMatch(/^mnt:/);
      expect(hooks[kind].namespace).toBe(inContainer ? namespaces.container : namespaces.runtime);
    },
  );
}
row('config.md#posix-platform-hooks', 'the state of a poststart hook is running, that of a poststop hook stopped', ({ hooks }) => {
  expect([hooks.poststart.state['status'], hooks.poststop.state['status']]).toEqual(['running', 'stopped']);
});

export const LIFECYCLE = rows;
