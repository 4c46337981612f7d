/*
 * lichen-ports: published ports of one container. How it works is told in main.c.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* One port of the host at one address, and where it leads. */
struct mapping {
	int socket_type; /* SOCK_STREAM or SOCK_DGRAM */
	union address host;
	in_port_t container_port; /* in the order of the network */
	int fd;
	struct mapping *next;
};

/* What epoll hands back: the first member of whatever waits for events. */
struct watch {
	void (*ready)(struct watch *watch, uint32_t events);
};

/* main.c */
void watch_fd(int fd, struct watch *watch, uint32_t events);
/* `work` is done once, when all events that are known by now have been seen to. */
void later(void (*work)(void *subject), void *subject);
void fail(const char *what) __attribute__((noreturn));

/* address.c */
socklen_t address_length(const union address *address);
bool is_loopback(const union address *address);
void set_port(union address *address, in_port_t port);
in_port_t port_of(const union address *address);

/* namespace.c */
void enter_namespace(const char *path);

/* target.c */
/*
 * A non-blocking socket in the container's namespace whose connection to the container has begun. `attempt` counts up from 0 and says which way is
 * taken; -1 with errno ENOENT where there is no further one, with another where this one failed at once.
 */
int open_target(const struct mapping *mapping, const union address *client, unsigned attempt);

/* stream.c, datagram.c: the listening socket is there, the namespace entered. */
void forward_streams(struct mapping *mapping);
void forward_datagrams(struct mapping *mapping);
/* Ends flows that nothing came through for a while. Milliseconds until it wants to be called again, -1: never. */
int expire_datagrams(void);

#endif
