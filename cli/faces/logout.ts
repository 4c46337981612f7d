import { allOf, atMost, complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const logoutFace = defineFace({
  usage: '[options] [REGISTRY]',
  summary: 'Log out of a registry',
  description: 'Forget the credentials for a registry, or for all.',
  examples: ['logout quay.io', 'logout --all'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Forget the credentials for all registries' },
    authfile: { kind: 'string', help: 'File that the credentials are in (also REGISTRY_AUTH_FILE)', complete: 'file' },
    'compat-auth-file': { kind: 'string', help: "File of Docker's that the credentials are in", complete: 'file' },
  }),
  args: allOf(
    atMost(1),
    complainIf(({ args, flags }) => flags['all'] === true && args.length > 0, '--all takes no arguments'),
  ),
  complete: ['none'],
});
