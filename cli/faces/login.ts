import { atMost } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const loginFace = defineFace({
  usage: '[options] [REGISTRY]',
  summary: 'Log in to a registry',
  description:
    'Try a name and password at a registry, and keep them for it where they are right. REGISTRY may go on with a namespace or repository.',
  examples: ['login quay.io', 'login --username ... --password-stdin quay.io', 'login --authfile dir/auth.json quay.io/team'],
  flags: flagTable({
    authfile: { kind: 'string', help: 'File to keep the credentials in (also REGISTRY_AUTH_FILE)', complete: 'file' },
    'cert-dir': { kind: 'string', help: 'Directory with certificates and keys for the registry', complete: 'file' },
    'compat-auth-file': { kind: 'string', help: "File of Docker's to keep the credentials in", complete: 'file' },
    'get-login': { kind: 'bool', help: 'Print who is logged in' },
    password: { kind: 'string', short: 'p', help: 'Password', complete: 'none' },
    'password-stdin': { kind: 'bool', help: 'Read the password from stdin' },
    secret: {
      kind: 'string',
      help: 'Take the password from a secret, and its name for the user name unless one is given',
      complete: 'secret',
    },
    'tls-verify': { kind: 'bool', help: 'Insist on HTTPS and valid certificates', shownDefault: true },
    username: { kind: 'string', short: 'u', help: 'User name', complete: 'none' },
    verbose: { kind: 'bool', short: 'v', help: 'Say where the credentials are kept' },
  }),
  args: atMost(1),
  complete: ['none'],
});
