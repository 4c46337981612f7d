import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { EngineError } from '../../core/errors.ts';
import type { ContainerSummary, HistorySummary, ImageSummary, VolumeSummary } from '../../libpod/summary.ts';
import { formatReport, isJsonFormat, type View } from '../../cli/format/report.ts';
import { HISTORY_COLUMNS, historyIds, historyJson, historyView } from '../../cli/format/views/history.ts';
import { imageColumns, imageIds, imageRows, imagesJson, imagesView, type ImageSort } from '../../cli/format/views/images.ts';
import { formatInspect } from '../../cli/format/views/inspect.ts';
import { psColumns, psJson, psView } from '../../cli/format/views/ps.ts';
import { sortContainers, type PsSort } from '../../cli/format/views/ps-sort.ts';
import { VOLUME_COLUMNS, volumesJson, volumesView } from '../../cli/format/views/volumes.ts';

/** A command line of Podman with what it printed. */
interface Case {
  readonly args: readonly string[];
  readonly out: string;
  readonly error: string;
}

interface Recording<Row> {
  readonly rows: readonly Row[];
  readonly cases: readonly Case[];
}

const ps = recording<ContainerSummary>('ps');
const images = recording<ImageSummary>('images');
const history = recording<HistorySummary>('history');
const volumes = recording<VolumeSummary>('volumes');

test.for(titled(ps.cases))('ps %s gives what Podman gives', async ([, recorded]) => {
  const flags = readFlags(recorded.args);
  if (isOutside(recorded)) return;
  const nowMs = momentOf(recorded.out);
  const wanted = flags.has('--filter') ? [] : sortContainers(ps.rows, (flags.get('--sort') ?? 'created') as PsSort);
  const rows = wanted.map((row) => withoutUnasked(row, flags));
  const columns = psColumns({ namespaces: flags.has('--ns'), size: flags.has('-s'), pod: flags.has('--pod') });
  const format = flags.get('--format') ?? (flags.has('-q') ? '{{.ID}}' : undefined);
  expect(
    await outcome(async () => {
      if (format !== undefined && isJsonFormat(format)) return rows.length > 0 ? psJson(rows, nowMs) : '[]\n';
      return report(psView({ nowMs, noTrunc: flags.has('--no-trunc') }), rows, format, columns, flags);
    }),
  ).toEqual({ out: recorded.out, error: recorded.error });
});

test.for(titled(images.cases))('images %s gives what Podman gives', async ([, recorded]) => {
  const flags = readFlags(recorded.args);
  if (isOutside(recorded)) return;
  const rows = flags.has('--filter') ? [] : imageRows(images.rows, (flags.get('--sort') ?? 'created') as ImageSort);
  const noTrunc = flags.has('--no-trunc');
  const format = flags.get('--format');
  expect(
    await outcome(async () => {
      if (format !== undefined && isJsonFormat(format)) return rows.length > 0 ? imagesJson(rows) : '[]\n';
      if (flags.has('-q')) return imageIds(rows, noTrunc);
      const columns = imageColumns({ digests: flags.has('--digests'), history: flags.has('--history') });
      return report(imagesView({ nowMs: momentOf(recorded.out), noTrunc }), rows, format, columns, flags);
    }),
  ).toEqual({ out: recorded.out, error: recorded.error });
});

test.for(titled(history.cases))('history %s gives what Podman gives', async ([, recorded]) => {
  const flags = readFlags(recorded.args);
  if (isOutside(recorded)) return;
  const noTrunc = flags.has('--no-trunc');
  const format = flags.get('--format');
  expect(
    await outcome(async () => {
      if (format !== undefined && isJsonFormat(format)) return historyJson(history.rows);
      if (flags.has('-q')) return historyIds(history.rows, noTrunc);
      const view = historyView({ nowMs: momentOf(recorded.out), noTrunc, human: !flags.has('--human=false') });
      return report(view, history.rows, format, HISTORY_COLUMNS, flags);
    }),
  ).toEqual({ out: recorded.out, error: recorded.error });
});

test.for(titled(volumes.cases))('volume %s gives what Podman gives', async ([, recorded]) => {
  const flags = readFlags(recorded.args);
  const rows = flags.has('--filter') ? [] : volumes.rows;
  const format = flags.get('--format') ?? (flags.has('-q') ? '{{.Name}}' : undefined);
  // Podman says here, and only here, that the headers failed.
  const error = recorded.error.replace('failed to write report column headers: ', '');
  expect(
    await outcome(async () => {
      if (format !== undefined && isJsonFormat(format)) return volumesJson(rows);
      return report(volumesView, rows, format, VOLUME_COLUMNS, flags);
    }),
  ).toEqual({ out: recorded.out, error });
});

interface Inspection {
  readonly document: object;
  readonly cases: readonly { readonly format: string; readonly out: string; readonly error: string }[];
}

const inspection = JSON.parse(readFileSync(new URL('../fixtures/format/inspect.json', import.meta.url), 'utf8')) as Inspection;

test.for(inspection.cases.map((entry) => [entry.format, entry] as const))(
  'inspect %j gives what Podman gives',
  async ([, { format, out, error }]) => {
    const partial = error === '' ? out : '';
    expect(await outcome(() => formatInspect([{ kind: 'container', document: inspection.document }], format))).toEqual({
      out: partial,
      error,
    });
  },
);

test.for([
  ['{{.Config.SdNotifyMode}}', 'container'],
  ['{{.Config.DomainName}}', ''],
  ['{{.Config.HealthMaxLogCount}}', '5'],
  ['{{.Config.HealthMaxLogSize}}', '500'],
  ['{{.Config.SdNotifySocket}}', '/run/notify.sock'],
])("inspect knows Go's name of the field in %s", async ([format, value]) => {
  const document = {
    Config: {
      Domainname: '',
      HealthcheckMaxLogCount: 5,
      HealthcheckMaxLogSize: 500,
      sdNotifyMode: 'container',
      sdNotifySocket: '/run/notify.sock',
    },
  };
  expect(await formatInspect([{ kind: 'container', document }], format)).toBe(`${value}\n`);
});

test.for(['sdNotifyMode', 'Domainname', 'HealthcheckMaxLogCount'])('the JSON key %s is no name of a field', async (key) => {
  const format = `{{.Config.${key}}}`;
  const document = { Config: { Domainname: '', HealthcheckMaxLogCount: 5, sdNotifyMode: 'container' } };
  await expect(formatInspect([{ kind: 'container', document }], format)).rejects.toThrow(`can't evaluate field ${key}`);
});

test.for([
  ['SdNotifySocket', ''],
  ['Timezone', ''],
  ['Secrets', '[]'],
  ['ChrootDirs', '[]'],
  ['StartupHealthCheck', '<nil>'],
  ['SystemdMode', 'false'],
])('%s that a container does not have is empty, as a Go struct has it', async ([field, value]) => {
  expect(await formatInspect([{ kind: 'container', document: { Config: {} } }], `{{.Config.${field}}}`)).toBe(`${value}\n`);
});

test('inspect without a format prints the documents as Podman indents them', async () => {
  const golden = readFileSync(new URL('../fixtures/golden/inspect.container.running.json', import.meta.url), 'utf8');
  const documents = JSON.parse(golden) as object[];
  expect(
    await formatInspect(
      documents.map((document) => ({ kind: 'container', document })),
      undefined,
    ),
  ).toBe(golden);
});

function recording<Row>(name: string): Recording<Row> {
  return JSON.parse(readFileSync(new URL(`../fixtures/format/${name}.json`, import.meta.url), 'utf8')) as Recording<Row>;
}

function titled(cases: readonly Case[]): (readonly [string, Case])[] {
  return cases.map((entry) => [entry.args.map((arg) => JSON.stringify(arg)).join(' '), entry] as const);
}

/** What the command line decides, not the formatting: conflicts and bad values of flags. Headers below Namespaces are not kept. */
function isOutside(recorded: Case): boolean {
  if (recorded.args.includes('table {{.Namespaces.MNT}}')) return true;
  return /conflict|invalid argument|unknown (?:shorthand )?flag/.test(recorded.error);
}

/** Flags of one letter are taken apart; those with a value keep it. */
function readFlags(args: readonly string[]): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (['--format', '--sort', '--filter'].includes(arg)) flags.set(arg, args[++at]!);
    else if (/^-[a-z]+$/.test(arg)) for (const letter of arg.slice(1)) flags.set(letter === 'p' ? '--pod' : `-${letter}`, '');
    else flags.set(arg, '');
  }
  return flags;
}

function withoutUnasked(row: ContainerSummary, flags: ReadonlyMap<string, string>): ContainerSummary {
  const { size, namespaces, ...rest } = row;
  return { ...rest, ...(flags.has('-s') && size ? { size } : {}), ...(flags.has('--ns') && namespaces ? { namespaces } : {}) };
}

/** The recordings were made at 05:35:32 + some minutes; the output tells how many. */
function momentOf(out: string): number {
  const minutes = Number(/(?:Up|\)|^|\n|"|,) ?(\d+) minutes/.exec(out)?.[1] ?? /(\d+) minutes/.exec(out)?.[1] ?? 3);
  return Date.parse('2026-11-22T05:35:34Z') + minutes * 60_000;
}

async function report<Row>(
  view: View<Row>,
  rows: readonly Row[],
  format: string | undefined,
  columns: readonly string[],
  flags: ReadonlyMap<string, string>,
): Promise<string> {
  const heading = !flags.has('--noheading') && !flags.has('-n');
  return formatReport(view, rows, { ...(format === undefined ? {} : { format }), columns, heading });
}

async function outcome(work: () => Promise<string>): Promise<{ out: string; error: string }> {
  return work().then(
    (out) => ({ out, error: '' }),
    (error: unknown) => ({ out: '', error: (error as EngineError).message }),
  );
}
