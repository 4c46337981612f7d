/*
 * lichen-ports NETNS PROTOCOL,ADDRESS,HOST-PORT,CONTAINER-PORT,COUNT ...
 *
 * Listens on ports of the host for a container, in a network namespace of its own at the path NETNS. An empty ADDRESS stands for all of both families.
 * Exit status 0 and a pid on stdout: it listens, as that process, until NETNS goes or it is killed. Otherwise it says why on stderr; where a port
 * cannot be had, with one line `listen PROTOCOL ADDRESS PORT ERRNO`.
 *
 * Theory of operation
 * -------------------
 * Sockets keep the network namespace in which they were made, and a connection that is accepted has that of its listener. So it listens first, and
 * then enters the container's namespace for good: what it opens from there on lies inside.
 *
 * Inside it speaks to 169.254.77.2 (fd4c:6963:6865:6e77::2), an address of the loopback device that nothing else uses, and does so in the client's
 * name: the socket is bound to the client's own address (IP_TRANSPARENT, ip(7)), so the server sees who is there. The server's answers come from
 * 169.254.77.2, and a rule sends everything from there to the loopback device, whomever it is for: back to the socket that has that name.
 *
 * Streams are spliced, so their bytes are not copied (stream.c). Datagrams are (datagram.c).
 */
#define _GNU_SOURCE
#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BACKLOG = 4096, EVENTS = 64 };

static int epoll_fd;
static struct mapping *mappings;

static struct {
	const char *path;
	struct stat is;
	struct watch watch;
	int inotify;
} lifetime;

static struct errand {
	void (*work)(void *subject);
	void *subject;
} *errands;
static size_t errand_count, errand_room;

static void parse_mapping(char *text);
static void listen_on(struct mapping *mapping);
static void watch_lifetime(const char *netns);
static void become_daemon(void);
static void drop_privileges(void);
static void serve(void) __attribute__((noreturn));

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc < 3) {
		fprintf(stderr, "usage: lichen-ports NETNS PROTOCOL,ADDRESS,HOST-PORT,CONTAINER-PORT,COUNT ...\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int at = 2; at < argc; at++)
		parse_mapping(argv[at]);
	/* Of splice(2) into a socket whose other end is gone. */
	signal(SIGPIPE, SIG_IGN);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		fail("epoll_create1");
	watch_lifetime(argv[1]);
	enter_namespace(argv[1]);
	for (struct mapping *mapping = mappings; mapping; mapping = mapping->next) {
		if (mapping->socket_type == SOCK_STREAM)
			forward_streams(mapping);
		else
			forward_datagrams(mapping);
	}
	become_daemon();
	drop_privileges();
	serve();
}

void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void parse_mapping(char *text)
{
	char *words[5];
	int count = 0;

	for (char *word; count < 5 && (word = strsep(&text, ","));)
		words[count++] = word;
	if (count < 5 || text) {
		fprintf(stderr, "a port is PROTOCOL,ADDRESS,HOST-PORT,CONTAINER-PORT,COUNT\n");
		exit(2);
	}
	int host_port = atoi(words[2]), container_port = atoi(words[3]), range = atoi(words[4]);
	for (int offset = 0; offset < range; offset++) {
		/* Of both families the first must work; IPv6 may be missing from this machine. */
		const char *addresses[] = { words[1][0] ? words[1] : "0.0.0.0", words[1][0] ? NULL : "::" };

		for (int at = 0; at < 2 && addresses[at]; at++) {
			struct mapping *mapping = calloc(1, sizeof(*mapping));

			if (!mapping)
				fail("calloc");
			mapping->socket_type = strcmp(words[0], "udp") ? SOCK_STREAM : SOCK_DGRAM;
			mapping->container_port = htons(container_port + offset);
			if (inet_pton(AF_INET, addresses[at], &mapping->host.four.sin_addr) == 1) {
				mapping->host.any.sa_family = AF_INET;
			} else if (inet_pton(AF_INET6, addresses[at], &mapping->host.six.sin6_addr) == 1) {
				mapping->host.any.sa_family = AF_INET6;
			} else {
				fprintf(stderr, "not an address: %s\n", addresses[at]);
				exit(2);
			}
			set_port(&mapping->host, htons(host_port + offset));
			listen_on(mapping);
			if (mapping->fd < 0 && at == 1 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
				free(mapping);
				continue;
			}
			if (mapping->fd < 0) {
				fprintf(stderr, "listen %s %s %d %d\n", words[0], addresses[at], host_port + offset, errno);
				exit(1);
			}
			mapping->next = mappings;
			mappings = mapping;
		}
	}
}

/* `fd` is -1 and errno set where it cannot. */
static void listen_on(struct mapping *mapping)
{
	const int on = 1;
	int family = mapping->host.any.sa_family;
	int fd = socket(family, mapping->socket_type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	mapping->fd = -1;
	if (fd < 0)
		return;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (mapping->socket_type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &mapping->host.any, address_length(&mapping->host)) < 0 ||
	    (mapping->socket_type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		int problem = errno;

		close(fd);
		errno = problem;
		return;
	}
	mapping->fd = fd;
}

static void look_at_namespace(struct watch *watch, uint32_t events)
{
	char buffer[4096];
	struct stat now;

	(void)watch;
	(void)events;
	while (read(lifetime.inotify, buffer, sizeof(buffer)) > 0)
		continue;
	if (stat(lifetime.path, &now) < 0 || now.st_dev != lifetime.is.st_dev || now.st_ino != lifetime.is.st_ino)
		exit(0);
}

/* A namespace that we are in would be there for ever: what counts is its name. */
static void watch_lifetime(const char *netns)
{
	char directory[PATH_MAX];

	lifetime.path = netns;
	if (stat(netns, &lifetime.is) < 0)
		fail(netns);
	lifetime.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (lifetime.inotify < 0)
		fail("inotify_init1");
	snprintf(directory, sizeof(directory), "%s", netns);
	if (inotify_add_watch(lifetime.inotify, dirname(directory), IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM) < 0)
		fail("inotify_add_watch");
	lifetime.watch.ready = look_at_namespace;
	watch_fd(lifetime.inotify, &lifetime.watch, EPOLLIN);
}

static void become_daemon(void)
{
	int null = open("/dev/null", O_RDWR);
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child > 0) {
		printf("%d\n", child);
		exit(fflush(stdout) == 0 ? 0 : 1);
	}
	setsid();
	if (chdir("/") < 0 || null < 0)
		exit(1);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
}

/* What is left is the right to bind to the addresses of others, in the container's namespace. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = 1 << CAP_NET_RAW, .permitted = 1 << CAP_NET_RAW } };

	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability != CAP_NET_RAW)
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	syscall(SYS_capset, &header, data);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void watch_fd(int fd, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void later(void (*work)(void *subject), void *subject)
{
	if (errand_count == errand_room) {
		errand_room = errand_room ? 2 * errand_room : 16;
		errands = realloc(errands, errand_room * sizeof(*errands));
		if (!errands)
			exit(1);
	}
	errands[errand_count++] = (struct errand){ work, subject };
}

static void serve(void)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int wait_ms = expire_datagrams();
		int count = epoll_wait(epoll_fd, events, EVENTS, errand_count ? 0 : wait_ms);

		for (int at = 0; at < count; at++) {
			struct watch *watch = events[at].data.ptr;

			watch->ready(watch, events[at].events);
		}
		/* They may leave others for the next round. */
		size_t known = errand_count;
		for (size_t at = 0; at < known; at++)
			errands[at].work(errands[at].subject);
		errand_count -= known;
		if (known > 0)
			memmove(errands, errands + known, errand_count * sizeof(*errands));
	}
}
