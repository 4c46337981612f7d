/*
 * The container's namespace, made ready by rtnetlink(7): the loopback device is up and has the address that stands for the container, and answers
 * from there go to the loopback device. As ip(8) would say it, and again with -6:
 *
 *	ip link set lo up
 *	ip route replace local 169.254.77.2 dev lo table local
 *	ip route replace local default dev lo table 77
 *	ip rule add from 169.254.77.2 lookup 77
 *
 * Routes and not addresses, so that the container does not find one more when it looks for its own.
 */
#define _GNU_SOURCE
#include "forward.h"
#include "inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TABLE = 77, ROOM = 256 };

struct request {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct fib_rule_hdr rule;
	};
	char attributes[ROOM];
};

static int netlink;

static void bring_loopback_up(void);
static int lead_back(int family, const char *address);

void enter_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(path);
	close(fd);
	bring_loopback_up();
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (netlink < 0 || lead_back(AF_INET, CONTAINER_FOUR) < 0)
		fail("rtnetlink");
	/* Without IPv6 its clients are led to IPv4 (target.c). */
	lead_back(AF_INET6, CONTAINER_SIX);
	close(netlink);
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("lo");
	close(fd);
}

static void add(struct request *request, int type, const void *value, int length)
{
	struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(length);
	memcpy(RTA_DATA(attribute), value, length);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

/* 0, or -1 and errno. */
static int ask(struct request *request)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[ROOM + sizeof(struct request)];
	} answer;

	if (send(netlink, request, request->header.nlmsg_len, 0) < 0 || recv(netlink, &answer, sizeof(answer), 0) < 0)
		return -1;
	errno = -answer.error.error;
	return errno == 0 || errno == EEXIST ? 0 : -1;
}

/* To `address`, or to whatever where that is NULL. */
static int route_to_loopback(int family, const void *address, int bits, uint32_t table)
{
	const uint32_t loopback = 1;
	struct request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.route = { .rtm_family = family,
			   .rtm_dst_len = address ? bits : 0,
			   .rtm_table = table,
			   .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = RT_SCOPE_HOST,
			   .rtm_type = RTN_LOCAL },
	};

	if (address)
		add(&request, RTA_DST, address, bits / 8);
	add(&request, RTA_OIF, &loopback, sizeof(loopback));
	return ask(&request);
}

static int lead_back(int family, const char *text)
{
	const int bits = family == AF_INET ? 32 : 128;
	struct in6_addr address;
	struct request rule = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct fib_rule_hdr)),
			    .nlmsg_type = RTM_NEWRULE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.rule = { .family = family, .src_len = bits, .table = TABLE, .action = FR_ACT_TO_TBL },
	};

	inet_pton(family, text, &address);
	add(&rule, FRA_SRC, &address, bits / 8);
	if (route_to_loopback(family, &address, bits, RT_TABLE_LOCAL) < 0 || route_to_loopback(family, NULL, bits, TABLE) < 0)
		return -1;
	return ask(&rule);
}
