import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enforcePolicy, loadPolicy, type Origin, type Policy } from '../../storage/policy.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-policy-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function load(policy?: unknown): Promise<Policy> {
  if (policy !== undefined) writeFileSync(join(root, 'policy.json'), typeof policy === 'string' ? policy : JSON.stringify(policy));
  return loadPolicy({ config: root, system: join(root, 'none') });
}

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];
const docker = (name: string): Origin => ({ transport: 'docker', name });

test('everything is accepted where there is no policy', async () => {
  const policy = await load();
  expect(() => enforcePolicy(policy, docker('quay.io/a/b:1'))).not.toThrow();
});

test('the most specific scope decides', async () => {
  const policy = await load({
    default: REJECT,
    transports: {
      docker: { 'quay.io': ACCEPT, 'quay.io/bad': REJECT, 'quay.io/bad/good:1': ACCEPT, '*.corp.io': ACCEPT },
      dir: { '': ACCEPT },
    },
  });
  for (const name of ['quay.io/a/b:1', 'quay.io/bad/good:1', 'x.corp.io/a:1', 'a.b.corp.io/a:1'])
    expect(() => enforcePolicy(policy, docker(name))).not.toThrow();
  for (const name of ['quay.io/bad/x:1', 'quay.io/bad/good:2', 'docker.io/library/alpine:1', 'quay.iox/a:1', 'corp.io/a:1']) {
    expect(() => enforcePolicy(policy, docker(name))).toThrow(
      expect.objectContaining({
        code: 'POLICY_REJECTED',
        message: `Source image rejected: Running image docker://${name} is rejected by policy.`,
      }),
    );
  }
  expect(() => enforcePolicy(policy, { transport: 'dir', name: '/tmp/x' })).not.toThrow();
  expect(() => enforcePolicy(policy, { transport: 'oci', name: '/tmp/x' })).toThrow('rejected by policy');
});

test.each(['signedBy', 'sigstoreSigned', 'somethingNew'])('what asks for %s is refused, not let through', async (type) => {
  const policy = await load({ default: [{ type: 'insecureAcceptAnything' }, { type }] });
  expect(() => enforcePolicy(policy, docker('quay.io/a:1'))).toThrow(expect.objectContaining({ code: 'POLICY_REJECTED' }));
});

test.each([
  '',
  '{}',
  '[]',
  '{"default":[]}',
  '{"default":[{}]}',
  '{"default":[{"type":"reject"}],"more":1}',
  '{"default":[{"type":"reject"}],"transports":{"docker":[]}}',
])('a policy of %j is an error, not an empty policy', async (text) => {
  await expect(load(text)).rejects.toThrow(expect.objectContaining({ code: 'CONFIG' }));
});
