/** `auto-update`: a real registry, real services, images that become newer. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';
import { canRunSystemd } from '../host/systemd.ts';

let host: TestHost;
let registry: Registry;
const LABEL = 'io.containers.autoupdate';
const SERVE = 'trap "exit 0" TERM; touch /tmp/up; sleep 1000 & wait';

const systemctl = async (...words: readonly string[]) => {
  const { stdout, stderr } = await host.run(['systemctl', '--user', ...words]);
  return (stdout + stderr).trim();
};

/** A service that is ready when its container is healthy. */
async function serve(name: string, image: string, policy: string): Promise<void> {
  const directory = `${host.user.home}/.config/systemd/user`;
  await host.run(['mkdir', '-p', directory]);
  const health = ['--sdnotify=healthy', '--health-cmd=test -e /tmp/up', '--health-interval=1s'];
  const words = ['--name', name, '--network=none', '--label', `${LABEL}=${policy}`, ...health, image];
  await host.succeed(['create', ...words, ...sh(SERVE)]);
  await host.succeed(['generate', 'systemd', '--new', '--name', '--files', '--start-timeout=10', '--restart-policy=no', name], {
    cwd: directory,
  });
  await host.succeed(['rm', name]);
  await systemctl('daemon-reload');
  expect(await systemctl('start', `container-${name}`)).toBe('');
}

const imageOf = (name: string) => host.succeed(['inspect', '-f', '{{.Image}}', name]);
const idOf = (image: string) => host.succeed(['image', 'inspect', '-f', '{{.Id}}', image]);
const update = (...words: readonly string[]) => host.lichen(['auto-update', '--tls-verify=false', ...words]);
const updated = async (...words: readonly string[]) => (await update('--format', '{{.Unit}} {{.Updated}}', ...words)).stdout;

/** An image like busybox in which nothing can be found healthy, or nothing but a note is new. */
async function change(from: string, to: string, script: string): Promise<string> {
  await host.succeed(['run', '--name=changing', '--network=none', from, ...sh(script)]);
  const id = await host.succeed(['commit', '--quiet', 'changing', to]);
  await host.succeed(['rm', 'changing']);
  return id;
}
const BREAK = 'ln -sf /nowhere/up /tmp/up';

describe.skipIf(!canRunContainers || !canRunSystemd || !canRunRegistry)('auto-update', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    registry = await startRegistry(host);
    await pushFixture(await builtFixture('busybox'), registry, 'team/bb', '1');
  });
  afterEach(async () => {
    await systemctl('stop', 'container-*');
    await removeNow(host, '--all');
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('says nothing where there is nothing to update', async () => {
    expect(await update()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    await host.succeed(['run', '-d', '--network=none', '--label', `${LABEL}=disabled`, BUSYBOX, 'sleep', '1000']);
    await host.succeed(['create', '--network=none', '--label', `${LABEL}=registry`, BUSYBOX, 'true']);
    expect(await update('--format=json')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('local: a name that means another image by now', async () => {
    await host.succeed(['tag', BUSYBOX, 'localhost/app:1']);
    await serve('app', 'localhost/app:1', 'local');
    expect(await updated()).toBe('container-app.service false\n');
    const newer = await change('localhost/app:1', 'localhost/app:1', 'touch /newer');
    expect(await updated('--dry-run')).toBe('container-app.service pending\n');
    expect(await imageOf('app')).not.toBe(newer);
    const id = await host.succeed(['inspect', '-f', '{{.Id}}', 'app']);
    const said = JSON.parse((await update('--format=json')).stdout) as unknown;
    expect(said).toEqual([
      {
        Unit: 'container-app.service',
        Container: `${id.slice(0, 12)} (app)`,
        ContainerName: 'app',
        ContainerID: id,
        Image: 'localhost/app:1',
        Policy: 'local',
        Updated: 'true',
      },
    ]);
    expect(await imageOf('app')).toBe(newer);
    expect(await systemctl('is-active', 'container-app')).toBe('active');
    expect(await host.succeed(['events', '--stream=false', '--filter=event=auto-update', '--format={{.Type}} {{.Status}}'])).toMatch(
      /^(system auto-update\n?)+$/,
    );
    expect(await updated()).toBe('container-app.service false\n');
  });

  test('registry: another manifest under the same tag; the table', async () => {
    const name = `${registry.name}/team/bb:1`;
    await host.succeed(['pull', '--quiet', '--tls-verify=false', name]);
    await serve('pulled', name, 'registry');
    expect(await updated()).toBe('container-pulled.service false\n');
    const newer = await change(name, 'localhost/next:1', 'touch /newer');
    await host.succeed(['push', '--quiet', '--tls-verify=false', 'localhost/next:1', name]);
    await host.succeed(['rmi', 'localhost/next:1']);
    const { stdout } = await update('--dry-run');
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['UNIT', 'CONTAINER', 'IMAGE', 'POLICY', 'UPDATED'],
      ['container-pulled.service', expect.stringMatching(/^[0-9a-f]{12} \(pulled\)$/), name, 'registry', 'pending'],
      [''],
    ]);
    const { exitCode, stderr, ...rest } = await update();
    expect({ exitCode, updated: rest.stdout.includes('true') }).toEqual({ exitCode: 0, updated: true });
    expect(stderr).toContain(`Trying to pull ${name}`);
    expect(await imageOf('pulled')).toBe(newer);
    expect(await updated()).toBe('container-pulled.service false\n');
  });

  test('a newer image that does not become healthy is taken back, unless that is not wanted', async () => {
    await host.succeed(['tag', BUSYBOX, 'localhost/bad:1']);
    const before = await idOf('localhost/bad:1');
    await serve('bad', 'localhost/bad:1', 'local');
    await change('localhost/bad:1', 'localhost/broken:1', BREAK);
    await host.succeed(['tag', 'localhost/broken:1', 'localhost/bad:1']);
    expect(await update('--format={{.Updated}}')).toMatchObject({ exitCode: 0, stdout: 'rolled back\n' });
    expect([await imageOf('bad'), await idOf('localhost/bad:1')]).toEqual([before, before]);
    expect(await systemctl('is-active', 'container-bad')).toBe('active');
    await host.succeed(['tag', 'localhost/broken:1', 'localhost/bad:1']);
    const failed = await update('--rollback=false', '--format={{.Updated}}');
    expect(failed).toMatchObject({ exitCode: 125, stdout: 'failed\n' });
    expect(failed.stderr).toMatch(/^Error: restarting unit container-bad\.service during update: systemctl restart: /);
    expect(await systemctl('is-active', 'container-bad')).toBe('failed');
  });

  test('one that cannot be updated keeps no other from it', async () => {
    const run = (name: string, ...words: readonly string[]) =>
      host.succeed(['run', '-d', '--network=none', '--name', name, ...words, BUSYBOX, 'sleep', '1000']);
    const unit = ['--label', 'PODMAN_SYSTEMD_UNIT=nosuch.service'];
    await run('policy', '--label', `${LABEL}=sometimes`, ...unit);
    await run('unit', '--label', `${LABEL}=local`);
    await host.succeed(['tag', BUSYBOX, 'localhost/gone:1']);
    await host.succeed([
      'run',
      '-d',
      '--network=none',
      '--name=gone',
      '--label',
      `${LABEL}=registry`,
      ...unit,
      'localhost/gone:1',
      'sleep',
      '1000',
    ]);
    await host.succeed(['untag', BUSYBOX, 'localhost/gone:1']);
    const { exitCode, stdout, stderr } = await update('--format={{.ContainerName}} {{.Updated}}');
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: 'gone failed\n' });
    expect(stderr).toMatch(/^Error: 3 errors occurred:\n/);
    expect(stderr).toMatch(
      /\* auto-updating container "[0-9a-f]{64}": invalid auto-update policy "sometimes": valid policies are \["disabled" "image" "local" "registry"\]\n/,
    );
    expect(stderr).toMatch(/\* auto-updating container "[0-9a-f]{64}": no PODMAN_SYSTEMD_UNIT label found\n/);
    expect(stderr).toMatch(/\* checking image updates for container [0-9a-f]{64}: localhost\/gone:1: image not known\n/);
  });

  test('credentials come from the file that a label names, and else from the caller', async () => {
    const guarded = await startRegistry(host, { secure: true });
    await pushFixture(await builtFixture('busybox'), guarded, 'team/bb', '1');
    const name = `${guarded.name}/team/bb:1`;
    const { user, password } = guarded.credentials!;
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    await host.writeFile('/tmp/auth.json', JSON.stringify({ auths: { [guarded.name]: { auth } } }), 0o600);
    await host.succeed(['pull', '--quiet', '--tls-verify=false', '--authfile=/tmp/auth.json', name]);
    const labels = ['--label', `${LABEL}=image`, '--label', 'PODMAN_SYSTEMD_UNIT=nosuch.service'];
    await host.succeed(['run', '-d', '--network=none', '--name=plain', ...labels, name, 'sleep', '1000']);
    await host.succeed([
      'run',
      '-d',
      '--network=none',
      '--name=own',
      ...labels,
      '--label',
      `${LABEL}.authfile=/tmp/auth.json`,
      name,
      'sleep',
      '1000',
    ]);
    const one = await update('--format={{.ContainerName}} {{.Updated}}');
    expect(one).toMatchObject({ exitCode: 125, stdout: 'plain failed\nown false\n' });
    expect(one.stderr).toMatch(/^Error: checking image updates for container [0-9a-f]{64}: /);
    expect(await updated('--authfile=/tmp/auth.json')).toBe('nosuch.service false\nnosuch.service false\n');
  });

  test.each([
    [['--authfile', '/nosuch'], 'Error: credential file is not accessible: faccessat /nosuch: no such file or directory\n'],
    [['x'], 'Error: `lichen auto-update` takes no arguments\n'],
  ])('%j is refused', async (words, stderr) => {
    expect(await update(...words)).toMatchObject({ exitCode: 125, stdout: '', stderr });
  });
});

describe.skipIf(!canRunContainers)('without systemd', () => {
  test('what would be updated cannot be', async () => {
    await using plain = await loadedHost();
    await plain.succeed(['run', '-d', '--name=c', '--network=none', '--label', `${LABEL}=local`, BUSYBOX, 'sleep', '1000'], {
      env: { PODMAN_SYSTEMD_UNIT: 'c.service' },
    });
    expect(await plain.lichen(['auto-update'])).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr: expect.stringMatching(/^Error: no systemd keeps services here, so none can be updated\n/) as string,
    });
    await removeNow(plain, 'c');
  });
});
