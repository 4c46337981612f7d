import { EngineError } from '../../core/errors.ts';
import { setTrust, TRUST_TYPES } from '../../libpod/registry/trust.ts';
import { defineCommand } from '../command.ts';
import { imageTrustSetFace } from '../faces/image-trust-set.ts';

export const command = defineCommand(imageTrustSetFace, async (context, [scope], flags) => {
  const type = TRUST_TYPES.find((one) => one === flags.type);
  if (type === undefined) {
    const choices = TRUST_TYPES.map((one) => `'${one}'`).join(', ');
    throw new EngineError('INVALID_ARGUMENT', `invalid choice: ${flags.type} (choose from ${choices})`);
  }
  await setTrust({ env: context.env, policyFile: flags.policypath }, { scope: scope!, type, keys: flags.pubkeysfile });
});
