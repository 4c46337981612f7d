/** `doctor`: a table with what to do below it, JSON, or a script. */
import { type Distribution, installCommand } from '../../../core/distribution.ts';
import type { Mend } from '../../../core/lack.ts';
import { shellLine } from '../../../core/shell.ts';
import type { Diagnosis } from '../../../libpod/doctor/doctor.ts';
import type { NamedFinding } from '../../../libpod/doctor/probe.ts';
import { formatTable } from '../table.ts';

const SUMMARIES: Readonly<Record<Diagnosis['verdict'], string>> = {
  ok: 'Nothing is missing.',
  degraded: 'Containers run, with something less than they could have.',
  missing: 'Containers cannot be started.',
};

export function diagnosisTable({ verdict, distribution, findings }: Diagnosis): string {
  const rows = findings.map(({ name, verdict: each, found }) => [name, each, found]);
  const lacking = findings.filter(({ loss }) => loss !== '');
  const parts = lacking.map((finding) => `\n${sentence(finding)}\n${finding.mend.map(step(distribution)).join('')}`);
  return `${formatTable([['PROBE', 'VERDICT', 'FOUND'], ...rows])}${parts.join('')}\n${SUMMARIES[verdict]}\n`;
}

function sentence({ name, loss, found }: NamedFinding): string {
  return `${name}: ${loss}: ${found}`;
}

function step(distribution: Distribution): (mend: Mend) => string {
  return (mend) => {
    const { as, command, advice } = remedy(mend, distribution);
    if (command === undefined) return `  ${advice}\n`;
    return as === 'root' ? `  as root: ${command}\n` : `  ${command}\n`;
  };
}

interface Remedy {
  readonly as?: 'root' | 'user';
  readonly command?: string;
  readonly advice?: string;
}

/** In the words of this distribution. */
function remedy(mend: Mend, distribution: Distribution): Remedy {
  if ('install' in mend) {
    const command = installCommand(distribution, mend.install);
    return command === undefined ? { advice: `install the packages that Debian calls ${mend.install}` } : { as: 'root', command };
  }
  if ('asRoot' in mend) return { as: 'root', command: mend.asRoot };
  return 'asUser' in mend ? { as: 'user', command: mend.asUser } : { advice: mend.advice };
}

/** Fields are added to it, never taken away or changed, while the version is the same. */
const SCHEMA_VERSION = 1;

export function diagnosisJson({ verdict, distribution, findings }: Diagnosis): string {
  const probes = findings.map(({ name, verdict: each, found, loss, facts, mend }) => ({
    name,
    verdict: each,
    found,
    loss,
    facts,
    mend: mend.map((one) => remedy(one, distribution)),
  }));
  return `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, verdict, distribution, probes }, null, 2)}\n`;
}

export function fixPlan({ distribution, findings }: Diagnosis, { isRoot }: { readonly isRoot: boolean }): string {
  const lacking = findings.filter(({ mend }) => mend.length > 0);
  const said = new Set<string>();
  const parts = lacking.map((finding) => {
    const lines = finding.mend.map((mend) => planLine(remedy(mend, distribution), isRoot)).filter((line) => !said.has(line));
    for (const line of lines) said.add(line);
    return `\n# ${sentence(finding).replaceAll('\n', ' ')}\n${lines.length === 0 ? '# (as above)\n' : lines.join('')}`;
  });
  const { id, version } = distribution;
  const head = `#!/bin/sh\n# What lichen doctor would mend on this machine (${id} ${version}). Read it before you run it.\n`;
  return parts.length === 0 ? `${head}# There is nothing to mend.\n` : `${head}set -eu\n${parts.join('')}`;
}

function planLine({ as, command, advice }: Remedy, isRoot: boolean): string {
  if (command === undefined) return `# By hand: ${advice}\n`;
  if (as === 'user' || isRoot) return `${command}\n`;
  // The shell of sudo is to do all of it.
  return /[&>|;]/.test(command) ? `${shellLine(['sudo', 'sh', '-c', command])}\n` : `sudo ${command}\n`;
}
