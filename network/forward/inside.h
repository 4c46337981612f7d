/*
 * Addresses inside. Link-local, as those of pasta are (169.254.1.0/24), and next to nothing of it: no address of the outside is hidden. Of IPv6 those
 * of RFC 4193, since link-local ones would need to name an interface.
 */
#ifndef INSIDE_H
#define INSIDE_H

/* The container, as the forwarder speaks to it. */
#define CONTAINER_FOUR "169.254.77.2"
#define CONTAINER_SIX "fd4c:6963:6865:6e77::2"

/* A client whose own address cannot be shown inside: 127.0.0.1, which is the container itself there, or one of the other family. */
#define STRANGER_FOUR "169.254.77.1"
#define STRANGER_SIX "fd4c:6963:6865:6e77::1"

#endif
