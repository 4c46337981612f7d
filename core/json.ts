import { EngineError, type ErrorCode } from './errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/**
 * Parse a JSON document from outside. `what` names the document in the error ("manifest of docker.io/library/alpine").
 * Throws an EngineError with `code` (default IMAGE_CORRUPT). `__proto__` keys become plain data, never a prototype (JSON.parse defines, does not assign).
 */
export function parseJson(bytes: Uint8Array | string, what: string, code: ErrorCode = 'IMAGE_CORRUPT'): Json {
  const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: false }).decode(bytes);
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    // The parser quotes the text, which may hold what steers a terminal.
    const why = (cause as Error).message.replace(/\p{Cc}+/gu, ' ');
    throw new EngineError(code, `${what}: not valid JSON: ${why}`, { cause });
  }
}

/** An object of a parsed document, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
