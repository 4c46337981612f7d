/* Words about addresses of both families. */
#include "forward.h"

#include <arpa/inet.h>

socklen_t address_length(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->four) : sizeof(address->six);
}

bool is_loopback(const union address *address)
{
	return address->any.sa_family == AF_INET ? ntohl(address->four.sin_addr.s_addr) >> 24 == 127
						 : IN6_IS_ADDR_LOOPBACK(&address->six.sin6_addr);
}

void set_port(union address *address, in_port_t port)
{
	if (address->any.sa_family == AF_INET)
		address->four.sin_port = port;
	else
		address->six.sin6_port = port;
}

in_port_t port_of(const union address *address)
{
	return address->any.sa_family == AF_INET ? address->four.sin_port : address->six.sin6_port;
}
