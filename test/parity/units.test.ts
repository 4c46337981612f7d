/** Units of `generate systemd` say under lichen what they say under Podman, key by key and word by word as systemd reads them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixturePath } from '../fixtures/build/images.ts';
import { readUnitWords } from '../fixtures/build/unit-words.ts';
import type { TestHost } from '../host/host.ts';
import { testHost } from '../host/host.ts';
import { canRunContainers, sh } from '../host/loaded.ts';
import { canRunSystemd } from '../host/systemd.ts';
import { CONTAINERS, PODS, REMOVE, REMOVE_PODS } from './cases-units.ts';
import { withoutHint } from './differences.ts';
import { readGoldens } from './goldens.ts';
import { normalise } from './normalise.ts';

let host: TestHost;
/** As they came. */
const units: string[] = [];

describe.skipIf(!canRunContainers)('generate systemd', () => {
  beforeAll(async () => {
    host = await testHost();
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    for (const argv of [...CONTAINERS, ...PODS]) await host.succeed(argv);
  });
  afterAll(async () => {
    await host.lichen(REMOVE_PODS);
    await host.lichen(REMOVE);
    await host[Symbol.asyncDispose]();
  });

  test.each(readGoldens('units.json').map((golden) => [golden.name, golden] as const))('%s', async (_name, golden) => {
    const result = await host.lichen(golden.argv, { cwd: '/' });
    const { exitCode, stdout, stderr } = normalise(result);
    if (exitCode === 0 && result.stdout.includes('[Unit]') && !result.stdout.startsWith('{')) units.push(...eachUnit(result.stdout));
    const said = withoutHint({ exitCode, stdout, stderr }, golden);
    // Ids are numbered as they come, and units come in any order.
    const warnings = (text: string) => text.replaceAll(/Container ID\d+/g, 'Container ID');
    expect({ exitCode: said.exitCode, stderr: warnings(said.stderr) }).toEqual({
      exitCode: golden.exitCode,
      stderr: warnings(golden.stderr),
    });
    if (golden.exitCode === 0) expect(keys(said.stdout, true)).toEqual(keys(golden.stdout, false));
    else expect(said.stdout === '').toBe(golden.stdout === '');
  });

  test.skipIf(!canRunSystemd)('systemd-analyze has nothing to say of any of them', async () => {
    expect(units.length).toBeGreaterThan(25);
    for (const [index, text] of units.entries()) {
      const instance = text.includes('%i') ? '@i' : '';
      // Others that they ask for are not there.
      await host.writeFile(
        `/tmp/units/unit-${index}${instance}.service`,
        text.replaceAll(/\b(?:[a-d]|[\w-]*u-\w+)\.service/g, 'other.service'),
      );
    }
    await host.writeFile('/tmp/units/other.service', '[Service]\nExecStart=/bin/true\n');
    const { exitCode, stderr } = await host.run(sh('exec systemd-analyze --user verify --man=no /tmp/units/*.service'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

function eachUnit(text: string): readonly string[] {
  return text.split(/(?=^# .*\.service$)/m).map((unit) => unit.trim());
}

/** Podman's unit, with its places for ours, and without what is not there or better here: see `allowed`. */
function keys(stdout: string, isOurs: boolean): readonly string[] {
  const text = stdout.startsWith('{')
    ? Object.entries(JSON.parse(stdout) as Record<string, string>)
        .flat()
        .join('\n')
    : stdout;
  // Podman says those of a pod in any order.
  return eachUnit(text)
    .toSorted()
    .join('\n\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => !line.startsWith('#') || /^# (container|ctr|pod|User|u-|[pc]_)/.test(line))
    .flatMap((line) => (isOurs ? [ours(line)] : allowed(line)))
    .map((line) => (/^(Exec|Environment)/.test(line) ? JSON.stringify(readUnitWords(line)) : line));
}

function ours(line: string): string {
  return line
    .replace(/^PIDFile=.*\/c\/ID\d+\/conmon\.pid$/, 'PIDFile=DIRECTORY/conmon.pid')
    .replaceAll('/home/tester', 'HOME')
    .replace(/^(ExecStop\w*=\S+) --log-level error(?= (?:stop|rm) )/, '$1')
    .replaceAll('/opt/PROGRAM/bin/PROGRAM', '/usr/bin/PROGRAM')
    .replace(/^RequiresMountsFor=.*/, 'RequiresMountsFor=')
    .replaceAll(/ID\d+\(short\)-infra/g, 'INFRA');
}

/**
 * Podman names a manual page of its own; in `Environment=` it doubles dollars, which systemd then passes on doubled, and quotes what it has quoted
 * for another container of the pod; where there is nothing to want, it says so; a template's service gets a
 * name that is no unit's (`%n` has the instance in it already); global flags are lost where the container is stopped and removed.
 */
function allowed(line: string): readonly string[] {
  if (line.startsWith('Documentation=') || line === 'Wants=' || line === 'Before=') return [];
  return [
    line
      .replace(/^PIDFile=.*\/overlay-containers\/ID\d+\/userdata\/conmon\.pid$/, 'PIDFile=DIRECTORY/conmon.pid')
      .replaceAll(/\/home\/\w+/g, 'HOME')
      .replace(/^RequiresMountsFor=.*/, 'RequiresMountsFor=')
      .replace('PODMAN_SYSTEMD_UNIT=%n-%i', 'PODMAN_SYSTEMD_UNIT=%n')
      .replaceAll(/ID\d+\(short\)-infra/g, 'INFRA')
      .replace(/^(Environment=.*)\$\$/, '$1$$')
      .replace(/^Environment="\\"(.*)\\""$/, 'Environment="$1"'),
  ];
}
