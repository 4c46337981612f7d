/** The completion scripts in shells they are for. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

/** A script that prints what a shell would complete the line to; bash is told as Readline tells its functions (bash(1), Programmable Completion). */
const SHELLS: Readonly<Record<string, (line: string) => string>> = {
  bash: (line) =>
    `PATH=/opt/lichen/bin:$PATH; source <(lichen completion bash); COMP_LINE='${line}' COMP_POINT=${line.length}; _complete_lichen; printf '%s\\n' "\${COMPREPLY[@]}"`,
  fish: (line) => `set PATH /opt/lichen/bin $PATH; lichen completion fish | source; complete -C '${line}'`,
};

const isInstalled = (shell: string) => ['/bin', '/usr/bin'].some((directory) => existsSync(`${directory}/${shell}`));

/** What was typed, and the word that its last one becomes. */
const TYPED = [
  ['a command', 'lichen inspe', 'inspect'],
  ['a command of a group', 'lichen volume ins', 'inspect'],
  ['a flag', 'lichen run --entryp', '--entrypoint'],
  ['a container', 'lichen rm alp', 'alpha-one'],
  ['an image', 'lichen rmi localhost/bu', 'localhost/busybox'],
  ['a volume', 'lichen volume rm spe', 'special'],
] as const;

describe.skipIf(!canRunContainers)('completion', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost();
    await host.succeed(['create', '--name', 'alpha-one', BUSYBOX]);
    await host.succeed(['volume', 'create', 'special']);
  });
  afterAll(async () => {
    await host.succeed(['rm', 'alpha-one']);
    await host.succeed(['volume', 'rm', 'special']);
    await host[Symbol.asyncDispose]();
  });

  describe.each(Object.keys(SHELLS))('in %s', (shell) => {
    test.skipIf(!isInstalled(shell)).each(TYPED)('%s', async (_what, line, word) => {
      const { stdout } = await host.run([shell, '-c', SHELLS[shell]!(line)]);
      const candidates = stdout.split('\n').map((candidate) => candidate.split('\t')[0]!);
      expect(
        candidates.some((candidate) => candidate.startsWith(word)),
        stdout,
      ).toBe(true);
    });
  });
});
