#define _GNU_SOURCE
#include "CSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/errqueue.h>
#endif

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

typedef union {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
} address_of_any_kind;

static csockets_place place_of(const struct sockaddr *address) {
  csockets_place place = {0};
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    memcpy(place.address, mapped, 12);
    memcpy(place.address + 12, &four->sin_addr, 4);
    place.port = ntohs(four->sin_port);
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    memcpy(place.address, &six->sin6_addr, 16);
    place.port = ntohs(six->sin6_port);
    if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr)) place.scope = six->sin6_scope_id;
  }
  return place;
}

static int family_of(int descriptor) {
  address_of_any_kind own;
  socklen_t length = sizeof own;
  return getsockname(descriptor, &own.any, &length) == 0 ? own.any.sa_family : -1;
}

static int open_family(int family) {
  const int descriptor = socket(family, SOCK_DGRAM, 0);
  if (descriptor < 0) return -1;
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  const int off = 0;
  address_of_any_kind own = {0};
  own.any.sa_family = (sa_family_t)family;
  const socklen_t length = family == AF_INET6 ? sizeof own.six : sizeof own.four;
  if ((family == AF_INET6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
      bind(descriptor, &own.any, length) != 0) {
    close(descriptor);
    return -1;
  }
#if defined(__linux__)
  const int on = 1;
  setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
#endif
  return descriptor;
}

int csockets_open(uint16_t *port) {
  int descriptor = open_family(AF_INET6);
  if (descriptor < 0) descriptor = open_family(AF_INET);
  address_of_any_kind own;
  socklen_t length = sizeof own;
  if (descriptor >= 0 && getsockname(descriptor, &own.any, &length) == 0) *port = place_of(&own.any).port;
  return descriptor;
}

size_t csockets_own_addresses(csockets_place *places, int *is_loopback, size_t capacity) {
  struct ifaddrs *list;
  if (getifaddrs(&list) != 0) return 0;
  size_t count = 0;
  for (struct ifaddrs *entry = list; entry && count < capacity; entry = entry->ifa_next) {
    const struct sockaddr *address = entry->ifa_addr;
    if (!address || !(entry->ifa_flags & IFF_UP)) continue;
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6) continue;
    places[count] = place_of(address);
    is_loopback[count++] = (entry->ifa_flags & IFF_LOOPBACK) != 0;
  }
  freeifaddrs(list);
  return count;
}

int csockets_send(int descriptor, const csockets_place *to, const void *bytes, size_t count) {
  address_of_any_kind address = {0};
  socklen_t length;
  if (family_of(descriptor) == AF_INET6) {
    address.six.sin6_family = AF_INET6;
    address.six.sin6_port = htons(to->port);
    memcpy(&address.six.sin6_addr, to->address, 16);
    address.six.sin6_scope_id = to->scope;
    length = sizeof address.six;
  } else {
    if (memcmp(to->address, mapped, 12) != 0) return 0;
    address.four.sin_family = AF_INET;
    address.four.sin_port = htons(to->port);
    memcpy(&address.four.sin_addr, to->address + 12, 4);
    length = sizeof address.four;
  }
  // An error that an earlier datagram met is told once, in place of sending this one.
  for (int attempt = 0; attempt < 3; attempt++) {
    if (sendto(descriptor, bytes, count, 0, &address.any, length) == (ssize_t)count) return 1;
  }
  return 0;
}

ssize_t csockets_receive(int descriptor, csockets_place *from, void *bytes, size_t capacity) {
  for (int attempt = 0; attempt < 3; attempt++) {
    address_of_any_kind address;
    socklen_t length = sizeof address;
    const ssize_t count = recvfrom(descriptor, bytes, capacity, MSG_TRUNC, &address.any, &length);
    if (count >= 0) {
      *from = place_of(&address.any);
      return count;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return -1;
  }
  return -1;
}

int csockets_refused(int descriptor, csockets_place *to) {
#if defined(__linux__)
  address_of_any_kind address = {0};
  char control[512], byte;
  struct iovec content = {&byte, 1};
  struct msghdr message = {
      .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &content, .msg_iovlen = 1,
      .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return -1;
  *to = place_of(&address.any);
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    const int tells = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                      (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    struct sock_extended_err error;
    if (!tells || part->cmsg_len < CMSG_LEN(sizeof error)) continue;
    memcpy(&error, CMSG_DATA(part), sizeof error);
    return error.ee_errno == ECONNREFUSED;
  }
  return 0;
#else
  return -1;
#endif
}
