/** What the launcher keeps in the environment for itself (bin/lichen). */
const OWN: ReadonlySet<string> = new Set(['LICHEN_ENTERED', 'LICHEN_CWD', 'LICHEN_EXTRA_CA_CERTS', 'LICHEN_INVOKED_AS']);

/** The environment as the caller had it: without the launcher's notes, with the certificates it put aside. */
export function callerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.has(name)));
  const certificates = env['LICHEN_EXTRA_CA_CERTS'];
  if (certificates !== undefined) kept['NODE_EXTRA_CA_CERTS'] = certificates;
  return kept;
}
