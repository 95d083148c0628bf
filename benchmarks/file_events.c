/* A layer between a process and its files: counts what changes files below one folder (open for
 * creation, write, rename, unlink, fsync, ...), and at a chosen event kills the process or fails.
 * Loaded with LD_PRELOAD; armed by calling events_arm from Python through ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* FAIL_ON: this event and all writes after. WATCH: wait at each event until the watcher has looked */
enum { COUNT = 0, KILL = 1, FAIL = 2, FAIL_ON = 3, WATCH = 4 };

static char root[PATH_MAX];
static long chosen = -1, seen = 0;
static int how = COUNT, code = EIO, only_writes = 0;
static char what[64];

void events_arm(const char *folder, long at, int mode, int error, int writes)
{
    snprintf(root, sizeof root, "%s", folder);
    chosen = at; how = mode; code = error; only_writes = writes; seen = 0; what[0] = 0;
}
static int tell_fd = -1, hear_fd = -1;
void events_watched_by(int tell, int hear) { tell_fd = tell; hear_fd = hear; }
long events_seen(void) { return seen; }
const char *events_what(void) { return what; }

static int inside(const char *path)
{
    char full[PATH_MAX];
    if (!root[0] || !path) return 0;
    if (path[0] != '/') {
        if (!getcwd(full, sizeof full)) return 0;
        if (strlen(full) + strlen(path) + 2 > sizeof full) return 0;
        strcat(full, "/"); strcat(full, path); path = full;
    }
    return strncmp(path, root, strlen(root)) == 0;
}
static int inside_fd(int fd)
{
    char link[64], path[PATH_MAX];
    ssize_t n;
    if (!root[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return inside(path);
}
static int inside_at(int dir, const char *path)
{
    if (path && (path[0] == '/' || dir == AT_FDCWD)) return inside(path);
    return inside_fd(dir);
}
/* 1 where the call is to fail */
static int event(const char *name, int writes)
{
    long now;
    if (only_writes && !writes) return 0;
    now = seen++;
    if (how == WATCH) {
        char byte = 0;
        int before = errno;
        syscall(SYS_write, tell_fd, &byte, 1);
        syscall(SYS_read, hear_fd, &byte, 1);
        errno = before;
        return 0;
    }
    if (chosen < 0 || how == COUNT) return 0;
    if (now == chosen) {
        snprintf(what, sizeof what, "%s", name);
        if (how == KILL) { kill(getpid(), SIGKILL); for (;;) pause(); }
    }
    if (now == chosen || (how == FAIL_ON && now > chosen && writes)) { errno = code; return 1; }
    return 0;
}
#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        mode_t mode = 0; va_list more; \
        REAL(int, #name, const char *, int, ...); \
        va_start(more, flags); mode = va_arg(more, int); va_end(more); \
        if ((flags & (O_CREAT | O_TRUNC)) && inside(path) && event("open", 1)) return -1; \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name) \
    int name(int dir, const char *path, int flags, ...) \
    { \
        mode_t mode = 0; va_list more; \
        REAL(int, #name, int, const char *, int, ...); \
        va_start(more, flags); mode = va_arg(more, int); va_end(more); \
        if ((flags & (O_CREAT | O_TRUNC)) && inside_at(dir, path) && event("open", 1)) return -1; \
        return real(dir, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)
#define FOPEN(name) \
    FILE *name(const char *path, const char *mode) \
    { \
        REAL(FILE *, #name, const char *, const char *); \
        if (mode[0] != 'r' && inside(path) && event("open", 1)) return NULL; \
        return real(path, mode); \
    }
FOPEN(fopen)
FOPEN(fopen64)
size_t fwrite(const void *data, size_t size, size_t n, FILE *file)
{
    REAL(size_t, "fwrite", const void *, size_t, size_t, FILE *);
    if (root[0] && inside_fd(fileno(file)) && event("write", 1)) return 0;
    return real(data, size, n, file);
}
int fflush(FILE *file)
{
    REAL(int, "fflush", FILE *);
    if (root[0] && file && inside_fd(fileno(file)) && event("write", 1)) return -1;
    return real(file);
}
int fclose(FILE *file)
{
    REAL(int, "fclose", FILE *);
    int fail = root[0] && file && inside_fd(fileno(file)) && (fcntl(fileno(file), F_GETFL) & O_ACCMODE) && event("close", 1);
    int done = real(file);
    if (fail) { errno = code; return -1; }
    return done;
}
ssize_t write(int fd, const void *data, size_t n)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    if (inside_fd(fd) && event("write", 1)) return -1;
    return real(fd, data, n);
}
#define PWRITE(name, offset) \
    ssize_t name(int fd, const void *data, size_t n, offset at) \
    { \
        REAL(ssize_t, #name, int, const void *, size_t, offset); \
        if (inside_fd(fd) && event("write", 1)) return -1; \
        return real(fd, data, n, at); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
ssize_t writev(int fd, const struct iovec *data, int n)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (inside_fd(fd) && event("write", 1)) return -1;
    return real(fd, data, n);
}
ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    REAL(ssize_t, "sendfile", int, int, off_t *, size_t);
    if (inside_fd(to) && event("write", 1)) return -1;
    return real(to, from, at, n);
}
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t n, unsigned flags)
{
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    if (inside_fd(to) && event("write", 1)) return -1;
    return real(from, a, to, b, n, flags);
}
#define TRUNCATE(name, offset) \
    int name(int fd, offset n) \
    { \
        REAL(int, #name, int, offset); \
        if (inside_fd(fd) && event("truncate", 1)) return -1; \
        return real(fd, n); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)
#define SYNC(name) \
    int name(int fd) \
    { \
        REAL(int, #name, int); \
        if (inside_fd(fd) && event("fsync", 1)) return -1; \
        return real(fd); \
    }
SYNC(fsync)
SYNC(fdatasync)
int rename(const char *a, const char *b)
{
    REAL(int, "rename", const char *, const char *);
    if ((inside(a) || inside(b)) && event("rename", 0)) return -1;
    return real(a, b);
}
int renameat(int da, const char *a, int db, const char *b)
{
    REAL(int, "renameat", int, const char *, int, const char *);
    if ((inside_at(da, a) || inside_at(db, b)) && event("rename", 0)) return -1;
    return real(da, a, db, b);
}
int renameat2(int da, const char *a, int db, const char *b, unsigned flags)
{
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    if ((inside_at(da, a) || inside_at(db, b)) && event("exchange", 0)) return -1;
    return real(da, a, db, b, flags);
}
int unlink(const char *path)
{
    REAL(int, "unlink", const char *);
    if (inside(path) && event("unlink", 0)) return -1;
    return real(path);
}
int unlinkat(int dir, const char *path, int flags)
{
    REAL(int, "unlinkat", int, const char *, int);
    if (inside_at(dir, path) && event("unlink", 0)) return -1;
    return real(dir, path, flags);
}
int rmdir(const char *path)
{
    REAL(int, "rmdir", const char *);
    if (inside(path) && event("rmdir", 0)) return -1;
    return real(path);
}
int mkdir(const char *path, mode_t mode)
{
    REAL(int, "mkdir", const char *, mode_t);
    if (inside(path) && event("mkdir", 1)) return -1;
    return real(path, mode);
}
int mkdirat(int dir, const char *path, mode_t mode)
{
    REAL(int, "mkdirat", int, const char *, mode_t);
    if (inside_at(dir, path) && event("mkdir", 1)) return -1;
    return real(dir, path, mode);
}
int linkat(int da, const char *a, int db, const char *b, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int);
    if (inside_at(db, b) && event("link", 1)) return -1;
    return real(da, a, db, b, flags);
}
int link(const char *a, const char *b)
{
    REAL(int, "link", const char *, const char *);
    if (inside(b) && event("link", 1)) return -1;
    return real(a, b);
}
int chmod(const char *path, mode_t mode)
{
    REAL(int, "chmod", const char *, mode_t);
    if (inside(path) && event("chmod", 0)) return -1;
    return real(path, mode);
}
