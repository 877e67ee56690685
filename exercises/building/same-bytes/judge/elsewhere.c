/*
 * Purpose: let a build believe that it runs on another machine: preloaded, this shows it another clock, another owner
 *          of files, the times of new files by that clock, and the names in a folder in another order.
 * Run:     ELSEWHERE_CLOCK=1943000000 ELSEWHERE_OWNER=1234 ELSEWHERE_ORDER=-1 LD_PRELOAD=... make
 * Source:  the idea of the Reproducible Builds project: build twice, and vary what must not matter
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long setting(const char *name) {
    const char *text = getenv(name);
    return text == NULL ? 0 : atol(text);
}

// The clock stands still, so that two runs of the same build can be compared.
int clock_gettime(clockid_t which, struct timespec *now) {
    int result = REAL(clock_gettime)(which, now);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        now->tv_sec = setting("ELSEWHERE_CLOCK");
        now->tv_nsec = 0;
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = REAL(gettimeofday)(now, zone);
    now->tv_sec = setting("ELSEWHERE_CLOCK");
    now->tv_usec = 0;
    return result;
}

time_t time(time_t *now) {
    time_t value = setting("ELSEWHERE_CLOCK");
    if (now != NULL)
        *now = value;
    return value;
}

// Programs that write owners into archives. Others, such as cp -p, would try to give files away.
static int archiver(void) {
    const char *name = program_invocation_short_name;
    size_t length = strlen(name);
    return (length >= 2 && strcmp(name + length - 2, "ar") == 0) ||
           strncmp(name, "python", 6) == 0 || strcmp(name, "cpio") == 0;
}

static int seen(int result, struct stat *of) {
    if (result != 0)
        return result;
    struct timespec now;
    REAL(clock_gettime)(CLOCK_REALTIME, &now);
    if (labs(of->st_mtim.tv_sec - now.tv_sec) < 24 * 3600) {
        of->st_mtim.tv_sec = setting("ELSEWHERE_CLOCK");
        of->st_mtim.tv_nsec = 0;
    }
    if (archiver())
        of->st_uid = of->st_gid = (unsigned)setting("ELSEWHERE_OWNER");
    return 0;
}

int stat(const char *restrict path, struct stat *restrict of) {
    return seen(REAL(stat)(path, of), of);
}

int lstat(const char *restrict path, struct stat *restrict of) {
    return seen(REAL(lstat)(path, of), of);
}

int fstat(int file, struct stat *of) {
    return seen(REAL(fstat)(file, of), of);
}

int fstatat(int folder, const char *restrict path, struct stat *restrict of, int flags) {
    return seen(REAL(fstatat)(folder, path, of, flags), of);
}

// A folder that is being read: all its entries, in the order in which they are shown.
struct reading {
    DIR *folder;
    struct dirent **entries;
    size_t count, next;
    struct reading *other;
};
static struct reading *all;

static int by_name(const void *a, const void *b) {
    const struct dirent *const *left = a, *const *right = b;
    return (int)setting("ELSEWHERE_ORDER") * strcmp((*left)->d_name, (*right)->d_name);
}

struct dirent *readdir(DIR *folder) {
    struct reading *one = all;
    while (one != NULL && one->folder != folder)
        one = one->other;
    if (one == NULL) {
        one = calloc(1, sizeof *one);
        one->folder = folder;
        one->other = all;
        all = one;
        struct dirent *entry;
        while ((entry = REAL(readdir)(folder)) != NULL) {
            one->entries = realloc(one->entries, (one->count + 1) * sizeof *one->entries);
            one->entries[one->count] = malloc(entry->d_reclen);
            memcpy(one->entries[one->count++], entry, entry->d_reclen);
        }
        if (one->count > 1)
            qsort(one->entries, one->count, sizeof *one->entries, by_name);
    }
    return one->next < one->count ? one->entries[one->next++] : NULL;
}

static void forget(DIR *folder) {
    for (struct reading **at = &all; *at != NULL; at = &(*at)->other) {
        if ((*at)->folder == folder) {
            struct reading *gone = *at;
            *at = gone->other;
            for (size_t i = 0; i < gone->count; i++)
                free(gone->entries[i]);
            free(gone->entries);
            free(gone);
            return;
        }
    }
}

void rewinddir(DIR *folder) {
    forget(folder);
    REAL(rewinddir)(folder);
}

int closedir(DIR *folder) {
    forget(folder);
    return REAL(closedir)(folder);
}

// The same by the names that programs use which are compiled for large files.
int stat64(const char *restrict path, struct stat64 *restrict of) {
    return stat(path, (struct stat *)of);
}

int lstat64(const char *restrict path, struct stat64 *restrict of) {
    return lstat(path, (struct stat *)of);
}

int fstat64(int file, struct stat64 *of) {
    return fstat(file, (struct stat *)of);
}

int fstatat64(int folder, const char *restrict path, struct stat64 *restrict of, int flags) {
    return fstatat(folder, path, (struct stat *)of, flags);
}

struct dirent64 *readdir64(DIR *folder) {
    return (struct dirent64 *)readdir(folder);
}
