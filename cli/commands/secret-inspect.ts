import { EngineError, isEngineError } from '../../core/errors.ts';
import { secretData } from '../../libpod/secret/create.ts';
import type { SecretRecord } from '../../libpod/state/secrets.ts';
import { defineCommand } from '../command.ts';
import { secretInspectFace } from '../faces/secret-inspect.ts';
import { formatEach } from '../format/report.ts';
import { secretInfo, secretPretty, secretsInspectJson, type ShownSecret } from '../format/views/secrets.ts';

/** What was found is printed even if something was not. */
export const command = defineCommand(secretInspectFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const found: ShownSecret[] = [];
  const missing: EngineError[] = [];
  const shown = async (secret: SecretRecord): Promise<ShownSecret> =>
    flags.showsecret ? { ...secret, data: (await secretData(engine, secret)).toString('utf8') } : secret;
  for (const name of names) {
    try {
      found.push(await shown(engine.secrets.find(name)));
    } catch (error) {
      if (!isEngineError(error, 'NO_SUCH_SECRET')) throw error;
      missing.push(new EngineError(error.code, `inspecting secret: ${error.message}`, { cause: error }));
    }
  }
  if (flags.pretty) context.stdout.write(found.map(secretPretty).join(''));
  else if (flags.format !== undefined) context.stdout.write(await formatEach('inspect', flags.format, found.map(secretInfo)));
  else context.stdout.write(secretsInspectJson(found));
  for (const { message } of missing.slice(0, -1)) context.stderr.line(`Error: ${message}`);
  const last = missing.at(-1);
  if (last !== undefined) throw last;
});
