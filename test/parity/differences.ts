/** Where lichen may say something else than Podman, and why. Everything that is not here must be the same. */
import { expect } from 'vitest';
import type { Recorded } from './goldens.ts';
import type { Said } from './normalise.ts';

interface Difference {
  readonly why: string;
  readonly cases: readonly string[];
  readonly instead: { readonly [K in keyof Said]?: unknown };
}

const DIFFERENCES: readonly Difference[] = [
  {
    why: 'the words of crun change with its version',
    cases: ['container cmd not executable', 'container cmd is a directory'],
    instead: { stderr: expect.stringMatching(/^Error: crun: .+: OCI permission denied$/) },
  },
  {
    why: 'the words of crun change with its version',
    cases: ['container command not found (abs path)', 'bad entrypoint'],
    instead: {
      stderr: expect.stringMatching(
        /^Error: crun: executable file `\/no\/such` not found.*: No such file or directory: OCI runtime attempted to invoke a command that was not found$/,
      ),
    },
  },
  {
    why: 'refused before there is a container, because no directory of that name can exist',
    cases: ['relative workdir'],
    instead: { exitCode: 125, stderr: 'Error: the working directory "nosuch" is invalid, it needs to be an absolute path' },
  },
  {
    why: 'refused before there is a container, not by the runtime',
    cases: ['swap without memory'],
    instead: { exitCode: 125, stderr: 'Error: cannot set swap limit without the memory limit' },
  },
  {
    why: 'nothing is asked where nobody can answer',
    cases: ['login: password wanted'],
    instead: {
      stdout: '',
      stderr: expect.stringMatching(/^Error: getting username and password: reading password: no terminal to ask at/),
    },
  },
  {
    why: 'an id file is never written over',
    cases: ['cidfile exists'],
    instead: { stderr: 'Error: container id file exists. Ensure another container is not using it or delete /etc/passwd' },
  },
];

/** What lichen has to say where Podman said this. */
export function expected({ name, exitCode, stdout, stderr }: Recorded): object {
  return { exitCode, stdout, stderr, ...DIFFERENCES.find(({ cases }) => cases.includes(name))?.instead };
}

/** After Podman's words lichen may say in one more line what to do. */
export function withoutHint(said: Said, podman: Said): Said {
  const hint = said.stderr.startsWith(`${podman.stderr}\n`) && podman.stderr.startsWith('Error: ');
  const added = said.stderr.slice(podman.stderr.length + 1);
  return hint && !added.includes('\n') ? { ...said, stderr: podman.stderr } : said;
}
