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
    why: 'nothing is asked where nobody can answer',
    cases: ['push: bad creds'],
    instead: { stdout: '', stderr: expect.stringMatching(/^Error: could not read username: no terminal to ask at/) },
  },
  {
    why: 'the place itself is named, not the first directory that is missing on the way',
    cases: [
      'pull: from no OCI archive',
      'pull: from no directory',
      'pull: from no OCI directory',
      'manifest add: no OCI archive',
      'manifest add: no directory',
      'manifest add: no OCI directory',
    ],
    instead: { stderr: expect.stringMatching(/^Error: .*\/no\/such/) },
  },
  {
    why: 'Podman fails over a temporary file of its own',
    cases: ['save: a directory to stdout'],
    instead: { stderr: expect.stringMatching(/^Error: format "oci-dir" is a directory and cannot be written to a stream\n/) },
  },
  {
    why: 'Podman does not look at further names',
    cases: ['save: bad tag'],
    instead: { exitCode: 125, stderr: 'Error: parsing reference "UPPER": repository name must be lowercase' },
  },
  {
    why: 'an artifact of such a name cannot be listed, pushed or named again: Podman makes it, and fails from then on',
    cases: ['artifact add: bad name'],
    instead: { exitCode: 125, stdout: '', stderr: 'Error: Invalid image UPPER' },
  },
  {
    why: 'a file that is not in the artifact is not extracted: Podman takes the only one there is',
    cases: ['artifact extract: no such title'],
    instead: { exitCode: 125, stderr: 'Error: no blob with the title "nosuch"' },
  },
  {
    why: 'Podman names a directory of its store',
    cases: ['artifact push: unknown'],
    instead: { stderr: 'Error: localhost/nosuch:1: artifact does not exist' },
  },
  {
    why: 'an image has one manifest, that which it came with last: Podman keeps and counts each it ever came with',
    cases: ['system df: fields'],
    instead: { stdout: expect.stringMatching(/^Images 15 0 2\.18MB \(100%\)\nContainers 0 0 0B \(0%\)\nLocal Volumes 0 0 0B \(0%\)$/) },
  },
  {
    why: 'an image of this store is found by its short name: Podman asks the registry "localhost"',
    cases: ['manifest annotate: an entry'],
    instead: { exitCode: 0, stdout: 'ID1', stderr: '' },
  },
  {
    why: 'Podman names directories of its store',
    cases: ['manifest add: unknown in the store'],
    instead: {
      stderr:
        'Error: setting up to read manifest and configuration from "containers-storage:localhost/nosuch": localhost/nosuch: image not known',
    },
  },
  {
    why: 'keys are not looked into',
    cases: ['trust show', 'trust show: one'],
    instead: { stderr: '' },
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
