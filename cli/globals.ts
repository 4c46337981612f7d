/** Flags of the program itself. Those not marked as Podman marks them with `local` may also follow the command's word. */
import { LOG_LEVELS, type LogLevel } from '../core/log.ts';
import { EngineError } from '../core/errors.ts';
import { type FlagValues, flagTable } from './flag.ts';

/** May stand anywhere on the command line. */
export const PERSISTENT_FLAGS = flagTable({
  'cdi-spec-dir': { kind: 'stringArray', help: 'Directory with CDI device specifications (repeatable)', complete: 'file' },
  'cgroup-manager': { kind: 'string', help: 'How cgroups are made ("cgroupfs"|"systemd")' },
  conmon: { kind: 'string', help: 'Path of the conmon binary, or "embedded" for a monitor of our own', complete: 'file' },
  'events-backend': { kind: 'string', help: 'Where events are kept ("file"|"journald"|"none")' },
  'hooks-dir': { kind: 'stringArray', help: 'Directory with OCI hooks (repeatable)', complete: 'file' },
  imagestore: { kind: 'string', help: 'Keep images apart from containers, in this directory', unsupported: true },
  'log-level': {
    kind: 'string',
    help: 'Log messages of this level and above (trace, debug, info, warn, warning, error, fatal, panic)',
    default: 'warn',
  },
  module: { kind: 'stringArray', help: 'Load a module of containers.conf(5) (repeatable)', complete: 'file' },
  'network-cmd-path': { kind: 'string', help: 'Path of the slirp4netns or pasta binary', complete: 'file' },
  'network-config-dir': { kind: 'string', help: 'Directory with the definitions of networks', complete: 'file' },
  root: { kind: 'string', help: 'Directory of images, containers and volumes', complete: 'file' },
  runroot: { kind: 'string', help: 'Directory of state that ends with the session', complete: 'file' },
  runtime: { kind: 'string', help: 'Path or name of the OCI runtime' },
  'runtime-flag': { kind: 'stringArray', help: 'Global flag handed to the OCI runtime (repeatable)' },
  'storage-driver': { kind: 'string', help: 'Storage driver ("overlay"|"vfs")' },
  'storage-opt': { kind: 'stringArray', help: 'Option for the storage driver (repeatable)' },
  syslog: { kind: 'bool', help: 'Log to syslog as well', hidden: true },
  tmpdir: { kind: 'string', help: 'Directory for state of the running boot', complete: 'file' },
  trace: { kind: 'bool', help: 'Accepted for compatibility', hidden: true },
  'transient-store': { kind: 'bool', help: 'Forget containers at the end of the boot' },
  volumepath: { kind: 'string', help: 'Directory of volumes', complete: 'file' },
});

/** Only before the command's word. */
export const ROOT_FLAGS = flagTable({
  ...PERSISTENT_FLAGS,
  config: { kind: 'string', help: 'Directory of the authentication file', complete: 'file' },
  connection: { kind: 'string', short: 'c', help: 'Remote service to use', unsupported: true, hidden: true },
  identity: { kind: 'string', help: 'SSH identity for a remote service', unsupported: true, hidden: true },
  noout: { kind: 'bool', help: 'Print no data', hidden: true },
  out: { kind: 'string', help: 'Write data to a file instead of stdout', complete: 'file' },
  remote: { kind: 'bool', short: 'r', help: 'Use a remote service', unsupported: true, hidden: true },
  ssh: { kind: 'string', help: 'SSH mode for a remote service', unsupported: true, hidden: true },
  'tls-ca': { kind: 'string', help: 'CA of a remote service', unsupported: true, hidden: true },
  'tls-cert': { kind: 'string', help: 'Client certificate for a remote service', unsupported: true, hidden: true },
  'tls-key': { kind: 'string', help: 'Client key for a remote service', unsupported: true, hidden: true },
  url: { kind: 'string', aliases: ['host'], short: 'H', help: 'URL of a remote service', unsupported: true, hidden: true },
  version: { kind: 'bool', short: 'v', help: 'Print the version and exit' },
});

export type Globals = FlagValues<typeof ROOT_FLAGS>;

/** Podman ends with this status for a wrong level, and prints its words without `Error: `. */
export const LOG_LEVEL_FAILURE = 1;

/** Throws USAGE with LOG_LEVEL_FAILURE. */
export function parseLogLevel(text: string): LogLevel {
  const level = text.toLowerCase() === 'warning' ? 'warn' : text.toLowerCase();
  const known = LOG_LEVELS.find((one) => one === level);
  if (known !== undefined) return known;
  const choices = LOG_LEVELS.flatMap((one) => (one === 'warn' ? ['warn', 'warning'] : [one])).join(', ');
  throw new EngineError('USAGE', `Log Level ${JSON.stringify(text)} is not supported, choose from: ${choices}`, {
    exitCode: LOG_LEVEL_FAILURE,
  });
}
