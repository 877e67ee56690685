# What the users of libplan do. It is not yours to change.
#   make -f users.mk old    last year: with release 1.0, the header and the library of then
#   make -f users.mk new    today: with what make install PREFIX=installed has put there
CC = gcc
CFLAGS = -std=c11 -g -O2 -Wall

old: old.c release-1.0/plan.c release-1.0/plan.h
	mkdir -p last-year
	$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,libplan.so.1 -o last-year/libplan.so.1 release-1.0/plan.c -lm
	$(CC) $(CFLAGS) -Irelease-1.0 -o $@ old.c last-year/libplan.so.1

new: new.c installed/include/plan.h
	$(CC) $(CFLAGS) -Iinstalled/include -o $@ new.c -Linstalled/lib -lplan

clean:
	rm -rf old new last-year

.PHONY: clean
