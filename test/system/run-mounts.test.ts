/** What a container finds mounted: directories of the host, volumes, tmpfs, images, and a root that may be read-only. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const CONFIGURED = 'localhost/configured:v1';
const SITE = '/tmp/site';

let host: TestHost;

function run(flags: readonly string[], script: string, image = BUSYBOX): Promise<string> {
  return host.succeed(['run', '--rm', '--network=none', '--entrypoint=', ...flags, image, ...sh(script)]);
}

function fail(flags: readonly string[], image = BUSYBOX) {
  return host.lichen(['run', '--rm', '--network=none', ...flags, image, 'true']);
}

/** The mount options of `path` as the kernel shows them. */
function optionsOf(path: string): string {
  return `awk '$5 == "${path}" { print $6 }' /proc/self/mountinfo`;
}

describe.skipIf(!canRunContainers)('mounts', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'configured', 'layered'], { bareUsr: true });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  describe('more than one source', () => {
    beforeAll(async () => {
      await host.writeFile('/tmp/parts/a.txt', 'a\n');
      await host.writeFile('/tmp/parts/b.txt', 'b\n');
      await host.writeFile('/tmp/parts/c.md', 'c\n');
      await host.succeed(['artifact', 'add', 'localhost/one:1', '/tmp/parts/a.txt']);
      await host.succeed(['artifact', 'add', 'localhost/two:1', '/tmp/parts/a.txt', '/tmp/parts/b.txt']);
    });

    test('type=glob binds each path that fits', async () => {
      expect(await run(['--mount=type=glob,src=/tmp/parts/*.txt,dst=/g'], 'ls /g; cat /g/b.txt')).toBe('a.txt\nb.txt\nb');
      expect(
        await run(['--mount=type=glob,src=/tmp/p*/[bc].*,ro'], 'ls /tmp/parts; touch /tmp/parts/b.txt 2>/dev/null || echo closed'),
      ).toBe('b.txt\nc.md\nclosed');
      expect(await fail(['--mount=type=glob,src=/tmp/parts/*.none,dst=/g'])).toMatchObject({
        exitCode: 125,
        stderr: 'Error: no file paths matching glob "/tmp/parts/*.none"\n',
      });
      expect(await fail(['--mount=type=glob,dst=/g'])).toMatchObject({ exitCode: 125 });
    });

    test('type=artifact shows one blob as the target and several below it, to everybody and read-only', async () => {
      expect(
        await run(
          ['--mount=type=artifact,src=localhost/one:1,dst=/art', '-u', '1000'],
          'cat /art; echo x 2>/dev/null > /art || echo closed',
        ),
      ).toBe('a\nclosed');
      expect(await run(['--mount=type=artifact,src=localhost/two:1,dst=/art'], 'ls /art; cat /art/b.txt')).toBe('a.txt\nb.txt\nb');
      expect(await run(['--mount=type=artifact,src=localhost/two:1,dst=/art,title=b.txt'], 'cat /art')).toBe('b');
      expect(await run(['--mount=type=artifact,src=localhost/two:1,dst=/etc,title=b.txt'], 'cat /etc/b.txt')).toBe('b');
      expect(await run(['--mount=type=artifact,src=localhost/two:1,dst=/art,name=x'], 'ls /art')).toBe('x-0\nx-1');
    });

    test.each([
      ['src=localhost/none:1,dst=/art', 126, 'localhost/none:1: artifact does not exist'],
      ['src=localhost/two:1,dst=/art,title=none', 126, 'no blob with the title "none"'],
      ['src=localhost/two:1,dst=/art,title=a.txt,digest=sha256:00', 126, 'cannot specify both digest and title'],
      ['dst=/art', 125, 'must set source and destination for artifact volume'],
      ['src=localhost/two:1,dst=/art,foo=1', 125, 'foo: invalid mount option'],
    ])('type=artifact,%s is refused', async (words, exitCode, message) => {
      expect(await fail([`--mount=type=artifact,${words}`])).toMatchObject({
        exitCode,
        stderr: expect.stringContaining(`Error: ${message}`),
      });
    });

    test('a part of an image can be mounted, found beneath its root', async () => {
      expect(await run([`--mount=type=image,src=${BUSYBOX},dst=/part,subpath=/bin`], 'test -e /part/sh && echo there')).toBe('there');
      expect(await fail([`--mount=type=image,src=${BUSYBOX},dst=/part,subpath=bin`])).toMatchObject({
        exitCode: 125,
        stderr: 'Error: volume subpath "bin" must be an absolute path\n',
      });
      expect(await fail([`--mount=type=image,src=${BUSYBOX},dst=/part,subpath=/../../none`])).toMatchObject({
        exitCode: 126,
        stderr: expect.stringContaining('does not exist in the image'),
      });
      await host.succeed([
        'create',
        '--name=part',
        '--network=none',
        `--mount=type=image,src=${BUSYBOX},dst=/part,subpath=/bin`,
        BUSYBOX,
        'true',
      ]);
      expect(await host.succeed(['inspect', '--format={{range .Mounts}}{{.SubPath}}{{end}}', 'part'])).toBe('/bin');
      await removeNow(host, 'part');
    });

    test('--volumes-from takes ro, rw and z', async () => {
      await host.succeed(['create', '--name=owner', '--network=none', '-v', '/tmp/parts:/parts', '-v', 'kept:/kept', BUSYBOX, 'true']);
      const write = 'for d in /parts /kept; do touch $d/new 2>/dev/null && echo open || echo closed; done';
      expect(await run(['--volumes-from=owner:ro'], write)).toBe('closed\nclosed');
      expect(await run(['--volumes-from=owner:rw,z'], write)).toBe('open\nopen');
      for (const option of ['Z', 'O', '', 'foo']) {
        expect(await fail([`--volumes-from=owner:${option}`])).toMatchObject({
          exitCode: 125,
          stderr: `Error: invalid option ${JSON.stringify(option)} specified - volumes from another container can only use z,ro,rw options\n`,
        });
      }
      expect(await fail(['--volumes-from=owner:ro,rw'])).toMatchObject({
        exitCode: 125,
        stderr: 'Error: cannot set ro or rw options more than once\n',
      });
      expect(await fail(['--volumes-from=none'])).toMatchObject({
        exitCode: 125,
        stderr: 'Error: looking up container "none" for volumes-from: no container with name or ID "none" found: no such container\n',
      });
      await removeNow(host, 'owner');
      await host.succeed(['volume', 'rm', 'kept']);
    });
  });

  describe('directories of the host', () => {
    beforeEach(async () => {
      await host.asRoot(['rm', '-rf', SITE]);
      await host.writeFile(`${SITE}/page`, 'from the host\n');
    });

    test('are shared both ways; z and Z change nothing without SELinux', async () => {
      expect(
        await run(
          ['-v', `${SITE}:/site`, '-v', `${SITE}:/again:z`, '-v', `${SITE}:/third:Z`],
          'cat /site/page; echo new > /again/made; cat /third/made',
        ),
      ).toBe('from the host\nnew');
      expect(await host.readFile(`${SITE}/made`)).toBe('new\n');
    });

    test('may be relative to the caller, a single file, and read-only', async () => {
      const { stdout, stderr } = await host.lichen(
        ['run', '--rm', '--network=none', '-v', './page:/etc/page:ro', '-v=../site:/site:ro,noexec', BUSYBOX].concat(
          sh(`cat /etc/page; echo x > /site/page; echo x > /etc/page; ${optionsOf('/site')}`),
        ),
        { cwd: SITE },
      );
      expect(stdout).toMatch(/^from the host\nro,(nosuid,|nodev,)*noexec,/);
      expect(stderr.match(/Read-only file system/g)).toHaveLength(2);
    });

    test('that do not exist are refused and not made', async () => {
      expect(await fail(['-v', '/tmp/absent:/x'])).toMatchObject({
        exitCode: 125,
        stderr: 'Error: statfs /tmp/absent: no such file or directory\n',
      });
      expect((await host.run(['ls', '/tmp/absent'])).exitCode).not.toBe(0);
    });

    test('U gives them to the container’s user', async () => {
      expect(
        await run(['-u', '1000', '-v', `${SITE}:/site:U`], 'stat -c %u /site /site/page; echo mine >> /site/page && cat /site/page'),
      ).toBe('1000\n1000\nfrom the host\nmine');
      expect((await host.run(['stat', '-c', '%u', `${SITE}/page`])).stdout).toBe('100999\n');
    });

    test('O lets the container write without the host seeing it', async () => {
      expect(await run(['-v', `${SITE}:/site:O`], 'echo changed > /site/page; touch /site/made; cat /site/page; ls /site')).toBe(
        'changed\nmade\npage',
      );
      expect((await host.run(sh(`cat ${SITE}/page; ls ${SITE}`))).stdout).toBe('from the host\npage\n');
    });

    test('--mount says the same in words', async () => {
      const mounts = [`type=bind,src=${SITE},dst=/a,ro`, `type=bind,source=${SITE},target=/b,readonly=false,bind-propagation=rslave`];
      const facts = `cat /a/page; ${optionsOf('/a')}; ${optionsOf('/b')}`;
      expect(
        await run(
          mounts.flatMap((mount) => ['--mount', mount]),
          facts,
        ),
      ).toMatch(/^from the host\nro,.*\nrw,/);
      expect(await fail(['--mount', 'type=bind,src=/tmp/absent,dst=/x'])).toMatchObject({
        stderr: 'Error: statfs /tmp/absent: no such file or directory\n',
      });
    });
  });

  describe('volumes', () => {
    test('a named one is made on first use, filled with what the image has there, and kept', async () => {
      expect(
        await run(
          ['-v', 'data:/srv/data'],
          'cat /srv/data/seed; stat -c %u:%g /srv/data /srv/data/seed; echo more > /srv/data/more',
          CONFIGURED,
        ),
      ).toBe('from the image\n1000:1000\n0:0');
      expect(await run(['--mount', 'type=volume,src=data,dst=/elsewhere,ro'], `cat /elsewhere/*; ${optionsOf('/elsewhere')}`)).toMatch(
        /^more\nfrom the image\nro,/,
      );
      // Only the first mount fills it.
      await run(['-v', 'data:/d'], 'rm /d/*');
      expect(await run(['-v', 'data:/srv/data'], 'ls -A /srv/data | wc -l', CONFIGURED)).toBe('0');
      expect(await run(['-v', 'bare:/srv/data:nocopy'], 'ls -A /srv/data | wc -l', CONFIGURED)).toBe('0');
      expect(await host.succeed(['volume', 'ls', '--quiet'])).toBe('data\nbare');
      await host.succeed(['volume', 'rm', 'bare', 'data']);
    });

    test('an anonymous one, asked for or declared by the image, goes with --rm and stays without', async () => {
      expect(await run(['-v', '/scratch'], 'touch /scratch/x && stat -c %u:%g /scratch; ls /srv/data', CONFIGURED)).toBe('1000:1000\nseed');
      expect(await host.succeed(['volume', 'ls', '--quiet'])).toBe('');
      await host.succeed(['run', '--name=keeper', '--network=none', '--entrypoint=', CONFIGURED, 'true']);
      expect(await host.succeed(['volume', 'ls', '--quiet'])).toMatch(/^[0-9a-f]{64}$/);
      await host.succeed(['rm', '--volumes', 'keeper']);
      expect(await host.succeed(['volume', 'ls', '--quiet'])).toBe('');
    });

    test('--image-volume: tmpfs or nothing instead', async () => {
      expect(await run(['--image-volume=tmpfs', '-u', '0'], `${optionsOf('/srv/data')}; stat -f -c %T /srv/data`, CONFIGURED)).toMatch(
        /^rw,.*\ntmpfs$/,
      );
      expect(await run(['--image-volume=ignore'], `${optionsOf('/srv/data')}; ls /srv/data`, CONFIGURED)).toBe('seed');
    });

    test('--volumes-from takes those of another container, read-only if asked', async () => {
      await host.succeed(['create', '--name=source', '-v', 'shared:/shared', '-v', '/tmp:/host-tmp', BUSYBOX, 'true']);
      expect(await run(['--volumes-from', 'source'], 'echo x > /shared/f; ls -d /host-tmp')).toBe('/host-tmp');
      expect(await run(['--volumes-from=source:ro'], `cat /shared/f; ${optionsOf('/shared')}`)).toMatch(/^x\nro,/);
      await removeNow(host, 'source');
      await host.succeed(['volume', 'rm', 'shared']);
    });
  });

  describe('file systems of the container’s own', () => {
    test('--tmpfs has the size, mode and options asked for, and what the image has there', async () => {
      const facts = `df -k /small | awk 'NR == 2 { print $2 }'; stat -c %a /small; ${optionsOf('/small')}; ls /home; ${optionsOf('/home')}`;
      const [size, mode, options, home, homeOptions] = (
        await run(['--tmpfs', '/small:size=1m,mode=1770,noexec', '--tmpfs=/home'], facts)
      ).split('\n');
      expect([size, mode, home]).toEqual(['1024', '1770', 'worker']);
      expect(options).toMatch(/^rw,nosuid,nodev,noexec/);
      expect(homeOptions).toMatch(/^rw,nosuid,nodev/);
    });

    test('--mount type=tmpfs, ramfs and devpts', async () => {
      const facts = `df -k /t | awk 'NR == 2 { print $2 }'; stat -c %a /t; awk '$5 ~ "^/(t|r|p)$" { print $5, $(NF-2) }' /proc/self/mountinfo | sort; ls /p`;
      expect(
        await run(
          ['--mount=type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=700', '--mount=type=ramfs,dst=/r', '--mount=type=devpts,dst=/p'],
          facts,
        ),
      ).toBe('2048\n700\n/p devpts\n/r ramfs\n/t tmpfs\nptmx');
    });

    test('--mount type=image shows another image, read-only unless asked otherwise', async () => {
      const image = 'type=image,src=localhost/layered,dst=/image';
      expect(await run(['--mount', image], 'cat /image/data/replaced; ls /image/data/emptied; touch /image/x 2>&1; true')).toMatch(
        /^upper\nnew\ntouch: \/image\/x: Read-only file system$/,
      );
      expect(await run(['--mount', `${image},rw=true`], 'touch /image/x && ls /image/x')).toBe('/image/x');
      expect(await run(['--mount', image], 'ls /image/x 2>&1; true')).toContain('No such file');
    });

    test('--shm-size', async () => {
      const size = "df -k /dev/shm | awk 'NR == 2 { print $2 }'";
      expect(await run(['--shm-size=3m'], size)).toBe('3072');
      expect(await run([], size)).toBe('64000');
    });
  });

  describe('the root', () => {
    test('--read-only leaves only the usual places writable, and with --read-only-tmpfs=false none', async () => {
      const facts = 'for d in / /etc /tmp /run /var/tmp /dev/shm; do touch $d/x 2>/dev/null && echo "$d yes" || echo "$d no"; done';
      expect(await run(['--read-only'], facts)).toBe('/ no\n/etc no\n/tmp yes\n/run yes\n/var/tmp yes\n/dev/shm yes');
      expect(await run(['--read-only', '--read-only-tmpfs=false', '-v', 'rw:/home'], `${facts}; touch /home/x && echo home`)).toBe(
        '/ no\n/etc no\n/tmp no\n/run no\n/var/tmp no\n/dev/shm no\nhome',
      );
      await host.succeed(['volume', 'rm', 'rw']);
    });

    test('is the container’s own: what one writes the next does not see, a stopped one keeps it', async () => {
      expect(await run([], 'echo x > /etc/mine; rm /bin/true; ls /bin/true 2>&1; echo')).toContain('No such file');
      expect(await run([], 'ls /etc/mine 2>&1; ls /bin/true')).toMatch(/No such file.*\n\/bin\/true$/);
      await host.succeed(['run', '--name=kept', '--network=none', BUSYBOX, ...sh('date +%N >> /count; wc -l < /count')]);
      expect(await host.succeed(['start', '--attach', 'kept'])).toBe('2');
      await removeNow(host, 'kept');
    });

    test('--rootfs runs a directory of the host, with :O on a view that is thrown away', async () => {
      await host.run(
        sh(
          'mkdir -p tree/bin && cp "$(command -v busybox)" tree/bin/busybox && for n in sh touch ls cat; do ln -sf busybox tree/bin/$n; done',
        ),
      );
      const rootfs = (path: string, script: string) =>
        host.lichen(['run', '--rm', '--network=none', '--rootfs', path, '/bin/sh', '-c', script]);
      expect(await rootfs('tree:O', '/bin/touch /thrown-away && /bin/ls /thrown-away')).toMatchObject({
        stdout: '/thrown-away\n',
        exitCode: 0,
      });
      expect((await host.run(['ls', 'tree'])).stdout).not.toContain('thrown-away');
      expect(await rootfs('tree', '/bin/touch /kept')).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await host.run(['ls', 'tree'])).stdout).toContain('kept');
      expect(await rootfs('absent', 'true')).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('absent: no such directory') });
    });

    test('--rootfs /:O is the machine itself, copy on write', async () => {
      const script = 'cat /etc/os-release; touch /usr/made /etc/made && ls /usr/made /etc/made; ls /proc | grep -c "^[0-9]"';
      const { stdout, stderr, exitCode } = await host.lichen(['run', '--rm', '--network=none', '--rootfs', '/:O', 'sh', '-c', script]);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(stdout).toContain(await host.readFile('/usr/lib/os-release'));
      expect(stdout).toMatch(/\/etc\/made\n\/usr\/made\n[1-4]\n$/);
      expect((await host.run(['ls', '/usr/made', '/etc/made'])).exitCode).toBe(2);
    });
  });
});
