/**
 * `auto-update`: newer images for the containers of services, by restarting the services. Each unit is one step: its images first, then one restart;
 * where that fails the names go back to the images that ran before, and it is restarted again.
 */
import { EngineError } from '../../core/errors.ts';
import { runHelper } from '../../host/process.ts';
import { managerScope } from '../../host/service-manager.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import type { Engine } from '../engine.ts';
import { findImage } from '../image/find.ts';
import { pullImages } from '../image/pull.ts';
import { tagImage } from '../image/tag.ts';
import type { RegistryChoice } from '../registry/access.ts';
import { findTasks, type Policy, type Task } from './tasks.ts';

export interface AutoUpdateOptions extends RegistryChoice {
  readonly dryRun: boolean;
  readonly rollback: boolean;
  readonly onEvent?: OnCopyEvent | undefined;
}

export interface AutoUpdateReport {
  readonly unit: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly imageName: string;
  readonly policy: Policy;
  readonly updated: 'true' | 'false' | 'pending' | 'failed' | 'rolled back';
}

export interface AutoUpdate {
  readonly reports: readonly AutoUpdateReport[];
  /** Of single containers and units; the others were updated. */
  readonly failures: readonly unknown[];
}

/** Throws NOT_SUPPORTED where there is something to update and no systemd to do it. */
export async function autoUpdate(engine: Engine, options: AutoUpdateOptions): Promise<AutoUpdate> {
  const { byUnit, failures: misfits } = findTasks(engine);
  if (byUnit.size === 0) return { reports: [], failures: misfits };
  const scope = managerScope(engine.identity, engine.options.env);
  if (scope === undefined) {
    throw new EngineError('NOT_SUPPORTED', 'no systemd keeps services here, so none can be updated', {
      hint: 'Restart the containers by hand: lichen pull IMAGE, then make them anew.',
    });
  }
  engine.db.transaction(() => engine.events.add({ type: 'system', status: 'auto-update', id: '', name: '' }));
  const updater = new Updater(engine, scope, options);
  for (const [unit, tasks] of byUnit) await updater.update(unit, tasks);
  return { reports: updater.reports, failures: [...misfits, ...updater.failures] };
}

class Updater {
  readonly reports: AutoUpdateReport[] = [];
  readonly failures: unknown[] = [];
  readonly #engine: Engine;
  readonly #scope: readonly string[];
  readonly #options: AutoUpdateOptions;

  constructor(engine: Engine, scope: readonly string[], options: AutoUpdateOptions) {
    this.#engine = engine;
    this.#scope = scope;
    this.#options = options;
  }

  async update(unit: string, tasks: readonly Task[]): Promise<void> {
    const states = new Map<Task, AutoUpdateReport['updated']>();
    for (const task of tasks) states.set(task, await this.#renew(task));
    const isRenewed = tasks.some((task) => states.get(task) === 'true');
    const outcome = isRenewed ? await this.#restart(unit, tasks) : undefined;
    for (const task of tasks) this.reports.push(report(task, outcome ?? states.get(task)!));
  }

  /** See that the name means the newest image: `true` where that is another one than the container's. */
  async #renew(task: Task): Promise<AutoUpdateReport['updated']> {
    let step = 'checking image updates';
    try {
      if (!(await this.#isOutdated(task))) return 'false';
      if (this.#options.dryRun) return 'pending';
      step = 'updating image';
      if (task.policy === 'registry') await pullImages(this.#engine, task.imageName, { ...this.#choice(task), policy: 'always' });
      return (await this.#currentId(task)) === task.record.config.imageId ? 'false' : 'true';
    } catch (error) {
      this.#fail(`${step} for container ${task.record.id}`, error);
      return 'failed';
    }
  }

  async #isOutdated(task: Task): Promise<boolean> {
    const { record, policy, imageName } = task;
    const { image } = await findImage(this.#engine, imageName);
    // Pulled by somebody else, or for another container.
    if (policy === 'local' || image.id !== record.config.imageId) return image.id !== record.config.imageId;
    const [{ openRemote }, { openAccess }] = await Promise.all([import('../../storage/remote.ts'), import('../image/access.ts')]);
    using remote = await openRemote(imageName, await openAccess(this.#engine, this.#choice(task)));
    if (remote.digest === image.manifestDigest || remote.digest === image.indexDigest) return false;
    const { document } = remote;
    return document.kind !== 'index' || !document.index.manifests.some(({ digest }) => digest === image.manifestDigest);
  }

  #choice({ authFile }: Task): AutoUpdateOptions {
    return authFile === undefined ? this.#options : { ...this.#options, authFile };
  }

  async #currentId({ imageName }: Task): Promise<string> {
    return (await findImage(this.#engine, imageName)).image.id;
  }

  async #restart(unit: string, tasks: readonly Task[]): Promise<AutoUpdateReport['updated']> {
    try {
      await this.#restartUnit(unit);
      return 'true';
    } catch (error) {
      if (!this.#options.rollback) {
        this.#fail(`restarting unit ${unit} during update`, error);
        return 'failed';
      }
    }
    try {
      for (const { record, imageName } of tasks) await tagImage(this.#engine, record.config.imageId!, [imageName]);
      await this.#restartUnit(unit);
      return 'rolled back';
    } catch (error) {
      this.#fail(`restarting unit ${unit} during rollback`, error);
      return 'failed';
    }
  }

  /** Waits for as long as the unit may take; its own limits hold. */
  async #restartUnit(unit: string): Promise<void> {
    await runHelper('systemctl', [...this.#scope, '--quiet', 'restart', '--', unit]);
  }

  #fail(what: string, error: unknown): void {
    const { code, hint, message } = error instanceof EngineError ? error : { code: undefined, hint: undefined, message: '' };
    if (code === undefined) throw error;
    this.failures.push(new EngineError(code, `${what}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) }));
  }
}

function report({ record, unit, policy, imageName }: Task, updated: AutoUpdateReport['updated']): AutoUpdateReport {
  return { unit, containerId: record.id, containerName: record.config.name, imageName, policy, updated };
}
