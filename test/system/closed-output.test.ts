/** A reader of our output that goes away: the command ends as SIGPIPE ends any program, and says nothing. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow } from '../host/loaded.ts';

const NAME = 'talker';
/** More than pipes and sockets on the way hold; then it lives on. */
const TALK = `sh -c 'yes | head -c 3000000; sleep 1000'`;
const TALK_ON_STDERR = `sh -c 'yes | head -c 3000000 >&2; sleep 1000'`;
const CONTAINER = `--network none --name ${NAME} ${BUSYBOX}`;
const BROKEN = 141;

let host: TestHost;

const bash = (script: string) => host.run(['bash', '-c', script]);
const state = () => host.succeed(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', NAME]);

describe.skipIf(!canRunContainers)('a reader that goes away', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterEach(() => removeNow(host, NAME));
  afterAll(() => host[Symbol.asyncDispose]());

  test.each([
    ['run', undefined, `lichen run ${CONTAINER} ${TALK}`],
    ['run --rm', undefined, `lichen run --rm ${CONTAINER} ${TALK}`],
    ['run of one that writes to stderr', undefined, `(lichen run ${CONTAINER} ${TALK_ON_STDERR} 2>&1 > /dev/null)`],
    ['run --tty', undefined, `lichen run -t ${CONTAINER} ${TALK}`],
    ['start --attach', `lichen create ${CONTAINER} ${TALK}`, `lichen start -a ${NAME}`],
    ['attach', `lichen run -d ${CONTAINER} sh -c 'while :; do echo y; sleep 0.02; done'`, `lichen attach ${NAME}`],
    ['exec --tty', `lichen run -d ${CONTAINER} sleep 1000`, `lichen exec -t ${NAME} ${TALK}`],
    ['logs --follow', `lichen run -d ${CONTAINER} ${TALK}`, `lichen logs -f ${NAME}`],
    ['stats', `lichen run -d ${CONTAINER} sleep 1000`, `lichen stats --no-reset --interval 1 ${NAME}`],
  ])('%s ends quietly, the container runs on', async (_what, before, command) => {
    if (before !== undefined) expect((await bash(before)).exitCode).toBe(0);
    const { stdout, stderr } = await bash(`${command} | head -n 1; echo "status \${PIPESTATUS[0]}"`);
    expect(stdout).toMatch(new RegExp(`^.+\\r?\nstatus ${BROKEN}\n$`));
    expect(stderr).toBe('');
    expect(await state()).toBe('running 0');
  });

  test('what runs in exec without a terminal writes to the reader itself, and is ended', async () => {
    await host.succeed(['run', '-d', '--network', 'none', '--name', NAME, BUSYBOX, 'sleep', '1000']);
    const { stdout, stderr } = await bash(`lichen exec ${NAME} yes | head -n 1; echo "status \${PIPESTATUS[0]}"`);
    expect({ stdout, stderr }).toEqual({ stdout: `y\nstatus ${BROKEN}\n`, stderr: '' });
  });

  test('a container that ends after its reader has the exit status of its own, and its output is in the log', async () => {
    const { stdout } = await bash(
      `lichen run ${CONTAINER} sh -c 'yes | head -c 3000000; exit 6' | head -n 1; echo "status \${PIPESTATUS[0]}"`,
    );
    expect(stdout).toBe(`y\nstatus ${BROKEN}\n`);
    expect(await host.succeed(['wait', NAME])).toBe('6');
    expect(await state()).toBe('exited 6');
    expect((await bash(`lichen logs ${NAME} | wc -c`)).stdout).toBe('3000000\n');
    expect((await bash(`lichen logs ${NAME} | head -n 1; echo "status \${PIPESTATUS[0]}"`)).stdout).toBe(`y\nstatus ${BROKEN}\n`);
  });

  test.each([
    ['ps', `lichen ps`],
    ['images', 'lichen images'],
    ['inspect', `lichen inspect ${BUSYBOX}`],
    ['info', 'lichen info'],
    ['--help', 'lichen run --help'],
    ['save', `lichen save ${BUSYBOX}`],
    ['run --detach', `lichen run -d ${CONTAINER} true`],
    ['create', `lichen create ${CONTAINER} true`],
    ['pull of what is there', `lichen pull --policy never ${BUSYBOX}`],
  ])('%s into a pipe without a reader ends quietly', async (_what, command) => {
    // The process at the other end is gone before the command starts.
    const { stdout, stderr } = await bash(`exec 3> >(:); wait $!; ${command} >&3; echo "status $?"`);
    expect({ stdout, stderr }).toEqual({ stdout: `status ${BROKEN}\n`, stderr: '' });
  });
});
