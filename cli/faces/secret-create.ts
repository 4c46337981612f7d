import { allOf, complainIf, exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const secretCreateFace = defineFace({
  usage: '[options] NAME FILE|-',
  summary: 'Create a secret',
  description:
    'Create a secret from a file, from stdin (-), or from a variable of the environment. Its data is never shown by lists or logs.',
  examples: [
    'secret create mysecret /path/to/secret',
    'secret create mysecret - < /path/to/secret',
    'secret create --env mysecret VARIABLE',
  ],
  flags: flagTable({
    driver: { kind: 'string', short: 'd', help: 'Who keeps the data ("file"|"pass"|"shell")', default: 'file' },
    'driver-opts': { kind: 'stringToString', help: 'Options of the driver' },
    env: { kind: 'bool', help: 'Take the data from the variable of this name' },
    ignore: { kind: 'bool', help: 'A secret that exists already is no error' },
    label: { kind: 'stringArray', short: 'l', help: 'Set a label (KEY=VALUE)' },
    replace: { kind: 'bool', help: 'Replace a secret of the same name' },
  }),
  args: allOf(
    exactly(2),
    complainIf(({ flags }) => flags['ignore'] === true && flags['replace'] === true, 'cannot use --ignore and --replace flags together'),
  ),
  complete: ['none', 'file', 'none'],
});
