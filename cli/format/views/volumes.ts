/** `volume ls` and `volume inspect`. */
import type { VolumeSummary } from '../../../libpod/summary.ts';
import { localTime } from '../human.ts';
import { encodeJson, FIVE_SPACES, LOOSE } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

export const VOLUME_COLUMNS = ['Driver', 'Name'] as const;

export const volumesView: View<VolumeSummary> = {
  name: 'ls',
  headers: {
    Anonymous: 'ANONYMOUS',
    CreatedAt: 'CREATED AT',
    Driver: 'DRIVER',
    GID: 'GID',
    Labels: 'LABELS',
    LockNumber: 'LOCK NUMBER',
    MountCount: 'MOUNT COUNT',
    Mountpoint: 'MOUNTPOINT',
    Name: 'VOLUME NAME',
    NeedsChown: 'NEEDS CHOWN',
    NeedsCopyUp: 'NEEDS COPY UP',
    Options: 'OPTIONS',
    Scope: 'SCOPE',
    Status: 'STATUS',
    StorageID: 'STORAGE ID',
    Timeout: 'TIMEOUT',
    UID: 'UID',
  },
  cells: { Driver: (row) => row.driver, Name: (row) => row.name },
  data: (row) => {
    const config = new GoStruct(
      'entities.VolumeConfigResponse',
      { InspectVolumeData: volumeData(row) },
      { embedded: ['InspectVolumeData'] },
    );
    return new GoStruct(
      '*types.VolumeListReport',
      { VolumeConfigResponse: config },
      { embedded: ['VolumeConfigResponse'], json: document(row) },
    );
  },
};

/** `volume ls --format json`. */
export function volumesJson(rows: readonly VolumeSummary[]): string {
  return `${encodeJson(rows.map(document), LOOSE)}\n`;
}

/** `volume inspect` without a format. */
export function volumesInspectJson(rows: readonly VolumeSummary[]): string {
  return `${encodeJson(rows.map(document), FIVE_SPACES)}\n`;
}

/** A volume as `volume inspect --format` sees it (formatEach). */
export function volumeData(row: VolumeSummary): GoStruct {
  return new GoStruct(
    'interface {}',
    {
      Name: row.name,
      Driver: row.driver,
      Mountpoint: row.mountpoint,
      CreatedAt: localTime(row.createdAt),
      Status: new Map(),
      Labels: new Map(Object.entries(row.labels)),
      Scope: 'local',
      Options: new Map(Object.entries(row.options)),
      UID: row.uid,
      GID: row.gid,
      Anonymous: row.anonymous,
      MountCount: row.mountCount,
      NeedsCopyUp: row.needsCopyUp,
      NeedsChown: row.needsChown,
      Timeout: 0,
      StorageID: '',
      LockNumber: row.lockNumber,
    },
    { json: document(row) },
  );
}

function document(row: VolumeSummary): Readonly<Record<string, unknown>> {
  return {
    Name: row.name,
    Driver: row.driver,
    Mountpoint: row.mountpoint,
    CreatedAt: localTime(row.createdAt),
    Labels: new Map(Object.entries(row.labels)),
    Scope: 'local',
    Options: new Map(Object.entries(row.options)),
    UID: row.uid === 0 ? undefined : row.uid,
    GID: row.gid === 0 ? undefined : row.gid,
    Anonymous: row.anonymous ? true : undefined,
    MountCount: row.mountCount,
    NeedsCopyUp: row.needsCopyUp ? true : undefined,
    NeedsChown: row.needsChown ? true : undefined,
    LockNumber: row.lockNumber,
  };
}
