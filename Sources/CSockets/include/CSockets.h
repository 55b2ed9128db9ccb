// Datagrams over IPv4 and IPv6 from one socket, and who refuses them: what Swift's Glibc module cannot say.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Where a datagram goes to or comes from: an IPv6 address in network order, or an IPv4 address as ::ffff:a.b.c.d.
/// An address of one cable alone (fe80::) means something only with the number that this machine has for its own end
/// of the cable, the scope; others have 0.
typedef struct {
  uint8_t address[16];
  uint32_t scope;
  uint16_t port;
} csockets_place;

/// A socket for datagrams of both kinds, or of IPv4 alone where there is no IPv6, on a port that the system chooses;
/// -1 where there is none. Refusals of what it sends are kept for `csockets_refused`.
int csockets_open(uint16_t *port);

/// Addresses of this machine's network interfaces that are up; how many there are, at most `capacity`.
size_t csockets_own_addresses(csockets_place *places, int *is_loopback, size_t capacity);

/// Whether the datagram is on its way.
int csockets_send(int descriptor, const csockets_place *to, const void *bytes, size_t count);

/// Takes a datagram that has come; -1 where there is none. What is longer than `capacity` is counted, and cut.
ssize_t csockets_receive(int descriptor, csockets_place *from, void *bytes, size_t capacity);

/// Takes an error that the network has told of something sent: 1 where nobody listens at `to` any more, 0 for any
/// other error, -1 where there is none.
int csockets_refused(int descriptor, csockets_place *to);
