/** `quadlet check`, `install`, `list`, `print` and `rm`, where there is no systemd. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';

const CONTAINER = '[Container]\nImage=quay.io/x:1\n';
let host: TestHost;
let directory: string;

const quadlet = (...words: readonly string[]) => host.lichen(['quadlet', ...words], { cwd: '/tmp' });
const installed = async () =>
  (await host.run(['sh', '-c', `ls -A ${directory}; rm -rf ${directory} ${host.user.home}/.config/systemd`])).stdout
    .split('\n')
    .filter(Boolean);

describe.skipIf(!canShapeHosts)('Quadlet files without systemd', () => {
  beforeAll(async () => {
    host = await testHost();
    directory = `${host.user.home}/.config/containers/systemd`;
    const bad = {
      'bad.quadlets': '[Container]\n',
      'out.quadlets': '# FileName=../x\n[Container]\n',
      'none.quadlets': '\n---\n\n',
      'twice.quadlets': '# FileName=a\n[Volume]\n---\n# FileName=a\n[Volume]\n',
      'groups.quadlets': '# FileName=a\n[Unit]\n',
      'big.container': '#'.repeat(2 ** 20 + 1),
    };
    for (const [name, text] of Object.entries(bad)) await host.writeFile(`/tmp/e/${name}`, text);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('check says what is wrong, of files, directories and bundles, and what the others make', async () => {
    await host.writeFile('/tmp/c/good.container', CONTAINER);
    await host.writeFile('/tmp/c/bad.container', `${CONTAINER}Volumes=/x\n`);
    await host.writeFile('/tmp/c/uses.container', `${CONTAINER}Volume=d.volume:/d\n`);
    await host.writeFile('/tmp/c/d.volume', '[Volume]\n');
    await host.writeFile('/tmp/m.quadlets', `# FileName=web\n${CONTAINER}---\n# FileName=data\n[Volume]\nCopies=no\n`);
    expect(await quadlet('check', '/tmp/c/good.container', 'c/uses.container')).toMatchObject({
      exitCode: 0,
      stdout: '/tmp/c/good.container: good.service\n/tmp/c/uses.container: uses.service\n',
      stderr: '',
    });
    expect(await quadlet('check', 'c')).toMatchObject({
      exitCode: 1,
      stdout: '/tmp/c/d.volume: d-volume.service\n/tmp/c/good.container: good.service\n/tmp/c/uses.container: uses.service\n',
      stderr: `converting "bad.container": unsupported key 'Volumes' in group 'Container' in /tmp/c/bad.container (/tmp/c/bad.container:3, key Volumes). Did you mean Volume?\n`,
    });
    expect(await quadlet('check', 'm.quadlets')).toMatchObject({
      exitCode: 1,
      stdout: '/tmp/web.container: web.service\n',
      stderr: `converting "data.volume": unsupported key 'Copies' in group 'Volume' in /tmp/data.volume (/tmp/m.quadlets:7, key Copies). Did you mean Copy?\n`,
    });
    await host.writeFile('/tmp/n.quadlets', `# FileName=web\n${CONTAINER}---\n# FileName=data\n[Volume]\nnonsense\n`);
    expect(await quadlet('check', 'n.quadlets')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('(/tmp/n.quadlets:7)') as string,
    });
    expect(await installed()).toEqual([]);
  });

  test.each([
    [['check', '/nowhere.container'], 'Error: open /nowhere.container: no such file or directory\n'],
    [['check', '/etc/passwd'], 'Error: /etc/passwd is no kind of Quadlet file\n'],
    [['install', '/nowhere'], 'Error: unable to stat Quadlet path /nowhere: stat /nowhere: no such file or directory\n'],
    [['install', '/etc/passwd'], 'Error: quadlet "/etc/passwd" failed to install: "" is not a supported Quadlet file type\n'],
    [['install', '/proc/self/task'], 'Error: /proc/self/task has no files to install\n'],
    [['install', '/tmp/e/big.container'], 'Error: /tmp/e/big.container is larger than 1048576 bytes\n'],
    [['install', 'http://127.0.0.1:1/'], 'Error: http://127.0.0.1:1/ names no file\n'],
    [['install', '/tmp/e/none.quadlets'], 'Error: quadlet "/tmp/e/none.quadlets" failed to install: no valid quadlet sections found\n'],
    [
      ['install', '/tmp/e/bad.quadlets'],
      `Error: quadlet "/tmp/e/bad.quadlets" failed to install: section 1: missing required '# FileName=<name>' comment at the beginning of quadlet section\n`,
    ],
    [
      ['install', '/tmp/e/out.quadlets'],
      `Error: quadlet "/tmp/e/out.quadlets" failed to install: section 1: FileName '../x' cannot be the name of a file\n`,
    ],
    [['install', '/tmp/e/twice.quadlets'], 'Error: quadlet "/tmp/e/twice.quadlets" failed to install: a.volume is there twice\n'],
    [
      ['install', '/tmp/e/groups.quadlets'],
      'Error: quadlet "/tmp/e/groups.quadlets" failed to install: section 1: no Quadlet group\nWrite one of [Image], [Network], [Volume], [Build], [Artifact], [Pod], [Kube], [Container]\n',
    ],
    [
      ['print', 'nosuch.container'],
      'Error: could not locate quadlet "nosuch.container" in any supported quadlet directory: no such quadlet\nList them with: lichen quadlet list\n',
    ],
    [['print', 'a'], 'Error: "" is not a supported quadlet file type\n'],
    [
      ['rm', 'nosuch.container'],
      'Error: unable to remove Quadlet nosuch.container: could not locate quadlet "nosuch.container" in any supported quadlet directory: no such quadlet\nList them with: lichen quadlet list\n',
    ],
    [['rm'], 'Error: at least one quadlet file must be selected\n'],
    [['list', '--filter', 'bogus=1'], 'Error: bogus is not a valid filter\nWrite name=GLOB\n'],
  ])('%j is one error', async (words, stderr) => {
    expect(await quadlet(...words)).toMatchObject({ exitCode: 125, stdout: '', stderr });
    expect(await installed()).toEqual([]);
  });

  test('install takes a file once, nothing if one of several is there, and what came together goes together', async () => {
    await host.writeFile('/tmp/i/a.container', CONTAINER);
    await host.writeFile('/tmp/i/extra.txt', 'x');
    expect(await quadlet('install', 'i/a.container')).toMatchObject({ exitCode: 0, stdout: `${directory}/a.container\n`, stderr: '' });
    expect(await quadlet('install', 'i/a.container', 'i/extra.txt')).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr:
        'Error: quadlet "i/a.container" failed to install: a Quadlet with name a.container already exists, refusing to overwrite\nReplace it with --replace\n',
    });
    expect(await host.succeed(['quadlet', 'list', '--format', '{{.Name}} {{.Status}} {{.App}}|'])).toBe('a.container Not loaded |');
    expect(await quadlet('install', '--replace', 'i/a.container', 'i/extra.txt')).toMatchObject({
      exitCode: 0,
      stdout: `${directory}/a.container\n${directory}/extra.txt\n`,
    });
    expect(await host.readFile(`${directory}/.a.container.app`)).toBe('a.container\nextra.txt\n');
    expect(await quadlet('print', 'a.container')).toMatchObject({ exitCode: 0, stdout: CONTAINER });
    expect(await quadlet('cat', 'a.container')).toMatchObject({ exitCode: 0, stdout: CONTAINER });
    expect(await quadlet('rm', 'a.container', 'nosuch.volume')).toMatchObject({ exitCode: 125, stdout: 'a.container\n' });
    expect(await quadlet('rm', '--ignore', 'nosuch.volume')).toMatchObject({ exitCode: 0, stdout: 'nosuch.volume\n' });
    expect(await installed()).toEqual([]);
  });

  test('a bundle becomes its files; list shows them, and rm takes the name of the app', async () => {
    await host.writeFile('/tmp/app.quadlets', `# FileName=web\n${CONTAINER}---\n# FileName=data\n[Volume]\n`);
    await quadlet('install', '--reload-systemd=false', 'app.quadlets');
    await host.writeFile(`${directory}/sub/other.container`, CONTAINER);
    const json = JSON.parse(await host.succeed(['quadlet', 'list', '--format', 'json', '--filter', 'name=w*'])) as unknown;
    expect(json).toEqual([
      { Name: 'web.container', UnitName: 'web.service', Path: `${directory}/web.container`, Status: 'Not loaded', App: '.app.app' },
    ]);
    expect((await host.succeed(['quadlet', 'list'])).split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
      'NAME',
      'data.volume',
      'other.container',
      'web.container',
    ]);
    const completed = await host.succeed(['__complete', 'quadlet', 'print', 'w']);
    expect(completed.split('\n')[0]).toBe('web.container');
    expect(await quadlet('rm', 'other.container')).toMatchObject({
      exitCode: 125,
      stderr: `Error: unable to remove Quadlet other.container: ${directory}/sub/other.container was not installed by \`quadlet install\`\nRemove the file itself\n`,
    });
    expect(await quadlet('rm', '.app.app')).toMatchObject({ exitCode: 0, stdout: 'data.volume\nweb.container\n' });
    await quadlet('install', 'app.quadlets');
    expect(await quadlet('rm', '--all')).toMatchObject({ exitCode: 0, stdout: 'data.volume\nweb.container\n' });
    expect(await installed()).toEqual(['sub']);
  });

  test('a record of an app names no file outside', async () => {
    await host.writeFile(`${directory}/a.volume`, '[Volume]\n');
    await host.writeFile(`${directory}/.x.app`, '../precious\n..\na.volume\n');
    await host.writeFile(`${host.user.home}/.config/containers/precious`, 'x');
    expect(await quadlet('rm', 'a.volume')).toMatchObject({ exitCode: 0, stdout: 'a.volume\n' });
    expect(await host.readFile(`${host.user.home}/.config/containers/precious`)).toBe('x');
    expect(await installed()).toEqual([]);
  });

  test('install gets a file from the web, and says why it cannot', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/web.container?x=1') response.end(CONTAINER);
      else if (request.url === '/moved/app.quadlets') response.writeHead(302, { location: '/app.quadlets' }).end();
      else if (request.url === '/app.quadlets') response.end(`# FileName=one\n${CONTAINER}---\n# FileName=two\n[Volume]\n`);
      else if (request.url === '/tmp/e/big.container') response.end(Buffer.alloc(2 ** 20 + 1, '#'));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await quadlet('install', `${url}/web.container?x=1`)).toMatchObject({ exitCode: 0, stdout: `${directory}/web.container\n` });
      expect(await quadlet('print', 'web.container')).toMatchObject({ stdout: CONTAINER });
      expect(await quadlet('install', `${url}/moved/app.quadlets`, `${url}/web.container?x=1`)).toMatchObject({ exitCode: 125 });
      expect(await quadlet('install', '--replace', `${url}/moved/app.quadlets`, `${url}/web.container?x=1`)).toMatchObject({
        exitCode: 0,
        stdout: ['one.container', 'two.volume', 'web.container'].map((name) => `${directory}/${name}\n`).join(''),
      });
      expect(await quadlet('rm', 'two.volume')).toMatchObject({ exitCode: 0, stdout: 'one.container\ntwo.volume\nweb.container\n' });
      expect(await quadlet('install', `${url}/web.container?x=1`)).toMatchObject({ exitCode: 0 });
      expect(await quadlet('install', `${url}/gone.container`)).toMatchObject({
        exitCode: 125,
        stderr: `Error: downloading ${url}/gone.container: status 404\n`,
      });
      expect(await quadlet('install', `${url}/tmp/e/big.container`)).toMatchObject({
        exitCode: 125,
        stderr: `Error: ${url}/tmp/e/big.container is larger than 1048576 bytes\n`,
      });
    } finally {
      server.close();
    }
    expect(await installed()).toEqual(['web.container']);
  });
});
