/** Operations that are asked for wrongly, and hooks that fail (runtime.md#operations, #lifecycle; config.md#posix-platform-hooks). */
import { expect } from 'vitest';
import type { CommandResult } from '../host/host.ts';
import { logged, type Bench } from './bench.ts';
import { configFor, DEV, PROC } from './config.ts';
import { requirement, type Deviation, type Requirement } from './requirement.ts';

const OPERATIONS = ['state', 'create', 'start', 'kill', 'delete'] as const;

const withoutId = OPERATIONS.map((operation) =>
  requirement(`runtime.md#${operation}`, `${operation} without an id is an error`, async (bench) => {
    const bundle = await bench.bundle(configFor(bench, 'unnamed', 'exit 0'));
    const { exitCode, stderr } = await bench.call(operation === 'create' ? ['create', '--bundle', bundle] : [operation]);
    expect(exitCode).not.toBe(0);
    expect(stderr).not.toBe('');
  }),
);

const withUnknownId = (['state', 'start', 'delete'] as const).map((operation) =>
  requirement(`runtime.md#${operation}`, `${operation} of a container that is not there is an error`, async (bench) => {
    const { exitCode, stderr } = await bench.call([operation, 'no-such-container']);
    expect(exitCode).not.toBe(0);
    expect(stderr).not.toBe('');
  }),
);

/** What came of a container one of whose hooks fails. */
interface Failure {
  readonly created: CommandResult;
  /** Where it was created. */
  readonly started: CommandResult | undefined;
  /** After start, before delete. */
  readonly status: unknown;
  readonly deleted: CommandResult;
  readonly known: boolean;
  readonly log: string;
}

/** A hook of `kind` fails, or takes ten seconds where it has one, between hooks of kind poststop that write what they see. */
function failing(kind: string, hook: object = { path: '/bin/false' }) {
  return async (bench: Bench): Promise<Failure> => {
    const id = `failing-${kind.toLowerCase()}${'timeout' in hook ? '-late' : ''}`;
    const log = `${bench.home}/${id}`;
    await bench.host.run(['mkdir', '-p', log]);
    const note = (word: string) => ({ path: '/bin/sh', args: ['sh', '-c', `echo ${word} >> ${log}/log`] });
    const hooks = { [kind]: [hook] };
    const config = configFor(bench, id, 'echo program >> /log/log; exec sleep 60', {
      mounts: [PROC, DEV, { destination: '/log', type: 'none', source: log, options: ['bind'] }],
      hooks: { ...hooks, poststop: [note('first'), ...(kind === 'poststop' ? [hook] : []), note('last')] },
    });
    const created = await bench.create(id, await bench.bundle(config));
    const started = created.exitCode === 0 ? await bench.call(['start', id]) : undefined;
    const status = (await bench.state(id))?.['status'];
    if (status === 'running') await expect.poll(() => logged(bench, `${log}/log`)).toContain('program');
    const deleted = await bench.call(['delete', '--force', id]);
    const known = (await bench.state(id)) !== undefined;
    return { created, started, status, deleted, known, log: await logged(bench, `${log}/log`) };
  };
}

const rows: Requirement[] = [];
function row(
  section: string,
  must: string,
  scenario: (bench: Bench) => Promise<Failure>,
  check: (failure: Failure) => void,
  crun?: Deviation,
): void {
  rows.push(requirement(section, must, async (bench) => check(await bench.once(scenario)), crun && { crun }));
}

for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const) {
  const scenario = failing(kind);
  row(
    'runtime.md#lifecycle',
    `create fails where a ${kind} hook fails, and the container is gone`,
    scenario,
    ({ created, status, log }) => {
      expect(created.exitCode).not.toBe(0);
      expect(created.stderr).not.toBe('');
      expect(status).toBeUndefined();
      expect(log).not.toContain('program');
    },
  );
  row('runtime.md#lifecycle', `poststop hooks run where a ${kind} hook fails`, scenario, ({ log }) => expect(log).toBe('first\nlast\n'), {
    does: 'does not run them',
    holds: async (bench) => expect((await bench.once(scenario)).log).toBe(''),
  });
}

const startContainer = failing('startContainer');
row('runtime.md#lifecycle', 'where a startContainer hook fails the program does not run', startContainer, ({ created, status, log }) => {
  expect(created).toMatchObject({ exitCode: 0, stderr: '' });
  expect(status).not.toBe('running');
  expect(log).not.toContain('program');
});
const poststart = failing('poststart');
row('runtime.md#lifecycle', 'where a poststart hook fails the container runs on', poststart, ({ started, status, log }) => {
  expect(started?.exitCode).toBe(0);
  expect(status).toBe('running');
  expect(log).toContain('program');
});
const poststop = failing('poststop', { path: '/bin/false' });
row('runtime.md#lifecycle', 'where a poststop hook fails the container is deleted all the same', poststop, ({ deleted, known }) => {
  expect(deleted.exitCode).toBe(0);
  expect(known).toBe(false);
});
const late = failing('createRuntime', { path: '/bin/sleep', args: ['sleep', '30'], timeout: 1 });
row('config.md#posix-platform-hooks', 'a hook that is not done after its timeout has failed', late, ({ created, status }) => {
  expect(created.exitCode).not.toBe(0);
  expect(status).toBeUndefined();
});

export const ASKED_WRONGLY: readonly Requirement[] = [...withoutId, ...withUnknownId, ...rows];
