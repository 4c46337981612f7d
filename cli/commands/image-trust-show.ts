import { rawPolicy, trustRows } from '../../libpod/registry/trust.ts';
import { defineCommand } from '../command.ts';
import { imageTrustShowFace } from '../faces/image-trust-show.ts';
import { trustJson, trustTable } from '../format/views/trust.ts';

export const command = defineCommand(imageTrustShowFace, async (context, _args, flags) => {
  const places = { env: context.env, policyFile: flags.policypath, registriesDirectory: flags.registrypath };
  if (flags.raw) {
    context.stdout.line(await rawPolicy(places));
    return;
  }
  const rows = await trustRows(places);
  context.stdout.write(flags.json ? trustJson(rows) : trustTable(rows, { heading: !flags.noheading }));
});
