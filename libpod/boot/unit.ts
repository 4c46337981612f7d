/**
 * lichen-restart.service: the one unit by which the user's systemd starts containers again after a boot, as Podman's podman-restart.service
 * does. It is written when a container with such a restart policy is first started, and enabled then: whoever disables it afterwards is obeyed.
 * One that lacks our mark is somebody's own, and left alone.
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { log } from '../../core/log.ts';
import { assignmentWord } from '../../core/unit-word.ts';
import { readIfThere } from '../../host/if-there.ts';
import { replaceFile } from '../../host/replace-file.ts';
import { managerScope, systemctl } from '../../host/service-manager.ts';
import type { Engine } from '../engine.ts';

export const UNIT = 'lichen-restart.service';
const MARK = '# Kept by lichen. Without this line it is left alone.';

/** The conmon of each container lives in the unit's cgroup and is ended with its container: nothing else there is the unit's to kill. */
export function unitText(launcher: string): string {
  const program = assignmentWord(launcher);
  return `${MARK}
[Unit]
Description=Start lichen's containers that are to be started again after a boot
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=true
KillMode=process
ExecStart=${program} start --all --filter should-start-on-boot=true
ExecStop=${program} stop --service --all

[Install]
WantedBy=default.target
`;
}

export interface UnitPlaces {
  readonly file: string;
  /** What systemd(1) looks at: a link to the file, for as long as the unit is enabled. */
  readonly link: string;
}

/** Undefined where the unit, which is told nothing, would come to another store than this engine's; and for root, whose units are the machine's. */
export function unitPlaces({ identity, paths, options: { env } }: Engine): UnitPlaces | undefined {
  const { HOME: home, XDG_CONFIG_HOME: config, XDG_RUNTIME_DIR: runtime } = env;
  if (!identity.rootless || !home || !runtime) return undefined;
  if (paths.store !== join(home, '.local/share/lichen') || paths.run !== join(runtime, 'lichen')) return undefined;
  const directory = join(config || join(home, '.config'), 'systemd/user');
  return { file: join(directory, UNIT), link: join(directory, 'default.target.wants', UNIT) };
}

/** The unit is there and up to date when this returns; what is to be said if it has just been made. A home that cannot be written is no failure. */
export async function keepUnit(engine: Engine): Promise<string | undefined> {
  const { identity, options } = engine;
  const places = unitPlaces(engine);
  const scope = managerScope(identity, options.env);
  if (places === undefined || scope === undefined) return undefined;
  const text = unitText(options.self[0]!);
  const before = readUnit(places);
  if (before !== undefined && (before === text || !isOurs(before))) return undefined;
  try {
    // The link first: a killed lichen that had written the file only would have left it disabled for good.
    if (before === undefined) enable(places);
    replaceFile(places.file, text, 0o644);
    await systemctl(scope, ['daemon-reload']);
  } catch (error) {
    log.debug(() => `${UNIT} cannot be kept: ${(error as Error).message}`);
    return undefined;
  }
  return before === undefined ? `Containers with a restart policy start again after a reboot: ${places.file}` : undefined;
}

/** Of `system reset`. */
export async function removeUnit(engine: Engine): Promise<void> {
  const places = unitPlaces(engine);
  const text = places && readUnit(places);
  if (places === undefined || text === undefined || !isOurs(text)) return;
  rmSync(places.link, { force: true });
  rmSync(places.file, { force: true });
  const scope = managerScope(engine.identity, engine.options.env);
  if (scope === undefined) return;
  await systemctl(scope, ['daemon-reload']).catch((error: unknown) => log.debug(() => (error as Error).message));
}

export function readUnit({ file }: UnitPlaces): string | undefined {
  return readIfThere(file);
}

function isOurs(text: string): boolean {
  return text.split('\n').includes(MARK);
}

function enable({ file, link }: UnitPlaces): void {
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(file, link);
}
