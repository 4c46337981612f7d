/** Variable by which a unit tells lichen its name, and label by which a container says which service made it (Podman's word for both). */
export const SERVICE = 'PODMAN_SYSTEMD_UNIT';
