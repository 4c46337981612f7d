import { writeFileSync } from 'node:fs';
import { exactly } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { completionScript, SHELLS } from '../completion/scripts.ts';
import { flagTable } from '../flag.ts';
import { EngineError } from '../../core/errors.ts';

export const command = defineCommand(
  {
    usage: '[options] {bash|zsh|fish}',
    summary: 'Print a completion script for a shell',
    description: 'Print a script that makes the shell complete commands, flags and the names of objects.',
    examples: ['completion bash', 'completion zsh -f _lichen', 'completion fish --no-desc'],
    flags: flagTable({
      file: { kind: 'string', short: 'f', help: 'Write the script to a file', complete: 'file' },
      'no-desc': { kind: 'bool', help: 'Leave out descriptions' },
    }),
    args: exactly(1),
  },
  async (context, [word], flags) => {
    const shell = SHELLS.find((one) => one === word);
    if (shell === undefined) throw new EngineError('USAGE', `invalid shell ${JSON.stringify(word)}: must be one of ${SHELLS.join(', ')}`);
    const script = completionScript(shell, context.program, !flags['no-desc']);
    if (flags.file === undefined) context.stdout.write(script);
    else writeFileSync(flags.file, script);
  },
);
