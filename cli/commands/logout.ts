import { defaultLoginKey, logOut, logOutOfAll, parseLoginKey } from '../../libpod/registry/login.ts';
import { loginAccess } from '../authentication.ts';
import { defineCommand } from '../command.ts';
import { logoutFace } from '../faces/logout.ts';
import { checkAuthFile } from '../pulling.ts';

export const command = defineCommand(logoutFace, async (context, [name], flags) => {
  const { stdout } = context;
  checkAuthFile(flags.authfile);
  const access = await loginAccess(context, flags);
  if (flags.all) {
    await logOutOfAll(access);
    stdout.line('Removed login credentials for all registries');
    return;
  }
  const key = name === undefined ? defaultLoginKey(access.conf) : parseLoginKey(name);
  if ((await logOut(access, key)) === 'removed') stdout.line(`Removed login credentials for ${key.key}`);
  else {
    stdout.line(
      `Not logged into ${key.key} with current tool. Existing credentials were established via docker login. Please use docker logout instead.`,
    );
  }
});
