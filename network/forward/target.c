/*
 * The ways to a server in the container, one after the other until one is not refused:
 *
 *	0	in the client's name, over the family by which it came
 *	1	in a stranger's name, over the other family: the server listens on that alone
 *	2 ...	to each address of the container, with no other name than that: the server listens on one of them alone
 */
#define _GNU_SOURCE
#include "forward.h"
#include "inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

static bool own_address(unsigned number, union address *address);
static void bind_in_name(int fd, const union address *client, int family);
static bool bind_to(int fd, union address name, in_port_t port);

static union address inside(int family, const char *four, const char *six)
{
	union address address;

	memset(&address, 0, sizeof(address));
	address.any.sa_family = family;
	if (family == AF_INET)
		inet_pton(AF_INET, four, &address.four.sin_addr);
	else
		inet_pton(AF_INET6, six, &address.six.sin6_addr);
	return address;
}

int open_target(const struct mapping *mapping, const union address *client, unsigned attempt)
{
	const int on = 1, came_by = client->any.sa_family, other = came_by == AF_INET ? AF_INET6 : AF_INET;
	union address target = inside(attempt == 0 ? came_by : other, CONTAINER_FOUR, CONTAINER_SIX);

	if (attempt >= 2 && !own_address(attempt - 2, &target)) {
		errno = ENOENT;
		return -1;
	}
	set_port(&target, mapping->container_port);
	int fd = socket(target.any.sa_family, mapping->socket_type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (mapping->socket_type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (attempt < 2)
		bind_in_name(fd, client, target.any.sa_family);
	if (connect(fd, &target.any, address_length(&target)) < 0 && errno != EINPROGRESS) {
		int problem = errno;

		close(fd);
		errno = problem;
		return -1;
	}
	return fd;
}

static void bind_in_name(int fd, const union address *client, int family)
{
	const int on = 1;
	union address stranger = inside(family, STRANGER_FOUR, STRANGER_SIX);

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (client->any.sa_family == family && !is_loopback(client) && bind_to(fd, *client, port_of(client)))
		return;
	bind_to(fd, stranger, port_of(client));
}

/* The client's port may belong to root inside, or be taken. */
static bool bind_to(int fd, union address name, in_port_t port)
{
	set_port(&name, port);
	if (bind(fd, &name.any, address_length(&name)) == 0)
		return true;
	set_port(&name, 0);
	return bind(fd, &name.any, address_length(&name)) == 0;
}

/* IPv4 before IPv6. */
static bool own_address(unsigned number, union address *address)
{
	const int families[] = { AF_INET, AF_INET6 };
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (int at = 0; at < 2; at++) {
		for (struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
			const union address *own = (const void *)one->ifa_addr;

			if (!own || own->any.sa_family != families[at] || one->ifa_flags & IFF_LOOPBACK)
				continue;
			if (own->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&own->six.sin6_addr))
				continue;
			if (number-- == 0) {
				memset(address, 0, sizeof(*address));
				memcpy(address, own, address_length(own));
				found = true;
			}
		}
	}
	freeifaddrs(all);
	return found;
}
