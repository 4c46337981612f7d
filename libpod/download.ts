/** A file of the web. */
import type { Readable } from 'node:stream';
import { EngineError, isEngineError } from '../core/errors.ts';

export interface DownloadSettings {
  readonly env: NodeJS.ProcessEnv;
  /** Where the user's certificates are (Paths). */
  readonly config: string;
  readonly signal?: AbortSignal | undefined;
}

/** Throws INVALID_ARGUMENT (the URL), REGISTRY_ERROR (a status other than 200), REGISTRY_UNREACHABLE. */
export async function download(
  url: string,
  { env, config, signal }: DownloadSettings,
): Promise<{ readonly stream: Readable } & Disposable> {
  const [{ Http }, { sendFollowing }, { tlsSettings }] = await Promise.all([
    import('../storage/registry/http.ts'),
    import('../storage/registry/redirect.ts'),
    import('../storage/registry/certificates.ts'),
  ]);
  const target = URL.parse(url);
  if (target === null) throw new EngineError('INVALID_ARGUMENT', `parse ${JSON.stringify(url)}: invalid URL`);
  const http = new Http({ env, tls: async (host) => ({ ...tlsSettings(host, { config, env }), verify: true }) });
  try {
    const { status, body } = await sendFollowing(http, target, { signal });
    if (status !== 200) {
      body.destroy();
      throw new EngineError('REGISTRY_ERROR', `downloading ${url}: status ${status}`);
    }
    return { stream: body, [Symbol.dispose]: () => http[Symbol.dispose]() };
  } catch (error) {
    http[Symbol.dispose]();
    if (!isEngineError(error, 'REGISTRY_UNREACHABLE')) throw error;
    const { code, message, hint } = error;
    throw new EngineError(code, `downloading ${url}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}
