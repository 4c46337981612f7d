/** Flags that several commands have in the same words. */
import { flagTable } from '../flag.ts';

export const SELECTION = flagTable({
  all: { kind: 'bool', short: 'a', help: 'Act on all containers' },
  latest: { kind: 'bool', short: 'l', help: 'Act on the container created last' },
});

export const LATEST = flagTable({ latest: SELECTION.latest });

export const ID_FILES = flagTable({ cidfile: { kind: 'stringArray', help: 'Read the id of a container from a file', complete: 'file' } });

export const FILTER = flagTable({ filter: { kind: 'stringArray', short: 'f', help: 'Act only on what matches (key=value)' } });

/** `--filter` where `-f` means something else. */
export const LONG_FILTER = flagTable({ filter: { kind: 'stringArray', help: 'Act only on what matches (key=value)' } });

export const DETACH_KEYS = flagTable({
  'detach-keys': {
    kind: 'string',
    help: 'Keys that detach from the container: a character or ctrl-VALUE, separated by commas',
    shownDefault: 'ctrl-p,ctrl-q',
  },
});

export const STOP_TIME = flagTable({
  time: { kind: 'int', short: 't', aliases: ['timeout'], help: 'Seconds between the stop signal and SIGKILL', shownDefault: 10 },
});

export const JSON_FORMAT = flagTable({
  format: { kind: 'string', short: 'f', help: 'Print as JSON or by a Go template', default: 'json' },
});

export const FORCE = flagTable({ force: { kind: 'bool', short: 'f', help: 'Do not ask for confirmation' } });

/** Of `container checkpoint` and `container restore`. */
export const CHECKPOINT = flagTable({
  ...SELECTION,
  'file-locks': { kind: 'bool', help: 'Take file locks along' },
  'ignore-rootfs': { kind: 'bool', help: 'Leave the root file system out' },
  'ignore-volumes': { kind: 'bool', help: 'Leave volumes out' },
  keep: { kind: 'bool', short: 'k', help: 'Keep all temporary files' },
  'print-stats': { kind: 'bool', help: 'Print statistics' },
  'tcp-established': { kind: 'bool', help: 'Take established TCP connections along' },
});

/** Where an image comes from and for which machine. */
export const IMAGE_SOURCE = flagTable({
  arch: { kind: 'string', placeholder: 'ARCH', help: 'Choose the image for another architecture', aliases: ['override-arch'] },
  authfile: { kind: 'string', help: 'File with registry credentials (also REGISTRY_AUTH_FILE)', complete: 'file' },
  'cert-dir': { kind: 'string', placeholder: 'Pathname', help: 'Directory with certificates and keys for the registry', complete: 'file' },
  creds: { kind: 'string', placeholder: 'credentials', help: 'Credentials for the registry (USERNAME:PASSWORD)' },
  'decryption-key': { kind: 'stringArray', help: 'Key to decrypt the image with', unsupported: true },
  'disable-content-trust': { kind: 'bool', help: 'Accepted for compatibility, does nothing' },
  os: { kind: 'string', placeholder: 'OS', help: 'Choose the image for another operating system', aliases: ['override-os'] },
  platform: { kind: 'string', help: 'Choose the image for another platform (OS[/ARCH[/VARIANT]])' },
  quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
  retry: { kind: 'uint', help: 'How often to try again after a failure', shownDefault: 3 },
  'retry-delay': { kind: 'string', help: 'Time between two attempts' },
  'tls-verify': { kind: 'bool', help: 'Insist on HTTPS and valid certificates', default: true },
  variant: {
    kind: 'string',
    placeholder: 'VARIANT',
    help: 'Choose the image for another variant of the architecture',
    aliases: ['override-variant'],
  },
});

/** What is said of an entry of a manifest list. */
export const ENTRY = flagTable({
  annotation: { kind: 'stringArray', help: 'Annotation of the entry (NAME=VALUE)' },
  arch: { kind: 'string', help: 'Architecture of the entry' },
  features: { kind: 'strings', help: 'Features of the processor that the entry needs' },
  os: { kind: 'string', help: 'Operating system of the entry' },
  'os-version': { kind: 'string', help: 'Version of the operating system of the entry' },
  variant: { kind: 'string', help: 'Variant of the architecture of the entry' },
});

/** None of these is done; each is an error. */
export const SIGNING = flagTable({
  'sign-by': { kind: 'string', help: 'Sign with a GPG key', unsupported: true },
  'sign-by-sigstore': { kind: 'string', placeholder: 'PATH', help: 'Sign by a sigstore parameter file', unsupported: true },
  'sign-by-sigstore-private-key': { kind: 'string', placeholder: 'PATH', help: 'Sign with a sigstore private key', unsupported: true },
  'sign-by-sq-fingerprint': { kind: 'string', placeholder: 'FINGERPRINT', help: 'Sign with a Sequoia key', unsupported: true },
  'sign-passphrase-file': { kind: 'string', placeholder: 'PATH', help: 'File with the passphrase of the key', unsupported: true },
});

/** Another file than the one in force: a policy can be looked at before it is installed. */
export const POLICY_FILE = flagTable({
  policypath: { kind: 'string', help: 'Another policy.json', hidden: true, complete: 'file' },
});

/** Which part of a log, and how it is shown. */
export const LOGS = flagTable({
  color: { kind: 'bool', help: 'A colour for each container' },
  follow: { kind: 'bool', short: 'f', help: 'Go on with what is written from now' },
  names: { kind: 'bool', short: 'n', help: 'Of several containers print the names instead of the ids' },
  since: { kind: 'string', help: 'Begin at this time, or so long ago' },
  tail: { kind: 'int', help: 'Only so many lines from the end, -1 for all', default: -1 },
  timestamps: { kind: 'bool', short: 't', help: 'Print the time of each line' },
  until: { kind: 'string', help: 'End at this time' },
});
