/** Where the results of builds go: directories, tars, archives of images, manifest lists; and for which machines they are made. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost, sh } from '../host/loaded.ts';

let host: TestHost;
let cwd: string;

const DOCKERFILE = `FROM --platform=$BUILDPLATFORM localhost/busybox AS made
ARG TARGETARCH
RUN echo $TARGETARCH > /arch && mkdir /d && echo text > /d/file && ln -s /d/file /d/link && chown 5:6 /d/file && chmod 4711 /d/file
FROM scratch
COPY --from=made /arch /arch
COPY --from=made /d /d
`;

describe.skipIf(!canRunContainers)('the result of a build', () => {
  beforeAll(async () => {
    host = await loadedHost();
    cwd = `${host.user.home}/context`;
    await host.writeFile(`${cwd}/Dockerfile`, DOCKERFILE);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const build = (...words: readonly string[]) => host.lichen(['build', '--network=none', ...words, '.'], { cwd });
  const failure = async (...words: readonly string[]): Promise<string> => {
    const { exitCode, stderr } = await build(...words);
    expect(exitCode).toBe(125);
    return stderr.split('\n')[0]!;
  };

  test('is a directory or a tar of its files, and an image all the same', async () => {
    await host.writeFile(`${cwd}/out/kept`, 'kept\n');
    await host.run(['ln', '-s', '/tmp', 'out/d'], { cwd });
    const first = await build('-q', '-o', 'out', '--output', 'type=tar,dest=out.tar');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await host.succeed(['image', 'exists', first.stdout.trim()])).toBe('');
    const listed = await host.run(sh('cd out; ls -R . | tr "\\n" " "; cat arch d/file; readlink d/link; stat -c %U d/file'), { cwd });
    expect(listed.stdout).toBe(`.: arch d kept  ./d: file link amd64\ntext\n/d/file\n${(await host.run(['id', '-un'])).stdout}`);
    expect((await host.run(['tar', '--numeric-owner', '-tvf', 'out.tar'], { cwd })).stdout).toMatch(/-rws--x--x 5\/6 +5 .* d\/file\n/);
    // What is said goes elsewhere then.
    const piped = await host.run(sh('lichen build --network=none -o - . 2> talk | tar -t | tr "\\n" " "; cat talk'), { cwd });
    expect(piped.stdout).toMatch(/^arch d\/ d\/file d\/link (?:\[[12]\/2\] )?STEP 1/);
  });

  test('is an archive of an image that can be loaded', async () => {
    const { exitCode } = await build(
      '-q',
      '-t',
      'archived',
      '-o',
      'type=docker,dest=d.tar',
      '-o',
      'type=oci,dest=o.tar',
      '-o',
      'type=oci,tar=false,dest=o',
      '-o',
      'type=image,name=named:1',
    );
    expect(exitCode).toBe(0);
    const id = await host.succeed(['image', 'inspect', '--format', '{{.Id}}', 'localhost/named:1']);
    for (const input of ['d.tar', 'o.tar', 'o']) {
      await host.succeed(['rmi', '--force', id]);
      await host.succeed(['load', '-i', input], { cwd });
      expect(await host.succeed(['image', 'inspect', '--format', '{{.Id}}', 'localhost/archived'])).toBe(id);
    }
  });

  test('for several platforms is a list with an image for each; RUN wants an emulator', async () => {
    const flags = [
      '--platform',
      'linux/amd64,linux/arm64/v8',
      '--manifest',
      'list',
      '--iidfile',
      'iid',
      '--metadata-file',
      'metadata',
      '-o',
      'each',
    ];
    const { exitCode, stdout } = await build(...flags);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\[linux\/arm64\/v8\] \[2\/2\] STEP 1\/3: FROM scratch$/m);
    const { manifests } = JSON.parse(await host.succeed(['manifest', 'inspect', 'list'])) as {
      manifests: readonly { digest: string; platform: object }[];
    };
    expect(manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
    ]);
    expect((await host.run(sh('cat each/linux_amd64/arch each/linux_arm64_v8/arch'), { cwd })).stdout).toBe('amd64\narm64\n');
    const [id] = (await host.succeed(['images', '--no-trunc', '--quiet', 'localhost/list'])).split('\n');
    expect(await host.readFile(`${cwd}/iid`)).toBe(id);
    expect(JSON.parse(await host.readFile(`${cwd}/metadata`))).toEqual({
      'containerimage.descriptor': {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        digest: expect.stringMatching(/^sha256:/),
        size: expect.any(Number),
      },
      'containerimage.digest': expect.stringMatching(/^sha256:/),
      'image.name': 'localhost/list:latest',
    });
    // Once more: what is the same is there once.
    await build('-q', '--platform', 'linux/arm64/v8', '--manifest', 'list', '--metadata-file', 'metadata');
    expect((JSON.parse(await host.succeed(['manifest', 'inspect', 'list'])) as { manifests: readonly object[] }).manifests).toHaveLength(2);
    expect((await host.run(['cat', '/proc/sys/fs/binfmt_misc/qemu-riscv64'])).exitCode).toBe(1);
    await host.writeFile(`${cwd}/Foreign`, `${DOCKERFILE}RUN ["/arch"]\n`);
    expect(await failure('-f', 'Foreign', '--platform', 'linux/riscv64')).toMatch(
      /^Error: Foreign:7:1: programs for riscv64 cannot be run on amd64: no emulator/,
    );
  });

  test('cannot go everywhere', async () => {
    await host.writeFile(`${cwd}/file`, 'x');
    expect(await failure('-o', 'type=other,dest=x')).toBe(
      'Error: failed to parse build output "type=other,dest=x": invalid type "other": it is local, tar, docker, oci, image or registry',
    );
    expect(await failure('-o', 'type=local')).toContain('type=local needs a dest');
    expect(await failure('-o', 'type=local,dest=-')).toContain('"type=local" can not be used with "dest=-"');
    expect(await failure('-o', 'dest=x')).toContain('it has no type');
    expect(await failure('-o', 'type=tar,dest=x,mode=1')).toContain('unrecognized key "mode"');
    expect(await failure('-o', 'type=image,name=x,push=yes')).toContain('push=yes is neither true nor false');
    expect(await failure('-o', 'type=image,push=true')).toBe('Error: tag is needed when pushing to registry');
    expect(await failure('--push', '-t', 'x', '--platform', 'linux/amd64,linux/arm64')).toContain('are pushed as a list');
    expect(await failure('-o', 'type=tar,dest=x.tar', '--platform', 'linux/amd64,linux/arm64')).toContain(
      'with several platforms it is a directory',
    );
    expect(await failure('-o', 'file/x')).toContain('not a directory');
    expect(await failure('-o', 'type=tar,dest=missing/x.tar')).toContain('no such file or directory');
    expect(await failure('--manifest', 'BAD')).toContain('must be lowercase');
    expect(await failure('--manifest', 'localhost/busybox')).toContain('localhost/busybox');
    expect(await failure('--platform', 'a/b/c/d')).toContain('invalid platform syntax');
    expect(await failure('--iidfile', 'missing/x')).toBe('Error: open missing/x: no such file or directory');
  });
});
