/** What a registry says when it says no (distribution-spec, "Error Codes"), as an error in Podman's words. */
import { STATUS_CODES } from 'node:http';
import { EngineError, type ErrorCode } from '../../core/errors.ts';
import type { HttpResponse } from './http.ts';
import { printable } from './printable.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const BODY_TIMEOUT_MS = 3000;

/** Reads (a little of) the body. `action` goes before it: `reading manifest 1 in quay.io/a/b`. */
export async function registryFailure(response: HttpResponse, action: string): Promise<EngineError> {
  const said = describe(await readSome(response), response.status);
  const code = codeOf(response.status, said.code);
  const hint = code === 'REGISTRY_UNAUTHORIZED' ? `Log in: lichen login ${response.url.host}` : undefined;
  return new EngineError(code, `${action}: ${said.text}`, hint === undefined ? {} : { hint });
}

const UNAUTHORIZED = 'authentication required';

interface Said {
  readonly code?: string;
  readonly text: string;
}

function describe(body: string, status: number): Said {
  const first = firstError(body);
  if (first !== undefined) {
    // The words of containers/image for the most common answers.
    if (first.code === 'MANIFEST_UNKNOWN') return { code: first.code, text: 'manifest unknown' };
    if (first.code === 'UNAUTHORIZED' && first.message === UNAUTHORIZED) return { code: first.code, text: UNAUTHORIZED };
    const name = printable(first.code, 60).toLowerCase().replaceAll('_', ' ');
    const message = printable(first.message);
    return { code: first.code, text: message === '' || message.toLowerCase() === name ? name : `${name}: ${message}` };
  }
  if (status === 401) return { text: UNAUTHORIZED };
  if (status === 429) return { text: 'toomanyrequests: too many requests to registry' };
  return { text: `received unexpected HTTP status: ${status} ${STATUS_CODES[status] ?? ''}`.trim() };
}

function firstError(body: string): { code: string; message: string } | undefined {
  try {
    const parsed = JSON.parse(body) as { errors?: { code?: unknown; message?: unknown }[] };
    const { code, message } = parsed.errors?.[0] ?? {};
    return typeof code === 'string' ? { code, message: typeof message === 'string' ? message : '' } : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(status: number, said: string | undefined): ErrorCode {
  if (said === 'MANIFEST_UNKNOWN' || said === 'NAME_UNKNOWN' || said === 'BLOB_UNKNOWN') return 'MANIFEST_UNKNOWN';
  if (status === 401 || status === 403) return 'REGISTRY_UNAUTHORIZED';
  return status === 404 ? 'MANIFEST_UNKNOWN' : 'REGISTRY_ERROR';
}

async function readSome({ body }: HttpResponse): Promise<string> {
  let text = '';
  const late = setTimeout(() => body.destroy(), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > BODY_LIMIT_BYTES) break;
    }
  } catch {
    // The status says enough.
  } finally {
    clearTimeout(late);
  }
  return text;
}
