/** cp with containers that mean harm (reference/hostile.md, C01 to C03). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

let host: TestHost;
const SECRET = 'secret of the host';

async function outside(script: string): Promise<string> {
  const { stdout, exitCode, stderr } = await host.run(['sh', '-c', script]);
  expect({ script, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout;
}

describe.skipIf(!canRunContainers)('hostile cp', () => {
  beforeAll(async () => {
    host = await loadedHost();
    await outside(
      `mkdir -p /tmp/victim in out; echo '${SECRET}' >/tmp/victim/file; echo data >in/file; mkdir in/tree; echo data >in/tree/file`,
    );
    // A directory and a link to one of the host change places as fast as the container can, in one rename each.
    const flip = `mkdir -p /a/real; echo inside >/a/real/file; ln -s /tmp/victim /a/link; mkdir -p /tmp/victim; echo inside >/tmp/victim/file
ln -s /tmp/victim/file /leak; ln -s ../../../../../../../../tmp/victim/file /climb; mkdir /stars; echo star >'/stars/*'; echo other >/stars/other; cp -a /a/real /a/path
while :; do mv /a/path /a/x; mv /a/link /a/path; mv /a/path /a/link; mv /a/x /a/path; done`;
    await host.succeed(['run', '-d', '--name', 'evil', '--network', 'none', BUSYBOX, 'sh', '-c', flip]);
    await host.succeed(['exec', 'evil', 'sh', '-c', 'until [ -e /stars/other ]; do sleep 0.1; done']);
  });
  afterAll(async () => {
    await host.lichen(['rm', '-a', '-f', '-t', '0']);
    await host.run(['rm', '-rf', '/tmp/victim']);
    await host[Symbol.asyncDispose]();
  });

  test('C01: a link to a file of the host gives the container’s file of that name; a star is never a pattern', async () => {
    for (const link of ['/leak', '/climb']) {
      await host.succeed(['cp', `evil:${link}`, 'out/got']);
      expect(await outside('cat out/got; rm out/got')).toBe('inside\n');
    }
    for (const pattern of ['/stars/*', '/*', '/stars/o*']) {
      expect(await host.lichen(['cp', `evil:${pattern}`, 'out'])).toMatchObject({
        exitCode: 125,
        stderr: `Error: "${pattern}" could not be found on container evil: no such file or directory\n`,
      });
    }
    expect(await outside('ls out')).toBe('');
    await host.succeed(['cp', 'evil:/stars', 'out']);
    expect(await outside('cat "out/stars/*"; rm -r out/stars')).toBe('star\n');
  });

  test('C02: while a directory and a link take turns, nothing outside of the root is read or written', async () => {
    for (let round = 0; round < 6; round++) {
      await host.lichen(['cp', 'evil:/a', 'out/a']);
      await host.lichen(['cp', 'evil:/a/path/file', 'out/file']);
      await host.lichen(['cp', 'in/file', `evil:/a/path/in${round}`]);
      await host.lichen(['cp', '--overwrite', 'in/tree', 'evil:/a/path']);
      expect(await outside(`grep -rl '${SECRET}' out || true; cat /tmp/victim/file; ls /tmp/victim; rm -rf out/*`)).toBe(
        `${SECRET}\nfile\n`,
      );
    }
  });

  test('C02: a link that was copied out is not followed by what is copied over it', async () => {
    await outside('mkdir out/dir; ln -s /tmp/victim out/dir/tree');
    await host.succeed(['exec', 'evil', 'sh', '-c', 'mkdir -p /dir/tree; echo inside >/dir/tree/file; echo inside >/dir/tree/new']);
    expect(await host.lichen(['cp', 'evil:/dir', 'out'])).toMatchObject({ exitCode: 125 });
    await host.succeed(['cp', '--overwrite', 'evil:/dir', 'out']);
    expect(await outside('cat out/dir/tree/new /tmp/victim/file; ls /tmp/victim; rm -r out/dir')).toBe(`inside\n${SECRET}\nfile\n`);
  });

  test('C02: an archive from stdin with names and links that lead out stays inside', async () => {
    await outside(`mkdir bad; cd bad; ln -s /tmp/victim link; tar cf ../bad.tar link; rm link; mkdir link; echo written >link/file
tar rf ../bad.tar link/file; tar rPf ../bad.tar --transform 's,link/file,../../../../tmp/victim/file,' link/file`);
    const input = (await host.run(['cat', 'bad.tar'])).stdoutBytes;
    const { exitCode, stderr } = await host.lichen(['cp', '-', 'evil:/tmp'], { input });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('leads out') });
    expect(await outside('cat /tmp/victim/file; ls /tmp/victim')).toBe(`${SECRET}\nfile\n`);
    expect(await host.succeed(['exec', 'evil', 'cat', '/tmp/victim/file'])).toBe('written');
  });

  test('C03: an image whose tree holds a link in place of a directory does not lead a container at rest into the store', async () => {
    await host.succeed(['create', '--name', 'rest', BUSYBOX, 'true']);
    const { stdoutBytes } = await host.run(['sh', '-c', `mkdir store; cd store; ln -s ${host.store} way; tar c way`]);
    await host.succeed(['cp', '-', 'rest:/'], { input: stdoutBytes });
    expect(await host.lichen(['cp', 'rest:/way/db.sqlite', 'out'])).toMatchObject({ exitCode: 125 });
    expect(await host.lichen(['cp', 'in/file', 'rest:/way/file'])).toMatchObject({ exitCode: 125 });
    expect(await outside(`ls ${host.store} out`)).not.toContain('file');
  });
});
