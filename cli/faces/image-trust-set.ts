import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POLICY_FILE } from './shared.ts';

export const imageTrustSetFace = defineFace({
  usage: '[options] REGISTRY',
  summary: 'Set whether images are trusted',
  description: 'Set the rule for a registry, a namespace, a repository, or all others (default) in policy.json.',
  examples: ['image trust set --type reject default', 'image trust set --type accept quay.io/podman'],
  flags: flagTable({
    pubkeysfile: { kind: 'stringArray', short: 'f', help: 'Public key that has to have signed the images (repeatable)', complete: 'file' },
    type: { kind: 'string', short: 't', help: 'accept, reject, signedBy or sigstoreSigned', default: 'signedBy' },
    ...POLICY_FILE,
  }),
  args: exactly(1),
  complete: ['none'],
});
