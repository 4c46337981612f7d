import { createNetworkNamespace } from '../host/namespaces.ts';
import type { NetworkBackend } from './backend.ts';

/** A namespace that stays as it was made: not connected. Published ports lead nowhere; whoever accepts them tells the user. */
export const none: NetworkBackend = {
  name: 'none',
  setup: async ({ netns, runDir }) => {
    await createNetworkNamespace(netns);
    return { backend: 'none', interfaces: [], nameservers: [], runDir };
  },
  teardown: async () => undefined,
};
