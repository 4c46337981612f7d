/** A container stays with the OCI runtime that it was made for, whatever later commands would choose. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

const OTHER = { crun: 'embedded', embedded: 'crun' } as const;

describe.skipIf(!canRunContainers)('the runtime of a container', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test.each(['crun', 'embedded'] as const)('%s: every later command finds the container with it', async (runtime) => {
    const env = { LICHEN_RUNTIME: OTHER[runtime] };
    const other = (...argv: readonly string[]) => host.succeed(argv, { env });
    await host.succeed(['--runtime', runtime, 'run', '--detach', '--network=none', '--name', runtime, BUSYBOX, 'sleep', '1000']);
    const shown = () => other('inspect', '--format', '{{.OCIRuntime}} {{.State.Status}}', runtime);
    expect(await shown()).toBe(`${runtime} running`);
    expect(await other('exec', runtime, 'echo', 'here')).toBe('here');
    await other('pause', runtime);
    await other('unpause', runtime);
    await other('restart', '--time=0', runtime);
    expect(await shown()).toBe(`${runtime} running`);
    await other('rm', '--force', '--time=0', runtime);
  });

  test('one that is no longer installed gives way to what there is', async () => {
    const gone = '/tmp/crun-for-now';
    await host.run(['cp', '/usr/bin/crun', gone]);
    await host.succeed(['--runtime', gone, 'create', '--network=none', '--name', 'left', BUSYBOX, 'echo', 'runs']);
    await host.run(['rm', gone]);
    expect(await host.succeed(['start', '--attach', 'left'])).toBe('runs');
    await host.succeed(['rm', 'left']);
  });
});
