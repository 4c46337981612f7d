import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { DETACH_KEYS, LATEST } from './shared.ts';

export const execFace = defineFace({
  usage: '[options] CONTAINER COMMAND [ARG...]',
  summary: 'Run a command in a running container',
  examples: ['exec -it ctrID ls', 'exec -it -w /tmp ctrID pwd', 'exec --user root ctrID ls'],
  flags: flagTable({
    ...DETACH_KEYS,
    ...LATEST,
    cidfile: { kind: 'string', help: 'Read the id of the container from a file', complete: 'file' },
    detach: { kind: 'bool', short: 'd', help: 'Run in the background and print the id of the session' },
    env: { kind: 'stringArray', short: 'e', help: 'Set an environment variable (KEY=VALUE, or KEY to pass one on)' },
    'env-file': { kind: 'stringArray', help: 'Read environment variables from a file', complete: 'file' },
    interactive: { kind: 'bool', short: 'i', help: 'Keep stdin open' },
    'no-session': { kind: 'bool', help: 'Keep no record of the session' },
    'preserve-fd': { kind: 'uints', help: 'File descriptors to pass on' },
    'preserve-fds': { kind: 'uint', help: 'Number of file descriptors after stderr to pass on' },
    privileged: { kind: 'bool', help: 'Give all capabilities the caller has' },
    tty: { kind: 'bool', short: 't', help: 'Give the command a terminal' },
    user: { kind: 'string', short: 'u', help: 'User, or uid, and group (name|uid[:group|gid])' },
    workdir: { kind: 'string', short: 'w', help: 'Working directory', complete: 'file' },
  }),
  args: complainIf(
    ({ args, flags }) => args.length === 0 && flags['latest'] !== true && flags['cidfile'] === undefined,
    'exec requires the name or ID of a container or the --latest or --cidfile flag',
  ),
  interspersed: false,
  complete: ['running-container', 'none'],
  exitCodes: { WRONG_STATE: 255, NO_SUCH_USER: 255 },
});
