/* Preloaded by test_saving.py: records the calls that write files, and makes one of them fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int active, calls, failing, code;
static size_t longest;
static char names[1 << 16];

/* From now on the failing-th call sets errno to code, and a write takes at most so many bytes. */
void calls_begin(int failing_, int code_, size_t longest_) {
    failing = failing_, code = code_, longest = longest_, calls = 0, names[0] = '\0', active = 1;
}

/* The names of the calls since, separated by spaces. */
const char* calls_end(void) {
    active = 0;
    return names;
}

static int fails(const char* name) {
    if (!active) return 0;
    strncat(names, name, sizeof names - strlen(names) - 1);
    strncat(names, " ", sizeof names - strlen(names) - 1);
    if (++calls != failing) return 0;
    errno = code;
    return 1;
}

static int is_folder(int file) {
    struct stat status;
    return fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
}

static int open_as(__typeof__(&open) next, const char* path, int flags, mode_t mode) {
    const int folder = (flags & O_DIRECTORY) == O_DIRECTORY;
    if (fails(flags & O_CREAT ? "create" : folder ? "open_folder" : "open")) return -1;
    return next(path, flags, mode);
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_as(NEXT(open), path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_as(NEXT(open64), path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t size) {
    if (fails("write")) return -1;
    return NEXT(write)(file, bytes, active && size > longest ? longest : size);
}

int fchmod(int file, mode_t mode) { return fails("fchmod") ? -1 : NEXT(fchmod)(file, mode); }

int fsync(int file) { return fails(is_folder(file) ? "fsync_folder" : "fsync") ? -1 : NEXT(fsync)(file); }

int rename(const char* from, const char* to) { return fails("rename") ? -1 : NEXT(rename)(from, to); }
