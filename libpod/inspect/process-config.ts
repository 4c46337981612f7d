/** Config of `container inspect`: what runs, and how. */
import type { Json, JsonObject } from '../../core/json.ts';
import { signalName } from '../../core/signal.ts';
import type { Healthcheck } from '../../storage/image.ts';
import { HEALTH_DEFAULTS } from '../health/check.ts';
import type { StartupCheck } from '../spec/wish.ts';
import type { ContainerConfig, ContainerSecret } from '../spec/container.ts';
import { exposedPorts } from './network-settings.ts';
import { sorted } from './sorted.ts';

export interface ProcessView {
  readonly hostname: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: Json;
}

export function processConfig(config: ContainerConfig, view: ProcessView): JsonObject {
  const ports = exposedPorts(config);
  const health = { ...HEALTH_DEFAULTS, ...config.health };
  return {
    Hostname: view.hostname,
    Domainname: '',
    User: config.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: config.terminal,
    OpenStdin: config.stdinOpen,
    StdinOnce: false,
    Env: view.env,
    Cmd: listOrNull(config.command),
    Image: config.imageName ?? '',
    Volumes: null,
    WorkingDir: config.workdir,
    Entrypoint: listOrNull(config.entrypoint),
    OnBuild: null,
    Labels: mapOrNull(config.labels),
    Annotations: mapOrNull(view.annotations),
    StopSignal: signalName(config.stopSignal),
    ...(config.health?.startup && { StartupHealthCheck: inspectedStartup(config.health.startup) }),
    ...(config.healthcheck && { Healthcheck: inspectedHealthcheck(config.healthcheck) }),
    HealthcheckOnFailureAction: health.onFailure,
    HealthLogDestination: health.logDestination,
    HealthcheckMaxLogCount: health.maxLogCount,
    HealthcheckMaxLogSize: health.maxLogSize,
    CreateCommand: listOrNull(config.createCommand),
    ...(config.timezone !== undefined && { Timezone: config.timezone }),
    ...(config.systemd && { SystemdMode: true }),
    Umask: config.umask,
    ...(config.secrets && config.secrets.length > 0 && { Secrets: config.secrets.map(inspectedSecret) }),
    Timeout: config.timeoutSeconds ?? 0,
    StopTimeout: config.stopTimeoutSeconds,
    Passwd: config.accounts?.none !== true,
    ...(config.chrootDirs && { ChrootDirs: config.chrootDirs }),
    sdNotifyMode: config.sdnotify?.mode ?? 'container',
    ...(config.sdnotify?.socket !== undefined && { sdNotifySocket: config.sdnotify.socket }),
    ...(Object.keys(ports).length > 0 && { ExposedPorts: ports }),
  };
}

/** Go leaves zeros out. */
export function inspectedHealthcheck({ Test, StartPeriod, Interval, Timeout, Retries }: Healthcheck): JsonObject {
  return {
    ...(Test && Test.length > 0 && { Test }),
    ...(StartPeriod && { StartPeriod }),
    ...(Interval && { Interval }),
    ...(Timeout && { Timeout }),
    ...(Retries && { Retries }),
  };
}

function inspectedStartup({ Successes, ...check }: StartupCheck): JsonObject {
  return { ...inspectedHealthcheck(check), ...(Successes && { Successes }) };
}

function inspectedSecret({ name, id, uid, gid, mode }: ContainerSecret): JsonObject {
  return { Name: name, ID: id, UID: uid, GID: gid, Mode: mode };
}

function listOrNull(list: readonly string[]): Json {
  return list.length > 0 ? list : null;
}

function mapOrNull(map: Readonly<Record<string, string>>): Json {
  return Object.keys(map).length > 0 ? sorted(map) : null;
}
