/*
 * Purpose: keep a launcher's listening sockets on loopback. Open MPI's mpirun binds its bootstrap port to every
 *          address of the machine, and no setting of version 4.1 changes that; with this library preloaded, what
 *          would listen everywhere listens on 127.0.0.1 or ::1.
 * Run:     cc -shared -fPIC -o loopback.so loopback.c -ldl && LD_PRELOAD=$PWD/loopback.so mpirun -n 2 ./a.out
 * Source:  bind(2), ip(7), ipv6(7), dlsym(3)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    static int (*next)(int, const struct sockaddr *, socklen_t);
    if (!next) {
        next = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
    }
    if (address && address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        if (v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
            v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return next(fd, (struct sockaddr *)&v4, sizeof v4);
        }
    }
    if (address && address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        if (memcmp(&v6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0) {
            v6.sin6_addr = in6addr_loopback;
            return next(fd, (struct sockaddr *)&v6, sizeof v6);
        }
    }
    return next(fd, address, length);
}
