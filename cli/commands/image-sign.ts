import { EngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { imageSignFace } from '../faces/image-sign.ts';

export const command = defineCommand(imageSignFace, async () => {
  throw new EngineError('NOT_SUPPORTED', 'signing images is not supported', { hint: 'Sign what is in a registry with cosign or skopeo.' });
});
