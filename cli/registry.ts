/**
 * Which words make which command, what `--help` says of it in one line, and where its code is.
 * A command loads only its own file: `load` must be an import() of a literal path.
 */
import type { Command } from './command.ts';

export interface Group {
  readonly summary: string;
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  readonly commands: Readonly<Record<string, Entry>>;
}

export interface Leaf {
  readonly summary: string;
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export type Entry = Group | Leaf;

/** Verbs that stand at the top and under `container`. */
const CONTAINER_VERBS: Readonly<Record<string, Leaf>> = {
  attach: { summary: 'Attach to a running container', load: () => import('./commands/attach.ts') },
  commit: { summary: 'Make an image of what a container has changed', load: () => import('./commands/commit.ts') },
  cp: { summary: 'Copy files between a container and the host', load: () => import('./commands/cp.ts') },
  create: { summary: 'Create a container without starting it', load: () => import('./commands/create.ts') },
  diff: { summary: 'Show what a container changes', load: () => import('./commands/container-diff.ts') },
  exec: { summary: 'Run a command in a running container', load: () => import('./commands/exec.ts') },
  export: { summary: "Write a container's file system as a tar archive", load: () => import('./commands/export.ts') },
  init: { summary: 'Prepare containers up to the point of starting them', load: () => import('./commands/init.ts') },
  mount: { summary: 'Mount the root file systems of containers', load: () => import('./commands/mount.ts') },
  kill: { summary: 'Send a signal to running containers', load: () => import('./commands/kill.ts') },
  logs: { summary: 'Show the output of containers', load: () => import('./commands/logs.ts') },
  pause: { summary: 'Freeze the processes of containers', load: () => import('./commands/pause.ts') },
  port: { summary: 'Show published ports of a container', load: () => import('./commands/port.ts') },
  ps: { summary: 'List containers', load: () => import('./commands/ps.ts') },
  rename: { summary: 'Rename a container', load: () => import('./commands/rename.ts') },
  restart: { summary: 'Stop and start containers', load: () => import('./commands/restart.ts') },
  rm: { summary: 'Remove containers', load: () => import('./commands/rm.ts') },
  run: { summary: 'Run a command in a new container', load: () => import('./commands/run.ts') },
  start: { summary: 'Start containers', load: () => import('./commands/start.ts') },
  stats: { summary: 'Show what containers use of the machine', load: () => import('./commands/stats.ts') },
  stop: { summary: 'Stop running containers', load: () => import('./commands/stop.ts') },
  top: { summary: 'Show the processes of a container', load: () => import('./commands/top.ts') },
  unmount: { summary: 'Unmount the root file systems of containers', aliases: ['umount'], load: () => import('./commands/unmount.ts') },
  update: { summary: 'Change limits and settings of a container', load: () => import('./commands/update.ts') },
  unpause: { summary: 'Let the processes of paused containers go on', load: () => import('./commands/unpause.ts') },
  wait: { summary: 'Wait until containers end, print their exit status', load: () => import('./commands/wait.ts') },
};

const CONTAINER: Group = {
  summary: 'Manage containers',
  commands: {
    ...CONTAINER_VERBS,
    checkpoint: { summary: 'Write the state of running containers to the disk', load: () => import('./commands/container-checkpoint.ts') },
    cleanup: { summary: 'Clean up after containers that have ended', load: () => import('./commands/container-cleanup.ts') },
    clone: { summary: 'Make a copy of a container', load: () => import('./commands/container-clone.ts') },
    exists: { summary: 'Tell by exit status whether a container exists', load: () => import('./commands/container-exists.ts') },
    inspect: { summary: 'Show all that is known of containers', load: () => import('./commands/container-inspect.ts') },
    list: { summary: 'List containers', aliases: ['ls'], load: () => import('./commands/ps.ts') },
    prune: { summary: 'Remove containers that do not run', load: () => import('./commands/container-prune.ts') },
    restore: { summary: 'Bring checkpointed containers back', load: () => import('./commands/container-restore.ts') },
    runlabel: { summary: 'Run the command that a label of an image describes', load: () => import('./commands/container-runlabel.ts') },
  },
};

const BUILD: Leaf = { summary: 'Build an image by the instructions of a Containerfile', load: () => import('./commands/build.ts') };

/** As Docker's shells type it. */
const BUILDER: Group = {
  summary: 'Build images',
  hidden: true,
  commands: {
    build: BUILD,
    prune: { summary: 'Remove unused images', load: () => import('./commands/image-prune.ts') },
    version: { summary: 'Show the version', load: () => import('./commands/version.ts') },
  },
};

/** Verbs that stand at the top and under `image`. */
const IMAGE_VERBS: Readonly<Record<string, Leaf>> = {
  build: BUILD,
  history: { summary: 'Show the steps an image was built in', load: () => import('./commands/history.ts') },
  import: { summary: 'Make an image of a tar archive with a root file system', load: () => import('./commands/import.ts') },
  load: { summary: 'Load images from an archive', load: () => import('./commands/load.ts') },
  pull: { summary: 'Get images from a registry', load: () => import('./commands/pull.ts') },
  push: { summary: 'Send an image to a registry', load: () => import('./commands/push.ts') },
  save: { summary: 'Save images to an archive or a directory', load: () => import('./commands/save.ts') },
  search: { summary: 'Look for images in registries', load: () => import('./commands/search.ts') },
  tag: { summary: 'Give an image another name', load: () => import('./commands/tag.ts') },
  untag: { summary: 'Take names from an image', load: () => import('./commands/untag.ts') },
};

const TRUST: Group = {
  summary: 'Manage which images are trusted',
  commands: {
    set: { summary: 'Set whether images are trusted', load: () => import('./commands/image-trust-set.ts') },
    show: { summary: 'Show which images are trusted', load: () => import('./commands/image-trust-show.ts') },
  },
};

const IMAGE: Group = {
  summary: 'Manage images',
  commands: {
    ...IMAGE_VERBS,
    diff: { summary: 'Show what the topmost layer of an image changes', load: () => import('./commands/image-diff.ts') },
    exists: { summary: 'Tell by exit status whether an image exists', load: () => import('./commands/image-exists.ts') },
    inspect: { summary: 'Show all that is known of images', load: () => import('./commands/image-inspect.ts') },
    list: { summary: 'List images', aliases: ['ls'], load: () => import('./commands/images.ts') },
    mount: { summary: 'Mount images', load: () => import('./commands/image-mount.ts') },
    prune: { summary: 'Remove unused images', load: () => import('./commands/image-prune.ts') },
    rm: { summary: 'Remove images', aliases: ['remove'], load: () => import('./commands/rmi.ts') },
    scp: { summary: 'Copy an image to or from another user or machine', load: () => import('./commands/image-scp.ts') },
    sign: { summary: 'Sign images (not supported)', hidden: true, load: () => import('./commands/image-sign.ts') },
    tree: { summary: 'Show the layers of an image as a tree', load: () => import('./commands/image-tree.ts') },
    trust: TRUST,
    unmount: { summary: 'Unmount images', aliases: ['umount'], load: () => import('./commands/image-unmount.ts') },
  },
};

const ARTIFACT: Group = {
  summary: 'Manage OCI artifacts',
  commands: {
    add: { summary: 'Make an artifact of files', load: () => import('./commands/artifact-add.ts') },
    extract: { summary: 'Copy files of an artifact out of the store', load: () => import('./commands/artifact-extract.ts') },
    inspect: { summary: 'Show all that is known of an artifact', load: () => import('./commands/artifact-inspect.ts') },
    ls: { summary: 'List artifacts', aliases: ['list'], load: () => import('./commands/artifact-ls.ts') },
    pull: { summary: 'Get an artifact from a registry', load: () => import('./commands/artifact-pull.ts') },
    push: { summary: 'Send an artifact to a registry', load: () => import('./commands/artifact-push.ts') },
    rm: { summary: 'Remove artifacts', aliases: ['remove'], load: () => import('./commands/artifact-rm.ts') },
  },
};

const MANIFEST: Group = {
  summary: 'Manage manifest lists and image indexes',
  commands: {
    add: { summary: 'Add images or an artifact to a manifest list', load: () => import('./commands/manifest-add.ts') },
    annotate: { summary: 'Change what a manifest list says', load: () => import('./commands/manifest-annotate.ts') },
    create: { summary: 'Make a manifest list', load: () => import('./commands/manifest-create.ts') },
    exists: { summary: 'Tell by exit status whether a manifest list exists', load: () => import('./commands/manifest-exists.ts') },
    inspect: { summary: 'Show a manifest list', load: () => import('./commands/manifest-inspect.ts') },
    push: { summary: 'Send a manifest list and what it lists to a registry', load: () => import('./commands/manifest-push.ts') },
    remove: { summary: 'Take an entry from a manifest list', load: () => import('./commands/manifest-remove.ts') },
    rm: { summary: 'Remove manifest lists', load: () => import('./commands/manifest-rm.ts') },
  },
};

const HEALTHCHECK: Group = {
  summary: 'Manage health checks of containers',
  commands: { run: { summary: 'Run the health check of a container', load: () => import('./commands/healthcheck-run.ts') } },
};

const NETWORK: Group = {
  summary: 'Manage networks',
  commands: {
    connect: { summary: 'Connect a container to a network', load: () => import('./commands/network-connect.ts') },
    create: { summary: 'Create a network', load: () => import('./commands/network-create.ts') },
    disconnect: { summary: 'Take a container from a network', load: () => import('./commands/network-disconnect.ts') },
    exists: { summary: 'Tell by exit status whether a network exists', load: () => import('./commands/network-exists.ts') },
    inspect: { summary: 'Show all that is known of networks', load: () => import('./commands/network-inspect.ts') },
    ls: { summary: 'List networks', aliases: ['list'], load: () => import('./commands/network-ls.ts') },
    prune: { summary: 'Remove unused networks', load: () => import('./commands/network-prune.ts') },
    reload: { summary: 'Set the networks of running containers up anew', load: () => import('./commands/network-reload.ts') },
    rm: { summary: 'Remove networks', aliases: ['remove'], load: () => import('./commands/network-rm.ts') },
    update: { summary: 'Change the name servers of a network', load: () => import('./commands/network-update.ts') },
  },
};

const POD: Group = {
  summary: 'Manage pods: containers that share namespaces',
  commands: {
    create: { summary: 'Create a pod', load: () => import('./commands/pod-create.ts') },
    clone: { summary: 'Make a copy of a pod', load: () => import('./commands/pod-clone.ts') },
    exists: { summary: 'Tell by exit status whether a pod exists', load: () => import('./commands/pod-exists.ts') },
    inspect: { summary: 'Show all that is known of pods', load: () => import('./commands/pod-inspect.ts') },
    kill: { summary: 'Send a signal to the containers of pods', load: () => import('./commands/pod-kill.ts') },
    logs: { summary: 'Show the output of the containers of a pod', load: () => import('./commands/pod-logs.ts') },
    pause: { summary: 'Freeze the processes of pods', load: () => import('./commands/pod-pause.ts') },
    prune: { summary: 'Remove pods that have ended', load: () => import('./commands/pod-prune.ts') },
    ps: { summary: 'List pods', aliases: ['ls', 'list'], load: () => import('./commands/pod-ps.ts') },
    restart: { summary: 'Restart pods', load: () => import('./commands/pod-restart.ts') },
    rm: { summary: 'Remove pods', load: () => import('./commands/pod-rm.ts') },
    start: { summary: 'Start pods', load: () => import('./commands/pod-start.ts') },
    stats: { summary: 'Show what the containers of pods use of the machine', load: () => import('./commands/pod-stats.ts') },
    stop: { summary: 'Stop pods', load: () => import('./commands/pod-stop.ts') },
    top: { summary: 'Show the processes of the containers of a pod', load: () => import('./commands/pod-top.ts') },
    unpause: { summary: 'Let the processes of paused pods go on', load: () => import('./commands/pod-unpause.ts') },
  },
};

const QUADLET: Group = {
  summary: 'Manage Quadlet files: containers, volumes and more as units of systemd',
  commands: {
    check: { summary: 'Look for mistakes in Quadlet files', load: () => import('./commands/quadlet-check.ts') },
    install: { summary: 'Install a Quadlet file, or several that belong together', load: () => import('./commands/quadlet-install.ts') },
    list: { summary: 'List Quadlet files', load: () => import('./commands/quadlet-list.ts') },
    print: { summary: 'Print a Quadlet file', aliases: ['cat'], load: () => import('./commands/quadlet-print.ts') },
    rm: { summary: 'Remove Quadlet files', load: () => import('./commands/quadlet-rm.ts') },
    setup: { summary: 'Make systemd see the Quadlet files', load: () => import('./commands/quadlet-setup.ts') },
  },
};

const SECRET: Group = {
  summary: 'Manage secrets',
  commands: {
    create: { summary: 'Create a secret', load: () => import('./commands/secret-create.ts') },
    exists: { summary: 'Tell by exit status whether a secret exists', load: () => import('./commands/secret-exists.ts') },
    inspect: { summary: 'Show all that is known of secrets', load: () => import('./commands/secret-inspect.ts') },
    ls: { summary: 'List secrets', aliases: ['list'], load: () => import('./commands/secret-ls.ts') },
    rm: { summary: 'Remove secrets', load: () => import('./commands/secret-rm.ts') },
  },
};

const VOLUME: Group = {
  summary: 'Manage volumes',
  commands: {
    create: { summary: 'Create a volume', load: () => import('./commands/volume-create.ts') },
    exists: { summary: 'Tell by exit status whether a volume exists', load: () => import('./commands/volume-exists.ts') },
    export: { summary: 'Write what a volume holds as a tar archive', load: () => import('./commands/volume-export.ts') },
    import: { summary: 'Put a tar archive into a volume', load: () => import('./commands/volume-import.ts') },
    inspect: { summary: 'Show all that is known of volumes', load: () => import('./commands/volume-inspect.ts') },
    ls: { summary: 'List volumes', aliases: ['list'], load: () => import('./commands/volume-ls.ts') },
    mount: { summary: 'Mount a volume and print where', load: () => import('./commands/volume-mount.ts') },
    prune: { summary: 'Remove unused volumes', load: () => import('./commands/volume-prune.ts') },
    reload: { summary: 'Look for new volumes of plugins', load: () => import('./commands/volume-reload.ts') },
    rm: { summary: 'Remove volumes', aliases: ['remove'], load: () => import('./commands/volume-rm.ts') },
    unmount: { summary: 'Undo a volume mount', load: () => import('./commands/volume-unmount.ts') },
  },
};

const EVENTS: Leaf = { summary: 'Show what happens to objects', load: () => import('./commands/events.ts') };
const INFO: Leaf = { summary: 'Show facts about the machine and the store', load: () => import('./commands/info.ts') };

const SYSTEM: Group = {
  summary: 'Manage lichen itself',
  commands: {
    check: { summary: 'Look for damage in the store', load: () => import('./commands/system-check.ts') },
    connection: {
      summary: 'Manage the destinations of remote services',
      commands: {
        add: { summary: 'Record where a remote service is', load: () => import('./commands/system-connection-add.ts') },
        default: { summary: 'Make a destination the default', load: () => import('./commands/system-connection-default.ts') },
        list: {
          summary: 'List the destinations of remote services',
          aliases: ['ls'],
          load: () => import('./commands/system-connection-list.ts'),
        },
        remove: { summary: 'Forget a destination', aliases: ['rm'], load: () => import('./commands/system-connection-remove.ts') },
        rename: {
          summary: 'Give a destination another name',
          aliases: ['mv'],
          load: () => import('./commands/system-connection-rename.ts'),
        },
      },
    },
    df: { summary: 'Show how much disk is used', load: () => import('./commands/system-df.ts') },
    events: EVENTS,
    info: INFO,
    migrate: { summary: 'Make new namespaces for what follows', load: () => import('./commands/system-migrate.ts') },
    prune: { summary: 'Remove what nothing uses', load: () => import('./commands/system-prune.ts') },
    renumber: { summary: 'Give locks new numbers', load: () => import('./commands/system-renumber.ts') },
    reset: { summary: 'Remove all containers, images, volumes and networks', load: () => import('./commands/system-reset.ts') },
  },
};

const GENERATE: Group = {
  summary: 'Write what other programs run containers by',
  commands: {
    quadlet: {
      summary: 'Write Quadlet files for containers, pods, volumes and networks',
      load: () => import('./commands/generate-quadlet.ts'),
    },
    systemd: { summary: 'Write systemd units for a container or pod', load: () => import('./commands/generate-systemd.ts') },
  },
};

export const REGISTRY: Group = {
  summary: 'Manage containers and images',
  commands: {
    ...CONTAINER_VERBS,
    ...IMAGE_VERBS,
    artifact: ARTIFACT,
    'auto-update': { summary: 'Restart services whose images have become newer', load: () => import('./commands/auto-update.ts') },
    builder: BUILDER,
    buildx: BUILDER,
    completion: { summary: 'Print a completion script for a shell', load: () => import('./commands/completion.ts') },
    container: CONTAINER,
    diff: { summary: 'Show what a container or image changes', load: () => import('./commands/diff.ts') },
    doctor: { summary: 'Find out what this machine lacks for containers', load: () => import('./commands/doctor.ts') },
    events: EVENTS,
    generate: GENERATE,
    healthcheck: HEALTHCHECK,
    image: IMAGE,
    images: { summary: 'List images', load: () => import('./commands/images.ts') },
    info: INFO,
    inspect: { summary: 'Show all that is known of objects', load: () => import('./commands/inspect.ts') },
    manifest: MANIFEST,
    login: { summary: 'Log in to a registry', load: () => import('./commands/login.ts') },
    logout: { summary: 'Log out of a registry', load: () => import('./commands/logout.ts') },
    network: NETWORK,
    pod: POD,
    quadlet: QUADLET,
    rmi: { summary: 'Remove images', load: () => import('./commands/rmi.ts') },
    runtime: { summary: 'Run a bundle with the embedded OCI runtime', load: () => import('./commands/runtime.ts') },
    secret: SECRET,
    system: SYSTEM,
    unshare: { summary: 'Run a command in the user namespace of the store', load: () => import('./commands/unshare.ts') },
    version: { summary: 'Show the version', load: () => import('./commands/version.ts') },
    volume: VOLUME,
  },
};

export function isGroup(entry: Entry): entry is Group {
  return 'commands' in entry;
}

/** By name or alias. `name` in the result is the real name. */
export function findEntry(group: Group, word: string): { readonly name: string; readonly entry: Entry } | undefined {
  const direct = Object.hasOwn(group.commands, word) ? group.commands[word] : undefined;
  if (direct !== undefined) return { name: word, entry: direct };
  for (const [name, entry] of Object.entries(group.commands)) if (entry.aliases?.includes(word)) return { name, entry };
  return undefined;
}
