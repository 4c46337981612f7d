import { EngineError } from '../../core/errors.ts';
import { diagnose, diagnoseInside } from '../../libpod/doctor/doctor.ts';
import { noArguments } from '../arguments.ts';
import { defineCommand, defineFace } from '../command.ts';
import { engineOptions } from '../engine-options.ts';
import { flagTable } from '../flag.ts';
import { diagnosisJson, diagnosisTable, fixPlan } from '../format/views/doctor.ts';

const face = defineFace({
  usage: '[options]',
  summary: 'Find out what this machine lacks for containers',
  description: `Try what containers need, one thing after the other, and say what is lost where something is missing, and which command mends it.

  The exit status is 0 if containers can be started, be it with something less, and 1 if they cannot.`,
  examples: ['doctor', 'doctor --json', 'doctor --fix-plan > plan.sh'],
  flags: flagTable({
    'fix-plan': { kind: 'bool', help: 'Print a shell script with the commands that mend what was found' },
    inside: {
      kind: 'bool',
      help: 'Look only at what shows inside the namespaces of a session, and print it for the one outside',
      hidden: true,
    },
    json: { kind: 'bool', help: 'Print as JSON' },
  }),
  args: noArguments,
});

/** Containers cannot be started. */
const MISSING_STATUS = 1;

export const command = defineCommand(face, async (context, _args, flags) => {
  if (flags.json && flags['fix-plan']) throw new EngineError('USAGE', '--json and --fix-plan exclude each other');
  const options = engineOptions(context.globals, context.argv.slice(1), context.env);
  if (flags.inside) {
    context.stdout.line(JSON.stringify(await diagnoseInside(options)));
    return 0;
  }
  const diagnosis = await diagnose(options, [...options.self.slice(1), 'doctor', '--inside']);
  if (flags.json) context.stdout.write(diagnosisJson(diagnosis));
  else if (flags['fix-plan']) context.stdout.write(fixPlan(diagnosis, { isRoot: process.getuid!() === 0 }));
  else context.stdout.write(diagnosisTable(diagnosis));
  return diagnosis.verdict === 'missing' ? MISSING_STATUS : 0;
});
