/** The completion scripts in shells they are for. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

/** A script that prints what a shell would complete the line to; bash is told as Readline tells its functions (bash(1), Programmable Completion). */
const SHELLS: Readonly<Record<string, (line: string) => string>> = {
  bash: (line) =>
    `PATH=/opt/lichen/bin:$PATH; source <(lichen completion bash); COMP_LINE='${line}' COMP_POINT=${line.length}; _complete_lichen; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (line) => typedInZsh(line, 'compinit -u; source <(lichen completion zsh)'),
  fish: (line) => `set PATH /opt/lichen/bin $PATH; lichen completion fish | source; complete -C '${line}'`,
};

/**
 * A script for zsh that gives an interactive zsh on a terminal of its own the line and the tab key, and prints all that appears, and
 * at the end the line as it has become. `setUp` is what the user's .zshrc would have.
 */
function typedInZsh(line: string, setUp: string): string {
  const tell = String.raw`tell() { print -r -- "<$BUFFER>" }; zle -N tell; bindkey "^T" tell`;
  return `zmodload zsh/zpty; PATH=/opt/lichen/bin:$PATH
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; ${setUp}; ${tell}; echo set "up"'
zpty -r shell seen '*set up*'
zpty -w -n shell $'${line}\t\x14'
zpty -r shell seen '*<*>*'
zpty -d shell
print -r -- $seen
print -r -- \${\${seen##*<}%>*}`;
}

const isInstalled = (shell: string) => ['/bin', '/usr/bin'].some((directory) => existsSync(`${directory}/${shell}`));

/** What was typed, and the word that its last one becomes. */
const TYPED = [
  ['a command', 'lichen inspe', 'inspect'],
  ['a command of a group', 'lichen volume ins', 'inspect'],
  ['a flag', 'lichen run --entryp', '--entrypoint'],
  ['a value of a flag', 'lichen run --network=sl', 'slirp4netns'],
  ['a file', 'lichen load --input /etc/hostn', '/etc/hostname'],
  ['a file after =', 'lichen load --input=/etc/hostn', '/etc/hostname'],
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
        candidates.some((candidate) => candidate.includes(word)),
        stdout,
      ).toBe(true);
    });
  });

  describe.skipIf(!isInstalled('zsh'))('in zsh', () => {
    test('a script in a directory of fpath completes from the first time on', async () => {
      await host.writeFile(`${host.user.home}/functions/_lichen`, await host.succeed(['completion', 'zsh']));
      const { stdout } = await host.run(['zsh', '-c', typedInZsh('lichen inspe', 'fpath=(~/functions $fpath); compinit -u')]);
      expect(stdout).toContain('<lichen inspect >');
    });

    test('where several things may follow they are listed with what they do, names alone', async () => {
      const inZsh = async (line: string) => (await host.run(['zsh', '-c', SHELLS['zsh']!(line)])).stdout;
      expect(await inZsh('lichen volume ')).toMatch(/create +-- Create a volume/);
      await host.succeed(['volume', 'create', 'spectrum']);
      const names = await inZsh('lichen volume rm spec');
      await host.succeed(['volume', 'rm', 'spectrum']);
      expect(names).toMatch(/special +spectrum/);
    });

    test('--no-desc leaves out what they do', async () => {
      const line = typedInZsh('lichen volume ', 'compinit -u; source <(lichen completion --no-desc zsh)');
      const { stdout } = await host.run(['zsh', '-c', line]);
      expect(stdout).toMatch(/create +export/);
    });
  });
});
