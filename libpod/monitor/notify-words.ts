/** What a container says to its service manager (sd_notify(3)), line by line. */

export interface Said {
  /** For the service manager as it is; empty where nothing is left. */
  readonly passedOn: string;
  readonly isReady: boolean;
}

const READY = 'READY=1';

/** Which process is the service's main one, and who may speak for it, is for its monitor to say: a container counts its processes otherwise. */
const MONITORS_OWN = /^(?:MAINPID|NOTIFYACCESS)/;

/** Bytes are characters of latin1. */
export function sort(message: string): Said {
  const lines = message.split('\n');
  return {
    passedOn: lines.filter((line) => line !== '' && line !== READY && !MONITORS_OWN.test(line)).join('\n'),
    isReady: lines.includes(READY),
  };
}
