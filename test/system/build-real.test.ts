/** Builds as people write them, on a Debian root: packages by apt-get over the network, npm ci with a cache, gcc in a stage before; each result runs. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { canMakeDebian, plainDebian, type PlainDebian } from '../fixtures/build/debian.ts';
import { npmAnswers, npmArchive } from '../fixtures/build/npm.ts';
import { freePort, testHost, type TestHost } from '../host/host.ts';
import { removeNow } from '../host/loaded.ts';

const MINUTES = 60_000;
/** Without servers of the outside: packages come from one on loopback. */
const INSTALL = `ARG DEBIAN
RUN echo "deb [trusted=yes] $DEBIAN ./" > /etc/apt/sources.list && apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends`;
const CLEAN = 'apt-get clean && rm -rf /var/lib/apt/lists/*';

describe.skipIf(!canMakeDebian)('a build on a Debian root', { timeout: 3 * MINUTES }, () => {
  let host: TestHost;
  let debian: PlainDebian;
  let server: Server;
  let port: number;
  /** What was asked of the server. */
  const asked: string[] = [];
  const served = new Map<string, Buffer>();

  beforeAll(async () => {
    debian = await plainDebian();
    server = createServer((request, response) => {
      const url = request.url ?? '';
      asked.push(url);
      answer(url).then(
        (body) => response.end(body),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    host = await testHost();
    await host.succeed(['import', host.fixture(debian.tar), 'debian:plain'], { timeoutMs: 2 * MINUTES });
  }, 10 * MINUTES);
  afterEach(() => removeNow(host, 'web', 'app'));
  afterAll(async () => {
    server.close();
    await host[Symbol.asyncDispose]();
  });

  async function answer(url: string): Promise<Buffer> {
    return served.get(url) ?? readFile(join(debian.repository, basename(url)));
  }

  /** The build network and what it reaches the server's loopback by. */
  function reaching(network: 'pasta' | 'slirp4netns'): readonly string[] {
    const [words, address] = network === 'pasta' ? [`pasta:-T,${port}`, '127.0.0.1'] : ['slirp4netns:allow_host_loopback=true', '10.0.2.2'];
    return [`--network=${words}`, `--build-arg=DEBIAN=http://${address}:${port}`];
  }

  async function context(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const directory = `${host.user.home}/${name}`;
    for (const [path, content] of Object.entries(files)) await host.writeFile(`${directory}/${path}`, content);
    return directory;
  }

  function build(cwd: string, tag: string, flags: readonly string[]): Promise<string> {
    return host.succeed(['build', ...flags, '-t', tag, '.'], { cwd, timeoutMs: 2 * MINUTES });
  }

  test('has nginx by apt-get, which serves; owners and capabilities of files are those that dpkg gave', async () => {
    const cwd = await context('web', {
      Dockerfile: `FROM debian:plain
${INSTALL} nginx-light iputils-ping && ${CLEAN}
COPY --chown=www-data page /var/www/html/page
EXPOSE 80
CMD ["nginx", "-g", "daemon off;"]
`,
      page: 'built in\n',
    });
    await build(cwd, 'web', reaching('pasta'));
    const web = await freePort();
    await host.succeed(['run', '-d', '--name=web', '-p', `127.0.0.1:${web}:80`, 'web']);
    const page = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${web}/${path}`)).text();
    await expect.poll(() => page('page'), { timeout: 15_000 }).toBe('built in\n');
    expect(await page('')).toContain('Welcome to nginx');
    const facts = `getcap /bin/ping; stat -c '%U:%G %a' /bin/su /var/log/nginx /var/www/html/page; dpkg --audit; ls /var/lib/apt/lists`;
    expect(await host.succeed(['exec', 'web', 'sh', '-c', facts])).toBe(
      '/bin/ping cap_net_raw=ep\nroot:root 4755\nroot:adm 755\nwww-data:www-data 644',
    );
  });

  test('has an app with its packages by npm ci, the second time from the cache alone', async () => {
    const registry = `http://127.0.0.1:${port}`;
    const packages = [
      {
        name: 'greeting',
        version: '2.1.0',
        fields: {
          dependencies: { words: '^1.0.0' },
          bin: { greet: 'greet.js' },
          scripts: { install: 'node -p process.platform > platform' },
        },
        files: {
          'index.js': `module.exports = (name) => require('words').hello + ' ' + name;\n`,
          'greet.js': `#!/usr/bin/env node\nconsole.log(require('./index.js')(process.argv[2]), require('fs').readFileSync(__dirname + '/platform', 'utf8').trim());\n`,
        },
      },
      { name: 'words', version: '1.0.3', files: { 'index.js': `exports.hello = 'hello';\n` } },
    ];
    for (const each of packages) for (const [url, body] of await npmAnswers(registry, each)) served.set(url, body);
    const node = await context('node', {
      Dockerfile: `FROM debian:plain
${INSTALL} nodejs && ${CLEAN}
ADD npm.tgz /usr/lib/node_modules/
RUN ln -s ../lib/node_modules/package/bin/npm-cli.js /usr/bin/npm && npm --version
`,
      'npm.tgz': await readFile(await npmArchive()),
    });
    await build(node, 'node', reaching('slirp4netns'));

    const app = (version: string) =>
      JSON.stringify({ name: 'app', version, scripts: { start: 'node server.js' }, dependencies: { greeting: '^2.0.0' } });
    const cwd = await context('app', {
      Dockerfile: `FROM node
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --prefer-offline
COPY . .
USER www-data
CMD ["node", "server.js"]
`,
      '.dockerignore': 'node_modules\n',
      '.npmrc': `registry=${registry}\nfetch-retries=0\nupdate-notifier=false\n`,
      'package.json': app('1.0.0'),
      'server.js': `const { version } = require('./package.json');
require('http').createServer((_, response) => response.end(require('greeting')(version))).listen(8000);
`,
    });
    const network = `--network=pasta:-T,${port}`;
    await host.succeed(['run', '--rm', network, '-v', '.:/app', '-w', '/app', 'node', 'npm', 'install', '--package-lock-only'], { cwd });

    const answersWith = async (version: string): Promise<void> => {
      const published = await freePort();
      await host.succeed(['run', '-d', '--name=app', '-p', `127.0.0.1:${published}:8000`, 'app']);
      await expect
        .poll(() => fetch(`http://127.0.0.1:${published}/`).then((response) => response.text(), String), { timeout: 15_000 })
        .toBe(`hello ${version}`);
      expect(await host.succeed(['exec', 'app', 'node_modules/.bin/greet', 'you'])).toBe('hello you linux');
      await removeNow(host, 'app');
    };
    await build(cwd, 'app', [network]);
    await answersWith('1.0.0');
    expect(
      await host.succeed(['run', '--rm', '--network=none', '--user=0', 'app', 'sh', '-c', 'ls -A /root/.npm 2>/dev/null; id -u']),
    ).toBe('0');

    await host.writeFile(`${cwd}/package.json`, app('1.0.1'));
    const before = asked.length;
    expect(await build(cwd, 'app', ['--network=none', '--no-cache'])).toMatch(/added 2 packages/);
    expect(asked.slice(before)).toEqual([]);
    await answersWith('1.0.1');
  });

  test('is a static program of gcc alone', async () => {
    const cwd = await context('program', {
      Dockerfile: `FROM debian:plain AS compiler
${INSTALL} gcc libc6-dev && ${CLEAN}
FROM compiler AS program
WORKDIR /src
COPY . .
ARG NAME=nobody
RUN gcc -Wall -Werror -O2 -static -DNAME="\\"$NAME\\"" -o /program main.c lines.c
RUN test "$(echo | /program)" = "$NAME: 1"
FROM scratch
COPY --from=program /program /bin/program
ENTRYPOINT ["/bin/program"]
`,
      'main.c':
        '#include <stdio.h>\n#include "lines.h"\nint main(int count, char **words) { printf("%s: %d\\n", NAME, lines(stdin)); return count - 1; }\n',
      'lines.c':
        '#include "lines.h"\nint lines(FILE *file) { int c, n = 0; while ((c = getc(file)) != EOF) n += c == \'\\n\'; return n; }\n',
      'lines.h': '#include <stdio.h>\nint lines(FILE *file);\n',
    });
    const names = ['--build-arg=NAME=counter', '--layers'];
    await build(cwd, 'program', [...reaching('slirp4netns'), ...names]);
    const ran = await host.lichen(['run', '--rm', '-i', '--network=none', 'program', 'one', 'two'], { input: 'a\nb\n' });
    expect(ran).toMatchObject({ stdout: 'counter: 2\n', stderr: '', exitCode: 2 });
    expect(await host.succeed(['image', 'inspect', '--format', '{{len .RootFS.Layers}}', 'program'])).toBe('1');
    expect(await host.lichen(['system', 'check'])).toMatchObject({ stdout: '', exitCode: 0 });
  });
});
