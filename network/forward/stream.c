/*
 * TCP. A connection has two ends and carries bytes both ways, each through a pipe: splice(2) moves pages of the one socket into the pipe and on into
 * the other, and none is copied.
 *
 * Events are edges (EPOLLET): each says that something changed at one end, and then both ways are carried on until neither can: a way waits for bytes
 * of its source while its pipe is empty, and for room at its sink otherwise. One that has carried much waits until others had their turn. A pipe is
 * lent to a way while there are bytes in it.
 *
 * States: connecting (open_target's attempts), open, gone. A way ends with its source; its sink is told (shutdown(2)), and the other goes on. The
 * connection is gone when both have ended, or when an end fails: then the other end is reset.
 */
#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Four times a pipe as it comes: a third less work. Still larger ones gain nothing, and a user may have 64 MiB of them (pipe(7)). */
enum { PIPE_BYTES = 1 << 18, ROUNDS = 16, SPARE_PIPES = 16 };

struct listener {
	struct watch watch;
	const struct mapping *mapping;
};

struct way {
	int pipe[2]; /* -1: none is needed */
	size_t held; /* bytes in the pipe */
	bool ended;  /* nothing will come from the source any more */
	bool told;   /* the sink knows */
};

struct connection {
	struct watch client_watch, server_watch;
	const struct mapping *mapping;
	union address from;
	int client, server;
	unsigned attempt;
	bool open, gone, waits;
	struct way in, out;
};

static int spare_pipes[SPARE_PIPES][2];
static int spare_count;
static int reserve = -1;

static void accept_all(struct watch *watch, uint32_t events);
static void client_ready(struct watch *watch, uint32_t events);
static void server_ready(struct watch *watch, uint32_t events);
static void try_next(struct connection *connection);
static void carry_on(struct connection *connection);
static void end(struct connection *connection, bool reset);

void forward_streams(struct mapping *mapping)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		fail("calloc");
	listener->watch.ready = accept_all;
	listener->mapping = mapping;
	if (reserve < 0)
		reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch_fd(mapping->fd, &listener->watch, EPOLLIN);
}

static void close_end(int fd, bool reset)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (fd < 0)
		return;
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* Without a descriptor left a client would wait for ever, and its event come again and again. */
static void turn_away(int listener)
{
	close(reserve);
	close_end(accept(listener, NULL, NULL), true);
	reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_all(struct watch *watch, uint32_t events)
{
	const struct mapping *mapping = ((struct listener *)watch)->mapping;
	const int on = 1;

	(void)events;
	for (int round = 0; round < ROUNDS; round++) {
		struct connection *connection = calloc(1, sizeof(*connection));
		socklen_t length = sizeof(connection->from);

		if (!connection)
			return;
		connection->client = accept4(mapping->fd, &connection->from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (connection->client < 0) {
			int problem = errno;

			free(connection);
			if (problem == EMFILE || problem == ENFILE)
				turn_away(mapping->fd);
			return;
		}
		setsockopt(connection->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		/* A client that is gone without a word does not hold on to the server for ever. */
		setsockopt(connection->client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		connection->client_watch.ready = client_ready;
		connection->server_watch.ready = server_ready;
		connection->mapping = mapping;
		connection->server = -1;
		connection->in.pipe[0] = connection->out.pipe[0] = -1;
		watch_fd(connection->client, &connection->client_watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
		try_next(connection);
	}
}

static void try_next(struct connection *connection)
{
	do {
		connection->server = open_target(connection->mapping, &connection->from, connection->attempt++);
		if (connection->server < 0 && (errno == ENOENT || errno == EMFILE || errno == ENFILE))
			return end(connection, true);
	} while (connection->server < 0);
	watch_fd(connection->server, &connection->server_watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void client_ready(struct watch *watch, uint32_t events)
{
	struct connection *connection = (struct connection *)watch;

	if (connection->gone)
		return;
	if (events & EPOLLERR)
		end(connection, true);
	else if (connection->open)
		carry_on(connection);
}

static void server_ready(struct watch *watch, uint32_t events)
{
	struct connection *connection = (struct connection *)((char *)watch - offsetof(struct connection, server_watch));

	if (connection->gone)
		return;
	if (!connection->open && events & (EPOLLERR | EPOLLHUP)) {
		close(connection->server);
		return try_next(connection);
	}
	if (events & EPOLLERR)
		return end(connection, true);
	if (!connection->open && !(events & EPOLLOUT))
		return;
	connection->open = true;
	carry_on(connection);
}

static bool lend_pipe(struct way *way)
{
	if (way->pipe[0] >= 0)
		return true;
	if (spare_count > 0) {
		spare_count--;
		way->pipe[0] = spare_pipes[spare_count][0];
		way->pipe[1] = spare_pipes[spare_count][1];
		return true;
	}
	if (pipe2(way->pipe, O_NONBLOCK | O_CLOEXEC) < 0) {
		way->pipe[0] = -1;
		return false;
	}
	/* Beyond that limit it stays as small as it is. */
	fcntl(way->pipe[1], F_SETPIPE_SZ, PIPE_BYTES);
	return true;
}

static void return_pipe(struct way *way)
{
	if (way->pipe[0] < 0)
		return;
	if (way->held == 0 && spare_count < SPARE_PIPES) {
		spare_pipes[spare_count][0] = way->pipe[0];
		spare_pipes[spare_count][1] = way->pipe[1];
		spare_count++;
	} else {
		close(way->pipe[0]);
		close(way->pipe[1]);
	}
	way->pipe[0] = -1;
}

/* What splice(2) said: bytes, 0 at the end, -EAGAIN, or another error. */
static ssize_t move(int from, int to, size_t count)
{
	ssize_t moved;

	do {
		moved = splice(from, NULL, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	} while (moved < 0 && errno == EINTR);
	return moved < 0 ? -errno : moved;
}

enum carried { WAITS, UNFINISHED, FAILED };

static enum carried carry(struct way *way, int source, int sink)
{
	int round;

	if (way->told)
		return WAITS;
	if (!lend_pipe(way))
		return FAILED;
	for (round = 0; round < ROUNDS; round++) {
		ssize_t taken = way->ended || way->held >= PIPE_BYTES ? -EAGAIN : move(source, way->pipe[1], PIPE_BYTES);
		ssize_t given = -EAGAIN;

		if (taken > 0)
			way->held += taken;
		else if (taken == 0)
			way->ended = true;
		else if (taken != -EAGAIN)
			return FAILED;
		if (way->held > 0)
			given = move(way->pipe[0], sink, way->held);
		if (given > 0)
			way->held -= given;
		else if (given != -EAGAIN)
			return FAILED;
		if (taken <= 0 && given <= 0)
			break;
	}
	if (way->held == 0)
		return_pipe(way);
	if (way->ended && way->held == 0) {
		shutdown(sink, SHUT_WR);
		way->told = true;
	}
	return round == ROUNDS ? UNFINISHED : WAITS;
}

static void resume(void *subject)
{
	struct connection *connection = subject;

	connection->waits = false;
	if (!connection->gone)
		carry_on(connection);
}

static void carry_on(struct connection *connection)
{
	enum carried in = carry(&connection->in, connection->client, connection->server);
	enum carried out = in == FAILED ? FAILED : carry(&connection->out, connection->server, connection->client);

	if (in == FAILED || out == FAILED)
		return end(connection, true);
	if (connection->in.told && connection->out.told)
		return end(connection, false);
	if ((in == UNFINISHED || out == UNFINISHED) && !connection->waits) {
		connection->waits = true;
		later(resume, connection);
	}
}

/* Events and errands that name it may be under way: its memory is there until they have been seen to. */
static void forget(void *subject)
{
	struct connection *connection = subject;

	if (connection->waits)
		later(forget, connection);
	else
		free(connection);
}

static void end(struct connection *connection, bool reset)
{
	if (connection->gone)
		return;
	connection->gone = true;
	close_end(connection->client, reset);
	close_end(connection->server, reset);
	return_pipe(&connection->in);
	return_pipe(&connection->out);
	later(forget, connection);
}
