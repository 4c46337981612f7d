/** Containers on a real terminal: what a person at tmux types, sees and closes. */
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { Tmux } from '../host/tmux.ts';

const NAME = 'seen';
const RUN = `lichen run -it --network none --name ${NAME} ${BUSYBOX}`;
/** Prompts of the container's shell and of the one outside, waiting. */
const INNER = /^\/ # ?$/m;
const OUTER = /outer\$ ?$/m;
const DETACH = ['C-p', 'C-q'] as const;

let host: TestHost;
let tmux: Tmux;

const stateOf = (what: string) => host.succeed(['inspect', '--format', `{{.State.${what}}}`, NAME]);

/** How often somebody has attached to the container. */
async function attachments(): Promise<number> {
  const id = await host.succeed(['inspect', '--format', '{{.Id}}', NAME]);
  const events = await host.succeed([
    'events',
    '--stream=false',
    '--filter',
    'event=attach',
    '--filter',
    `container=${id}`,
    '--format',
    '{{.ID}}',
  ]);
  return events.split('\n').filter((line) => line !== '').length;
}

/** Enter a line in the container's shell or the outer one, and wait for an answer that is not the echo of the line. */
async function ask(line: string, answer: RegExp): Promise<string> {
  await tmux.enter(line);
  return await tmux.waitForScreen(answer);
}

async function openShell(command = RUN): Promise<void> {
  await tmux.enter(command);
  await tmux.waitForScreen(INNER);
}

/** The outer shell has the terminal again, and all its modes are as they were. */
async function expectRestored(status: number): Promise<void> {
  const screen = await ask('echo "status $?" $([ "$(stty -g)" = "$before" ] && echo kept || stty -g)', /^status \d+ \w+/m);
  expect(screen).toMatch(new RegExp(`^status ${status} kept$`, 'm'));
}

describe.skipIf(!canRunContainers || !existsSync('/usr/bin/tmux'))('a container in tmux', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  beforeEach(async () => {
    tmux = await Tmux.start(host, { columns: 132 });
    await tmux.enter('before=$(stty -g); clear');
  });
  afterEach(async () => {
    await removeNow(host, NAME);
    await tmux[Symbol.asyncDispose]();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('a line can be edited, ctrl-c and ctrl-z reach the program in the container, the exit status comes out', async () => {
    await openShell();
    await tmux.press('e', 'c', 'h', 'o', 'Space', 'a', 'c', 'x', 'BSpace', 'Left', 'b', 'Enter');
    await tmux.waitForScreen(/^abc$/m);
    await ask('cat', /^\/ # cat$/m);
    await tmux.press('C-c');
    await tmux.waitForScreen(/^\^C\n\/ # ?$/m);
    await ask('cat', /# cat\n\^C\n\/ # cat$/m);
    await tmux.press('C-z');
    await tmux.waitForScreen(/^\^Z.*Stopped +cat$/m);
    expect(await stateOf('Status')).toBe('running');
    await ask('fg', /^cat$/m);
    await ask('once more', /^once more\nonce more$/m);
    await tmux.press('C-d');
    await tmux.waitForScreen(/^once more\n\/ # ?$/m);
    await tmux.enter('exit 5');
    await tmux.waitForScreen(OUTER);
    await expectRestored(5);
  });

  test('ctrl-p ctrl-q leaves it, ctrl-z is the outer shell’s again, and attach comes back', async () => {
    await openShell();
    await tmux.press(...DETACH);
    await tmux.waitForScreen(/\/ # outer\$ ?$/m);
    await expectRestored(0);
    await ask('cat', /outer\$ cat$/m);
    await tmux.press('C-z');
    await tmux.waitForScreen(/Stopped +cat$/m);
    expect(await stateOf('Status')).toBe('running');

    await tmux.enter(`clear; lichen attach ${NAME}`);
    await expect.poll(attachments).toBe(2);
    await ask('echo back-$((6 * 7))', /^back-42$/m);
    await tmux.press(...DETACH);
    await tmux.waitForScreen(/^\/ # ?\nouter\$ ?$/m);
    await expectRestored(0);
  });

  test('exec gives a second terminal, which can be left, too', async () => {
    await host.succeed(['run', '-d', '--network', 'none', '--name', NAME, BUSYBOX, 'sleep', '1000']);
    await openShell(`lichen exec -it ${NAME} sh`);
    await ask('tty; stty size', /^\/dev\/pts\/\d+\n24 132$/m);
    await tmux.resize(31, 101);
    await expect.poll(() => ask('clear; stty size', /^\d+ \d+$/m)).toMatch(/^31 101$/m);
    await tmux.enter('exit 3');
    await tmux.waitForScreen(OUTER);
    await expectRestored(3);
    await tmux.enter('clear');
    await openShell(`lichen exec -it ${NAME} sh`);
    await tmux.press(...DETACH);
    await tmux.waitForScreen(/\/ # outer\$ ?$/m);
    await expectRestored(0);
  });

  test.skipIf(!existsSync('/usr/bin/vim.tiny'))('the machine’s own bash, vim and top work as outside', async () => {
    const inner = /^inner# ?$/m;
    await tmux.enter(`lichen run -it --network none --name ${NAME} -e PS1='inner# ' --rootfs /:O bash --norc`);
    await tmux.waitForScreen(inner);
    await ask('echo "is ${BASH_VERSION%%.*}" $COLUMNS', /^is \d+ 132$/m);
    await tmux.press('Up', 'C-e', 'Space', 'x', 'y', 'C-h', 'Enter');
    await tmux.waitForScreen(/^is \d+ 132 x$/m);
    await tmux.press('n', 'o', 't', 'C-c');
    await tmux.waitForScreen(/^inner# not\^C\ninner# ?$/m);
    await tmux.enter('clear; sleep 1000');
    await expect.poll(() => host.processes().some(({ command }) => command === 'sleep 1000')).toBe(true);
    await tmux.press('C-z');
    await tmux.waitForScreen(/Stopped +sleep 1000$/m);
    await ask('fg', /^sleep 1000$/m);
    await tmux.press('C-c');
    await tmux.waitForScreen(/^\^C\ninner# ?$/m);

    await tmux.enter('for i in $(seq 100); do echo "line $i"; done > /tmp/text; vim.tiny -u NONE -N /tmp/text');
    await tmux.waitForScreen(/^line 1\n[^]*^line 23\n"\/tmp\/text" 100L/m);
    await tmux.resize(40, 60);
    await tmux.waitForScreen(/^line 1\n[^]*^line 39\n/m);
    await tmux.press(...DETACH);
    await tmux.waitForScreen(OUTER);
    await tmux.enter(`clear; lichen attach ${NAME}`);
    await expect.poll(attachments).toBe(2);
    await tmux.press('C-l', 'G');
    await tmux.waitForScreen(/^line 62\n[^]*^line 100\n/m);
    await tmux.press('O');
    await tmux.waitForScreen(/^-- INSERT --/m);
    await tmux.press('n', 'e', 'w', 'Escape');
    // What follows at once would be taken for the rest of an escape sequence.
    await tmux.waitForScreen(/^(?![^]*INSERT)/);
    await tmux.enter(':wq');
    await tmux.waitForScreen(inner);
    await ask('clear; tail -n 3 /tmp/text', /^line 99\nnew\nline 100\ninner# ?$/m);

    await tmux.enter('clear; top -d 1');
    await tmux.waitForScreen(/^top - [^]*^ +PID USER .*CPU$\n^ +1 root /m);
    await tmux.resize(24, 100);
    await tmux.waitForScreen(/^top - [^]*^ +PID USER [^]* bash$/m);
    await tmux.press('q');
    await tmux.waitForScreen(inner);
    await tmux.enter('clear; exit 4');
    await tmux.waitForScreen(OUTER);
    await expectRestored(0);
    expect(await stateOf('ExitCode')).toBe('4');
  });

  test('a full-screen editor is drawn, drawn again after a change of size, and leaves the shell’s screen usable', async () => {
    await openShell();
    await tmux.enter('for i in $(seq 100); do echo "line $i"; done > /tmp/text; vi /tmp/text');
    await tmux.waitForScreen(/^line 1\n[^]*^line 23\n- \/tmp\/text 1\/100 1%/m);
    await tmux.resize(40, 60);
    await tmux.waitForScreen(/^line 1\n[^]*^line 39\n- \/tmp\/text 1\/100 1%/m);
    await tmux.resize(12, 70);
    await tmux.waitForScreen(/^line 1\n[^]*^line 11\n- \/tmp\/text 1\/100 1%/m);
    await tmux.enter('Ochanged');
    await tmux.press('Escape');
    // What follows at once would be taken for the rest of an escape sequence.
    await tmux.waitForScreen(/^- \/tmp\/text \[Modified\]/m);
    await tmux.enter(':wq');
    await tmux.waitForScreen(INNER);
    await ask('clear; head -n 1 /tmp/text; stty size', /^changed\n12 70\n\/ # ?$/m);
  });

  test('top follows the size', async () => {
    await openShell();
    await tmux.enter('top -d 1');
    const narrow = await tmux.waitForScreen(/^ +1 +0 root .* sh$/m);
    expect(narrow.split('\n')[0]!.length).toBeLessThanOrEqual(80);
    await tmux.resize(24, 40);
    await tmux.waitForScreen(/^Mem: .{0,35}\n/);
    await tmux.resize(24, 120);
    await tmux.waitForScreen(/^Mem:.*used,.*free,.*shrd,.*buff,.*cached$/m);
    await tmux.press('q');
    await tmux.waitForScreen(INNER);
    await ask('stty size', /^24 120$/m);
  });

  test('after a storm of sizes the last one holds', async () => {
    await openShell();
    for (let step = 0; step < 30; step++) await tmux.resize(20 + step, 60 + step);
    await tmux.resize(25, 77);
    await expect.poll(() => ask('clear; stty size', /^\d+ \d+$/m)).toMatch(/^25 77$/m);
  });

  test('a megabyte that is pasted arrives whole', async () => {
    await openShell();
    // The line discipline keeps 4095 bytes of a line at most (termios(3), Canonical and noncanonical mode).
    const line = (at: number) => `${String(at).padStart(6, '0')} ${'x'.repeat(1016)}\n`;
    const pasted = Array.from({ length: 1024 }, (_, at) => line(at)).join('');
    await tmux.enter('stty -echo; cat > /tmp/pasted; stty echo; echo "it has" $(wc -c < /tmp/pasted)');
    await tmux.paste(pasted);
    await tmux.press('C-d');
    await tmux.waitForScreen(/^it has 1048576$/m);
    expect(await host.succeed(['exec', NAME, 'cat', '/tmp/pasted'])).toBe(pasted.trimEnd());
  });

  test.each([
    ['exec', `exec -it ${NAME} sh`, 137],
    ['attach', `attach ${NAME}`, 0],
    ['start', `start -ai ${NAME}`, 137],
  ])('%s gives the terminal back when the container is killed', async (verb, words, status) => {
    await host.succeed([...(verb === 'start' ? ['create'] : ['run', '-d']), '-it', '--network', 'none', '--name', NAME, BUSYBOX]);
    await tmux.enter(`lichen ${words}`);
    if (verb === 'attach') await expect.poll(attachments).toBe(1);
    else await tmux.waitForScreen(INNER);
    await host.succeed(['kill', NAME]);
    await tmux.waitForScreen(OUTER);
    await expectRestored(status);
  });

  test.each(['TERM', 'HUP', 'QUIT'])('SIG%s of the command goes to the container, and the terminal is given back', async (signal) => {
    await tmux.enter(`${RUN} sh -c 'trap "exit 9" ${signal}; echo up; while :; do sleep 0.05; done'`);
    await tmux.waitForScreen(/^up$/m);
    const { pid } = host.processes().find(({ command }) => command.includes(`main.cjs ${RUN.slice('lichen '.length)}`))!;
    await host.run(sh(`kill -${signal} ${pid}`));
    await tmux.waitForScreen(OUTER);
    await expectRestored(9);
  });

  test('the container lives on when its terminal is closed, and has been told', async () => {
    await tmux.enter(`${RUN} sh -c 'trap "echo told > /tmp/hup" HUP; echo up; while :; do sleep 0.05; done'`);
    await tmux.waitForScreen(/^up$/m);
    await tmux.close();
    await expect.poll(() => host.lichen(['exec', NAME, 'cat', '/tmp/hup'])).toMatchObject({ stdout: 'told\n' });
    expect(await stateOf('Status')).toBe('running');
    tmux = await Tmux.start(host);
    await tmux.enter(`lichen attach ${NAME}; echo "status $?"`);
    await expect.poll(attachments).toBe(2);
    await tmux.press(...DETACH);
    await tmux.waitForScreen(/^status 0$/m);
    expect(await stateOf('Status')).toBe('running');
  });
});
