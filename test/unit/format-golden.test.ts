import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ContainerState, ContainerSummary, EventRecord, HistorySummary, ImageSummary, VolumeSummary } from '../../libpod/summary.ts';
import { formatPorts } from '../../cli/format/ports.ts';
import { formatReport } from '../../cli/format/report.ts';
import { eventData, eventJson, formatEvent } from '../../cli/format/views/events.ts';
import { HISTORY_COLUMNS, historyJson, historyView } from '../../cli/format/views/history.ts';
import { imageColumns, imageRows, imagesJson, imagesView } from '../../cli/format/views/images.ts';
import { formatInfo } from '../../cli/format/views/info.ts';
import { psColumns, psJson, psView } from '../../cli/format/views/ps.ts';
import { formatPortLines, formatTop } from '../../cli/format/views/top.ts';
import { formatVersion } from '../../cli/format/views/version.ts';
import { VOLUME_COLUMNS, volumesInspectJson, volumesJson, volumesView } from '../../cli/format/views/volumes.ts';

const containers = (JSON.parse(golden('ps-a.json')) as PsDocument[]).map(containerOf);
/** When ps-a.txt, ps-a.json and their like were made, to a second. */
const PS_TXT_MS = Date.parse('2026-11-22T03:44:30.6Z');
const PS_JSON_MS = Date.parse('2026-11-22T03:44:31.2Z');

test('ps prints the default table', async () => {
  const view = psView({ nowMs: PS_TXT_MS, noTrunc: false });
  const text = await formatReport(view, containers, { columns: psColumns({}), heading: true });
  expect(withoutAges(text)).toBe(withoutAges(golden('ps-a.txt')));
});

test('ps --pod adds the columns of the pod', async () => {
  const view = psView({ nowMs: PS_TXT_MS, noTrunc: false });
  // Only --pod looks the names of pods up.
  const named = containers.map((row) => (row.pod ? { ...row, pod: { ...row.pod, name: 'gpod' } } : row));
  const text = await formatReport(view, named, { columns: psColumns({ pod: true }), heading: true });
  expect(withoutAges(text)).toBe(withoutAges(golden('ps-a-pod.txt')));
});

test('ps --format json has all fields in their order, times of the list apart', () => {
  const agesOut = (text: string): string => text.replaceAll(/"(?:Status|CreatedAt)": "[^"]*"/g, '');
  expect(agesOut(psJson(containers, PS_JSON_MS))).toBe(agesOut(golden('ps-a.json')));
});

test('ps with a template prints a row per container', async () => {
  const view = psView({ nowMs: PS_TXT_MS, noTrunc: false });
  const text = await formatReport(view, containers, { format: '{{.Names}} {{.Status}}', columns: [], heading: true });
  expect(withoutAges(text)).toBe(withoutAges(golden('ps-fmt.txt')));
});

test('ages follow the clock', async () => {
  const row = containers.find(({ names }) => names[0] === 'g-exited')!;
  const ages = [0.4, 1, 59, 60, 119, 3600, 7200 * 13, 86400 * 20, 86400 * 100, 86400 * 800].map((seconds) => {
    const nowMs = Date.parse('2026-11-22T03:44:27Z') + seconds * 1000;
    return psView({ nowMs, noTrunc: false }).cells['Status']!(row);
  });
  expect(ages.map((age) => age.replace('Exited (3) ', ''))).toEqual([
    'Less than a second ago',
    '1 second ago',
    '59 seconds ago',
    'About a minute ago',
    'About a minute ago',
    'About an hour ago',
    '26 hours ago',
    '2 weeks ago',
    '3 months ago',
    '2 years ago',
  ]);
});

test('published ports that follow each other are one range, exposed ones come after them', () => {
  const port = { hostIp: '', hostPort: 8000, containerPort: 80, range: 1, protocol: 'tcp' } as const;
  const next = { ...port, hostPort: 8001, containerPort: 81 };
  expect(formatPorts([port, next], [])).toBe('0.0.0.0:8000-8001->80-81/tcp');
  expect(formatPorts([port, { ...next, protocol: 'udp' }], ['80/tcp', '53/udp', '9001/tcp', '9000/tcp'])).toBe(
    '0.0.0.0:8000->80/tcp, 0.0.0.0:8001->81/udp, 9000-9001/tcp, 53/udp',
  );
  expect(formatPorts([], [])).toBe('');
});

const images = (JSON.parse(golden('images.json')) as ImageDocument[]).map(imageOf);
const distinctImages = images.filter((image, place) => images.findIndex(({ id }) => id === image.id) === place);
const IMAGES_MS = Date.parse('2026-11-22T03:44:31.5Z');

test.for([
  ['images.txt', {}],
  ['images-digests.txt', { digests: true }],
  ['images-history.txt', { history: true }],
] as const)('images prints %s', async ([file, options]) => {
  const view = imagesView({ nowMs: IMAGES_MS, noTrunc: false });
  expect(await formatReport(view, imageRows(distinctImages), { columns: imageColumns(options), heading: true })).toBe(golden(file));
});

test('images --format json repeats an image for each of its names', () => {
  expect(imagesJson(imageRows(distinctImages))).toBe(golden('images.json'));
});

const history = (JSON.parse(golden('history.json')) as HistoryDocument[]).map(historyOf);

test.for([
  ['history.txt', false],
  ['history-notrunc.txt', true],
] as const)('history prints %s', async ([file, noTrunc]) => {
  const view = historyView({ nowMs: Date.parse('2026-11-22T03:44:31.9Z'), noTrunc, human: true });
  const text = await formatReport(view, history, { columns: HISTORY_COLUMNS, heading: true });
  expect(withoutAges(text)).toBe(withoutAges(golden(file)));
});

test('history --format json is one line', () => {
  expect(historyJson(history)).toBe(golden('history.json'));
});

const volumes = (JSON.parse(golden('volume-ls.json')) as VolumeDocument[]).map(volumeOf);

test('volume ls and inspect', async () => {
  expect(await formatReport(volumesView, volumes, { columns: VOLUME_COLUMNS, heading: true })).toBe(golden('volume-ls.txt'));
  expect(volumesJson(volumes)).toBe(golden('volume-ls.json'));
  const inspected = (JSON.parse(golden('volume-inspect.json')) as VolumeDocument[]).map(volumeOf);
  expect(volumesInspectJson(inspected)).toBe(golden('volume-inspect.json'));
});

test('events print as lines and as JSON', () => {
  const lines = golden('events.json').trimEnd().split('\n');
  const events = lines.map(eventOf);
  expect(events.map((event) => `${eventJson(event)}\n`).join('')).toBe(golden('events.json'));
  const text = events.map((event) => `${formatEvent(event, true)}\n`).join('');
  // JSON leaves the failing streak of a health check out.
  expect(text.replace('health_failing_streak=0', 'health_failing_streak=1')).toBe(golden('events.txt'));
  expect(formatEvent(events[0]!, false)).toContain(' image tag f14b3045f66e localhost/keep:1');
  expect(eventData(events[0]!).type).toBe('system.Event');
});

test('info prints YAML, JSON and templates from one document', async () => {
  const document = JSON.parse(golden('info.json')) as object;
  const volatile = /^.*(?:memFree|graphRootUsed).*$/gm;
  expect((await formatInfo(document, undefined)).replaceAll(volatile, '')).toBe(golden('info.yaml').replaceAll(volatile, ''));
  expect(await formatInfo(document, 'json')).toBe(golden('info.json'));
  expect(
    await formatInfo(
      document,
      '{{.Host.OS}} {{.Host.CgroupsVersion}} {{.Host.Security.Rootless}} {{.Host.OCIRuntime.Name}} {{.Store.GraphOptions}}',
    ),
  ).toBe('linux v2 true crun map[]\n');
  expect(await formatInfo(document, '{{.Host.IDMappings}} {{json .Host.Security.SELinuxEnabled}} {{.Registries.search}} {{.Client}}')).toBe(
    '{[{0 1000 1} {1 100000 65536}] [{0 1000 1} {1 100000 65536}]} false <no value> <nil>\n',
  );
  await expect(formatInfo(document, '{{.Host.Foo}}')).rejects.toThrow(
    `template: info:1:7: executing "info" at <.Host.Foo>: can't evaluate field Foo in type *define.HostInfo`,
  );
});

test('version prints rows, JSON and templates', async () => {
  const { Client } = JSON.parse(golden('version.json')) as { Client: Record<string, unknown> };
  const labels = {
    Version: '5.8.6',
    'API Version': '5.8.6',
    'Go Version': 'go1.27.2',
    Built: 'Mon Oct 12 00:19:24 2026',
    'Build Origin': 'Debian',
    'OS/Arch': 'linux/amd64',
  };
  const client = { engine: 'Podman Engine', labels, document: Client };
  expect(await formatVersion(client, undefined)).toBe(golden('version.txt'));
  expect(await formatVersion(client, 'json')).toBe(golden('version.json'));
});

test('top and port align and list', () => {
  const [header, ...processes] = golden('top.txt')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  // The command of the golden line ends with a space.
  processes[0]![7] += ' ';
  expect(formatTop(header!, processes)).toBe(`${golden('top.txt').trimEnd()} \n`);
  const running = containers.filter(({ ports }) => ports.some(({ hostPort }) => [18081, 18082].includes(hostPort)));
  expect(running.map(({ ports, id }) => formatPortLines(ports, id)).join('')).toBe(golden('port-a.txt'));
  expect(formatPortLines([{ hostIp: '::1', hostPort: 90, containerPort: 9, range: 2, protocol: 'udp' }])).toBe(
    '9/udp -> ::1:90\n10/udp -> ::1:91\n',
  );
});

function golden(name: string): string {
  return readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8');
}

/** Ages in a table depend on the moment; their cells and the width of their columns go. */
function withoutAges(text: string): string {
  return text.replaceAll(/\b\d+ seconds?(?: ago)?|Less than a second(?: ago)?/g, 'AGE').replaceAll(/ {2,}/g, '  ');
}

interface PsDocument {
  readonly [key: string]: unknown;
  readonly Id: string;
  readonly Image: string;
  readonly ImageID: string;
  readonly Names: string[];
  readonly Command: string[] | null;
  readonly Created: number;
  readonly StartedAt: number;
  readonly ExitedAt: number;
  readonly State: ContainerState;
  readonly Status: string;
  readonly ExitCode: number;
  readonly Pid: number;
  readonly IsInfra: boolean;
  readonly Labels: Record<string, string> | null;
  readonly Mounts: string[];
  readonly Networks: string[];
  readonly Ports: { host_ip: string; container_port: number; host_port: number; range: number; protocol: 'tcp' }[] | null;
  readonly ExposedPorts: Record<string, string[]> | null;
  readonly Pod: string;
  readonly PodName: string;
}

function containerOf(document: PsDocument): ContainerSummary {
  const health = /\((starting|healthy|unhealthy)\)/.exec(document.Status)?.[1] as ContainerSummary['health'];
  return {
    id: document.Id,
    names: document.Names,
    image: document.Image,
    imageId: document.ImageID,
    command: document.Command ?? [],
    createdAt: iso(document.Created),
    ...(document.StartedAt > 0 ? { startedAt: iso(document.StartedAt) } : {}),
    ...(document.ExitedAt > 0 ? { exitedAt: iso(document.ExitedAt) } : {}),
    state: document.State,
    ...(health ? { health } : {}),
    exitCode: document.ExitCode,
    pid: document.Pid,
    restarts: 0,
    autoRemove: false,
    isInfra: document.IsInfra,
    cidFile: '',
    labels: document.Labels ?? {},
    mounts: document.Mounts,
    networks: document.Networks,
    ports: (document.Ports ?? []).map((port) => ({
      hostIp: port.host_ip,
      hostPort: port.host_port,
      containerPort: port.container_port,
      range: port.range,
      protocol: port.protocol,
    })),
    exposed: Object.entries(document.ExposedPorts ?? {}).flatMap(([port, protocols]) => protocols.map((protocol) => `${port}/${protocol}`)),
    ...(document.Pod ? { pod: { id: document.Pod, name: document.PodName } } : {}),
  };
}

interface ImageDocument {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoDigests: string[];
  readonly Size: number;
  readonly Labels: Record<string, string> | null;
  readonly Containers: number;
  readonly Digest: string;
  readonly History: string[];
  readonly Names: string[];
  readonly CreatedAt: string;
}

function imageOf(document: ImageDocument): ImageSummary {
  return {
    id: document.Id,
    parentId: document.ParentId,
    names: document.Names,
    history: document.History,
    digest: document.Digest,
    repoDigests: document.RepoDigests,
    createdAt: document.CreatedAt,
    sizeBytes: document.Size,
    sharedSizeBytes: 0,
    labels: document.Labels ?? {},
    containers: document.Containers,
    readOnly: false,
    isManifestList: false,
  };
}

interface HistoryDocument {
  readonly id: string;
  readonly created: string;
  readonly CreatedBy: string;
  readonly tags?: string[];
  readonly size: number;
  readonly comment?: string;
}

function historyOf(document: HistoryDocument): HistorySummary {
  return {
    ...(document.id === '<missing>' ? {} : { id: document.id }),
    createdAt: document.created,
    createdBy: document.CreatedBy,
    sizeBytes: document.size,
    comment: document.comment ?? '',
    tags: document.tags ?? [],
  };
}

interface VolumeDocument {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly CreatedAt: string;
  readonly Labels: Record<string, string>;
  readonly Options: Record<string, string>;
  readonly UID?: number;
  readonly GID?: number;
  readonly Anonymous?: boolean;
  readonly MountCount: number;
  readonly NeedsCopyUp?: boolean;
  readonly NeedsChown?: boolean;
  readonly LockNumber: number;
}

function volumeOf(document: VolumeDocument): VolumeSummary {
  return {
    name: document.Name,
    driver: document.Driver,
    mountpoint: document.Mountpoint,
    createdAt: document.CreatedAt,
    labels: document.Labels,
    options: document.Options,
    uid: document.UID ?? 0,
    gid: document.GID ?? 0,
    anonymous: document.Anonymous ?? false,
    mountCount: document.MountCount,
    needsCopyUp: document.NeedsCopyUp ?? false,
    needsChown: document.NeedsChown ?? false,
    lockNumber: document.LockNumber,
  };
}

function eventOf(line: string): EventRecord {
  const document = JSON.parse(line) as Record<string, never>;
  const nanos = /"timeNano":(\d+)/.exec(line)![1]!;
  const text = (key: string, name: string): object => (document[key] === undefined ? {} : { [name]: document[key] });
  return {
    time: `${new Date(Number(nanos.slice(0, -9)) * 1000).toISOString().slice(0, 19)}.${nanos.slice(-9)}Z`,
    type: document['Type']!,
    status: document['Status']!,
    attributes: document['Attributes']!,
    ...text('ID', 'id'),
    ...text('Name', 'name'),
    ...text('Image', 'image'),
    ...text('network', 'network'),
    ...text('PodID', 'podId'),
    ...text('ContainerExitCode', 'containerExitCode'),
    ...text('health_status', 'healthStatus'),
  };
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
