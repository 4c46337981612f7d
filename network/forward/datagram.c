/*
 * UDP. Whoever sends something to a port gets a flow: a socket inside in his name, from which what comes back is sent to him. It is there until
 * nothing went through it for three minutes, or for half a minute where nothing ever came back, as in a firewall (nf_conntrack_udp_timeout). Anybody
 * can send datagrams in many names: flows take at most half of the descriptors, and a new one the place of the oldest.
 *
 * Answers leave from the address that was asked: a client would take no others. A flow belongs to the client, and to that address.
 */
#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_MS = 180000, UNANSWERED_MS = 30000, LOOK_MS = 10000, ROUNDS = 64, BUCKETS = 1024, MOST_FLOWS = 16384, LARGEST = 65536 };

struct listener {
	struct watch watch;
	const struct mapping *mapping;
};

struct flow {
	struct watch watch;
	const struct mapping *mapping;
	union address client, asked;
	int fd;
	unsigned attempt;
	bool answered, gone;
	int64_t used_ms;
	struct flow *in_bucket;
	struct flow *older, *newer; /* by the time of use */
};

static struct flow *buckets[BUCKETS];
static struct flow *oldest, *newest;
static size_t flow_count;
static char buffer[LARGEST];

static void take(struct watch *watch, uint32_t events);
static void give_back(struct watch *watch, uint32_t events);
static struct flow *flow_for(const struct mapping *mapping, const union address *client, const union address *asked);
static size_t most_flows(void);
static bool open_flow(struct flow *flow);
static void touch(struct flow *flow);
static void end(struct flow *flow);

void forward_datagrams(struct mapping *mapping)
{
	const int on = 1;
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		fail("calloc");
	if (mapping->host.any.sa_family == AF_INET)
		setsockopt(mapping->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		setsockopt(mapping->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	listener->watch.ready = take;
	listener->mapping = mapping;
	watch_fd(mapping->fd, &listener->watch, EPOLLIN);
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* The address that the datagram was sent to. */
static union address asked_address(struct msghdr *message)
{
	union address asked;

	/* Compared as a whole. */
	memset(&asked, 0, sizeof(asked));
	for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one; one = CMSG_NXTHDR(message, one)) {
		if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(one), sizeof(info));
			asked.four.sin_family = AF_INET;
			asked.four.sin_addr = info.ipi_spec_dst;
		} else if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(one), sizeof(info));
			asked.six.sin6_family = AF_INET6;
			asked.six.sin6_addr = info.ipi6_addr;
			asked.six.sin6_scope_id = info.ipi6_ifindex;
		}
	}
	return asked;
}

static void take(struct watch *watch, uint32_t events)
{
	const struct mapping *mapping = ((struct listener *)watch)->mapping;

	(void)events;
	for (int round = 0; round < ROUNDS; round++) {
		union address client;
		union control control;
		struct iovec bytes = { buffer, sizeof(buffer) };
		struct msghdr message = { .msg_name = &client, .msg_namelen = sizeof(client), .msg_iov = &bytes, .msg_iovlen = 1,
					  .msg_control = &control, .msg_controllen = sizeof(control) };

		memset(&client, 0, sizeof(client));
		ssize_t length = recvmsg(mapping->fd, &message, MSG_DONTWAIT);
		if (length < 0)
			return;
		union address asked = asked_address(&message);
		struct flow *flow = flow_for(mapping, &client, &asked);
		if (flow && send(flow->fd, buffer, length, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
			give_back(&flow->watch, EPOLLERR);
	}
}

/* ECONNREFUSED says that an earlier datagram found nobody: the next goes another way. */
static void refused(struct flow *flow)
{
	if (flow->answered)
		return;
	close(flow->fd);
	if (!open_flow(flow))
		end(flow);
}

static void give_back(struct watch *watch, uint32_t events)
{
	struct flow *flow = (struct flow *)watch;

	(void)events;
	for (int round = 0; round < ROUNDS && !flow->gone; round++) {
		ssize_t length = recv(flow->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (length < 0) {
			if (errno == ECONNREFUSED)
				refused(flow);
			return;
		}
		flow->answered = true;
		touch(flow);
		union control control = { 0 };
		struct iovec bytes = { buffer, length };
		struct msghdr message = { .msg_name = &flow->client, .msg_namelen = address_length(&flow->client), .msg_iov = &bytes,
					  .msg_iovlen = 1, .msg_control = &control };
		struct cmsghdr *header = &control.align;

		if (flow->asked.any.sa_family == AF_INET) {
			struct in_pktinfo info = { .ipi_spec_dst = flow->asked.four.sin_addr };

			message.msg_controllen = CMSG_SPACE(sizeof(info));
			*header = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info)) };
			memcpy(CMSG_DATA(header), &info, sizeof(info));
		} else {
			struct in6_pktinfo info = { .ipi6_addr = flow->asked.six.sin6_addr, .ipi6_ifindex = flow->asked.six.sin6_scope_id };

			message.msg_controllen = CMSG_SPACE(sizeof(info));
			*header = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info)) };
			memcpy(CMSG_DATA(header), &info, sizeof(info));
		}
		sendmsg(flow->mapping->fd, &message, MSG_DONTWAIT);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static struct flow **bucket_of(const union address *client)
{
	const unsigned char *bytes = (const void *)client;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (socklen_t at = 0; at < address_length(client); at++)
		hash = (hash ^ bytes[at]) * 16777619u;
	return &buckets[hash % BUCKETS];
}

static struct flow *flow_for(const struct mapping *mapping, const union address *client, const union address *asked)
{
	struct flow **bucket = bucket_of(client);

	for (struct flow *flow = *bucket; flow; flow = flow->in_bucket) {
		if (flow->mapping == mapping && memcmp(&flow->client, client, address_length(client)) == 0 &&
		    memcmp(&flow->asked, asked, sizeof(*asked)) == 0) {
			touch(flow);
			return flow;
		}
	}
	if (flow_count > 0 && flow_count >= most_flows())
		end(oldest);
	struct flow *flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	flow->watch.ready = give_back;
	flow->mapping = mapping;
	flow->client = *client;
	flow->asked = *asked;
	if (!open_flow(flow)) {
		free(flow);
		return NULL;
	}
	flow->in_bucket = *bucket;
	*bucket = flow;
	flow_count++;
	touch(flow);
	return flow;
}

static size_t most_flows(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur / 2 > MOST_FLOWS)
		return MOST_FLOWS;
	return files.rlim_cur / 2;
}

static bool open_flow(struct flow *flow)
{
	do {
		flow->fd = open_target(flow->mapping, &flow->client, flow->attempt++);
	} while (flow->fd < 0 && errno != ENOENT && errno != EMFILE && errno != ENFILE);
	if (flow->fd < 0)
		return false;
	watch_fd(flow->fd, &flow->watch, EPOLLIN);
	return true;
}

static void unlink_from_age(struct flow *flow)
{
	if (flow->older)
		flow->older->newer = flow->newer;
	else if (oldest == flow)
		oldest = flow->newer;
	if (flow->newer)
		flow->newer->older = flow->older;
	else if (newest == flow)
		newest = flow->older;
	flow->older = flow->newer = NULL;
}

static void touch(struct flow *flow)
{
	flow->used_ms = now_ms();
	unlink_from_age(flow);
	flow->older = newest;
	if (newest)
		newest->newer = flow;
	else
		oldest = flow;
	newest = flow;
}

static void end(struct flow *flow)
{
	struct flow **link = bucket_of(&flow->client);

	while (*link != flow)
		link = &(*link)->in_bucket;
	*link = flow->in_bucket;
	unlink_from_age(flow);
	if (flow->fd >= 0)
		close(flow->fd);
	flow->gone = true;
	flow_count--;
	/* Events that name it may be under way. */
	later(free, flow);
}

int expire_datagrams(void)
{
	static int64_t looked_ms;
	int64_t now = now_ms();

	if (flow_count == 0)
		return -1;
	if (now - looked_ms < LOOK_MS)
		return LOOK_MS;
	looked_ms = now;
	for (struct flow *flow = oldest, *next; flow; flow = next) {
		next = flow->newer;
		if (now - flow->used_ms >= (flow->answered ? IDLE_MS : UNANSWERED_MS))
			end(flow);
	}
	return LOOK_MS;
}
