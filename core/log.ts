/** Podman's --log-level words, most talkative first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Sink = (level: LogLevel, message: string) => void;

let threshold: number = LOG_LEVELS.indexOf('warn');
let sink: Sink | undefined;
const held: { level: LogLevel; message: string }[] = [];

/** A door says where talk goes (stderr); messages logged before that are kept and delivered then. */
export function openLog(level: LogLevel, to: Sink): void {
  threshold = LOG_LEVELS.indexOf(level);
  sink = to;
  for (const { level: heldLevel, message } of held.splice(0)) emit(heldLevel, message);
}

export const log = {
  debug: (message: string | (() => string)): void => emit('debug', message),
  info: (message: string | (() => string)): void => emit('info', message),
  warn: (message: string | (() => string)): void => emit('warn', message),
  error: (message: string | (() => string)): void => emit('error', message),
};

export function isLogged(level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= threshold;
}

function emit(level: LogLevel, message: string | (() => string)): void {
  if (sink === undefined) {
    held.push({ level, message: typeof message === 'string' ? message : message() });
    return;
  }
  if (isLogged(level)) sink(level, typeof message === 'string' ? message : message());
}
