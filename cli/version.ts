import packageJson from '../package.json' with { type: 'json' };

export const VERSION = packageJson.version;

/** The Podman release whose command line and API this version follows. */
export const API_VERSION = '5.8.6';
