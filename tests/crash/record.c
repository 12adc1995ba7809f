/* Preloaded into a process, writes down everything that it does to the files under one folder, and kills it
 * before the k-th of these operations. It must not know what the process is, nor what its files mean.
 *
 * Environment:
 *   CRASH_FOLDER  absolute path without links: files under it count
 *   CRASH_LOG     where the record goes, outside that folder
 *   CRASH_AT      kill before this operation, counted from 1; 0 or absent: never
 *   CRASH_TORN    when operation CRASH_AT is a write, let this many thousandths of it happen first
 *
 * A record is  u8 operation, u32 length of the path, u64 offset, u64 length of the data, path, data  in the
 * machine's byte order. It is written before the operation and taken back where the operation fails. A rename
 * has the path after as its data. Files whose names end in "-shm" are no part of it: SQLite makes them anew.
 *
 * One lock is held from the record to the end of the operation, so that the record's order is the order in
 * which the files changed. Children of the process record into the same log, under the same lock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, SYNC_FOLDER };

#define MAX_FDS 4096

static char folder[PATH_MAX];
static size_t folder_length;
static char *paths[MAX_FDS]; /* of the files that count, by descriptor */
static int log_fd = -1;
static long kill_at, torn;
static pid_t owner; /* whose the table of descriptors is: a child between vfork and exec shares it */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
    dprintf(2, "record.c: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void write_all(int fd, const void *data, size_t length) {
    const char *at = data;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, fd, at, length);
        if (done < 0) {
            if (errno == EINTR) continue;
            fail("log");
        }
        at += done;
        length -= (size_t)done;
    }
}

static void after_fork(void) {
    owner = getpid();
    pthread_mutex_init(&mutex, NULL);
}

__attribute__((constructor)) static void start(void) {
    const char *name = getenv("CRASH_FOLDER"), *log = getenv("CRASH_LOG"), *at = getenv("CRASH_AT");
    const char *part = getenv("CRASH_TORN");
    if (!name || !log) return;
    if (!realpath(name, folder)) fail(name);
    folder_length = strlen(folder);
    owner = getpid();
    pthread_atfork(NULL, NULL, after_fork);
    kill_at = at ? atol(at) : 0;
    torn = part ? atol(part) : -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) fail(log);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 1000); /* out of the way of whoever closes the low ones */
    if (log_fd < 0) fail("log");
    syscall(SYS_close, fd);
}

/* The number of operations so far is kept in the log's first eight bytes, for all processes. */
static uint64_t count_next(void) {
    uint64_t count = 0;
    if (syscall(SYS_pread64, log_fd, &count, sizeof count, 0) < 0) fail("count");
    count++;
    if (syscall(SYS_pwrite64, log_fd, &count, sizeof count, 0) != sizeof count) fail("count");
    return count;
}

static void set_count(uint64_t count) {
    if (syscall(SYS_pwrite64, log_fd, &count, sizeof count, 0) != sizeof count) fail("count");
}

static void lock(void) {
    pthread_mutex_lock(&mutex);
    while (flock(log_fd, LOCK_EX) < 0)
        if (errno != EINTR) fail("lock");
}

static void unlock(void) {
    flock(log_fd, LOCK_UN);
    pthread_mutex_unlock(&mutex);
}

static int counts(const char *path) {
    size_t length = strlen(path);
    if (log_fd < 0 || strncmp(path, folder, folder_length) != 0) return 0;
    if (path[folder_length] != '/' && path[folder_length] != 0) return 0;
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

/* The path without links and relative parts; the last part need not exist. */
static int resolve(int dirfd, const char *path, char out[PATH_MAX]) {
    char whole[PATH_MAX], parent[PATH_MAX];
    if (log_fd < 0 || !path) return 0;
    if (path[0] == '/') {
        if (strlen(path) >= sizeof whole) return 0;
        strcpy(whole, path);
    } else {
        char base[PATH_MAX];
        if (dirfd == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return 0;
            base[length] = 0;
        }
        if ((size_t)snprintf(whole, sizeof whole, "%s/%s", base, path) >= sizeof whole) return 0;
    }
    if (realpath(whole, out)) return counts(out);
    char *slash = strrchr(whole, '/');
    if (!slash || slash[1] == 0) return 0;
    char last[NAME_MAX + 1];
    if (strlen(slash + 1) > NAME_MAX) return 0;
    strcpy(last, slash + 1);
    *slash = 0;
    if (!realpath(*whole ? whole : "/", parent)) return 0;
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", parent, last) >= PATH_MAX) return 0;
    return counts(out);
}

static void put(int operation, const char *path, uint64_t offset, const struct iovec *data, int parts) {
    unsigned char head[21];
    uint32_t path_length = (uint32_t)strlen(path);
    uint64_t length = 0;
    for (int i = 0; i < parts; i++) length += data[i].iov_len;
    head[0] = (unsigned char)operation;
    memcpy(head + 1, &path_length, 4);
    memcpy(head + 5, &offset, 8);
    memcpy(head + 13, &length, 8);
    write_all(log_fd, head, sizeof head);
    write_all(log_fd, path, path_length);
    for (int i = 0; i < parts; i++) write_all(log_fd, data[i].iov_base, data[i].iov_len);
}

static off_t mark(void) {
    off_t end = lseek(log_fd, 0, SEEK_END);
    if (end == 0) {
        set_count(0);
        end = lseek(log_fd, 0, SEEK_END);
    }
    return end;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Write the operation down; dies here when it is the one. Returns where its record begins. */
static off_t begin(int operation, const char *path, uint64_t offset, const struct iovec *data, int parts) {
    lock();
    off_t start_of = mark();
    if (count_next() == (uint64_t)kill_at && kill_at > 0) {
        set_count((uint64_t)kill_at - 1);
        die();
    }
    put(operation, path, offset, data, parts);
    return start_of;
}

static void end(off_t start_of, int failed) {
    if (failed) {
        int saved = errno;
        uint64_t count = 0;
        if (syscall(SYS_pread64, log_fd, &count, sizeof count, 0) < 0) fail("count");
        set_count(count - 1);
        if (syscall(SYS_ftruncate, log_fd, start_of) < 0) fail("log");
        errno = saved;
    }
    int saved = errno;
    unlock();
    errno = saved;
}

static const char *path_of(int fd) { return fd >= 0 && fd < MAX_FDS ? paths[fd] : NULL; }

static void remember(int fd, const char *path) {
    if (fd < 0 || getpid() != owner) return;
    if (fd >= MAX_FDS) {
        errno = EMFILE;
        fail("descriptor");
    }
    free(paths[fd]);
    paths[fd] = path ? strdup(path) : NULL;
}

/* -- opening and closing -------------------------------------------------------------------------- */

static int open_recorded(int dirfd, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!resolve(dirfd, path, full)) {
        int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
        if (fd >= 0 && fd < MAX_FDS) remember(fd, NULL);
        return fd;
    }
    struct stat before;
    int exists = stat(full, &before) == 0;
    int operation = 0;
    if (!exists && (flags & O_CREAT)) operation = CREATE;
    else if (exists && (flags & O_TRUNC) && before.st_size > 0) operation = TRUNCATE;
    off_t start_of = operation ? begin(operation, full, 0, NULL, 0) : 0;
    int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    if (operation) end(start_of, fd < 0);
    if (fd >= 0) remember(fd, full);
    return fd;
}

#define MODE_OF(flags, mode)                     \
    mode_t mode = 0;                             \
    if ((flags) & (O_CREAT | O_TMPFILE)) {       \
        va_list more;                            \
        va_start(more, flags);                   \
        mode = (mode_t)va_arg(more, int);        \
        va_end(more);                            \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return open_recorded(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return open_recorded(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int dirfd, const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return open_recorded(dirfd, path, flags, mode);
}
int openat64(int dirfd, const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return open_recorded(dirfd, path, flags | O_LARGEFILE, mode);
}
int creat(const char *path, mode_t mode) {
    return open_recorded(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int fd) {
    if (fd == log_fd && fd >= 0) return 0;
    if (path_of(fd)) remember(fd, NULL);
    return (int)syscall(SYS_close, fd);
}

/* -- contents ------------------------------------------------------------------------------------- */

static ssize_t write_recorded(int fd, const struct iovec *data, int parts, off_t offset, int positioned) {
    const char *path = path_of(fd);
    if (!path)
        return positioned ? syscall(SYS_pwritev, fd, data, parts, offset, 0)
                          : syscall(SYS_writev, fd, data, parts);
    off_t at = offset;
    lock();
    if (!positioned) {
        struct stat now;
        int flags = fcntl(fd, F_GETFL);
        at = (flags & O_APPEND) && fstat(fd, &now) == 0 ? now.st_size : lseek(fd, 0, SEEK_CUR);
    }
    off_t start_of = mark();
    size_t length = 0;
    for (int i = 0; i < parts; i++) length += data[i].iov_len;
    if (count_next() == (uint64_t)kill_at && kill_at > 0) {
        set_count((uint64_t)kill_at - 1);
        if (torn >= 0) {
            size_t left = length * (size_t)torn / 1000;
            off_t to = at;
            for (int i = 0; i < parts && left > 0; i++) {
                size_t some = data[i].iov_len < left ? data[i].iov_len : left;
                if (syscall(SYS_pwrite64, fd, data[i].iov_base, some, to) < 0) fail("torn write");
                to += (off_t)some;
                left -= some;
            }
        }
        die();
    }
    put(WRITE, path, (uint64_t)at, data, parts);
    ssize_t done = positioned ? syscall(SYS_pwritev, fd, data, parts, offset, 0)
                              : syscall(SYS_writev, fd, data, parts);
    if (done >= 0 && (size_t)done != length) {
        errno = ENOSPC;
        fail("short write");
    }
    end(start_of, done < 0);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec one = {(void *)data, length};
    if (!path_of(fd)) return syscall(SYS_write, fd, data, length);
    return write_recorded(fd, &one, 1, 0, 0);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    struct iovec one = {(void *)data, length};
    if (!path_of(fd)) return syscall(SYS_pwrite64, fd, data, length, offset);
    return write_recorded(fd, &one, 1, offset, 1);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return pwrite(fd, data, length, (off_t)offset);
}
ssize_t writev(int fd, const struct iovec *data, int parts) { return write_recorded(fd, data, parts, 0, 0); }
ssize_t pwritev(int fd, const struct iovec *data, int parts, off_t offset) {
    return write_recorded(fd, data, parts, offset, 1);
}
ssize_t pwritev64(int fd, const struct iovec *data, int parts, off64_t offset) {
    return write_recorded(fd, data, parts, (off_t)offset, 1);
}

int ftruncate(int fd, off_t length) {
    const char *path = path_of(fd);
    if (!path) return (int)syscall(SYS_ftruncate, fd, length);
    off_t start_of = begin(TRUNCATE, path, (uint64_t)length, NULL, 0);
    int result = (int)syscall(SYS_ftruncate, fd, length);
    end(start_of, result < 0);
    return result;
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, (off_t)length); }

int truncate(const char *path, off_t length) {
    char full[PATH_MAX];
    if (!resolve(AT_FDCWD, path, full)) return (int)syscall(SYS_truncate, path, length);
    off_t start_of = begin(TRUNCATE, full, (uint64_t)length, NULL, 0);
    int result = (int)syscall(SYS_truncate, path, length);
    end(start_of, result < 0);
    return result;
}
int truncate64(const char *path, off64_t length) { return truncate(path, (off_t)length); }

/* Space set aside is zeros that may or may not be there: a truncation to the greater length. */
int fallocate(int fd, int mode, off_t offset, off_t length) {
    struct stat now;
    const char *path = path_of(fd);
    if (!path || mode != 0 || fstat(fd, &now) < 0 || offset + length <= now.st_size)
        return (int)syscall(SYS_fallocate, fd, mode, offset, length);
    return ftruncate(fd, offset + length);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    return fallocate(fd, mode, (off_t)offset, (off_t)length);
}
int posix_fallocate(int fd, off_t offset, off_t length) {
    return fallocate(fd, 0, offset, length) < 0 ? errno : 0;
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    return posix_fallocate(fd, (off_t)offset, (off_t)length);
}

/* Contents are whole at once here: there is no way between two files but through the process. */
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags) {
    if (path_of(out)) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t length) {
    if (path_of(out)) {
        errno = EINVAL;
        return -1;
    }
    return syscall(SYS_sendfile, out, in, offset, length);
}

static int sync_recorded(int fd, long number) {
    const char *path = path_of(fd);
    struct stat what;
    if (!path) return (int)syscall(number, fd);
    int is_folder = fstat(fd, &what) == 0 && S_ISDIR(what.st_mode);
    off_t start_of = begin(is_folder ? SYNC_FOLDER : SYNC, path, 0, NULL, 0);
    int result = 0; /* the process is killed, not the machine: what would be synced is in the record */
    (void)number;
    end(start_of, result < 0);
    return result;
}
int fsync(int fd) { return sync_recorded(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_recorded(fd, SYS_fdatasync); }

/* -- names ---------------------------------------------------------------------------------------- */

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char before[PATH_MAX], after[PATH_MAX];
    int known = resolve(from_dir, from, before);
    if (known != resolve(to_dir, to, after)) {
        errno = EXDEV;
        fail("rename into or out of the folder");
    }
    if (!known) return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    struct iovec data = {after, strlen(after)};
    off_t start_of = begin(RENAME, before, 0, &data, 1);
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    end(start_of, result < 0);
    return result;
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int dirfd, const char *path, int flags) {
    char full[PATH_MAX];
    if (!resolve(dirfd, path, full)) return (int)syscall(SYS_unlinkat, dirfd, path, flags);
    off_t start_of = begin(UNLINK, full, 0, NULL, 0);
    int result = (int)syscall(SYS_unlinkat, dirfd, path, flags);
    end(start_of, result < 0);
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int dirfd, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (!resolve(dirfd, path, full)) return (int)syscall(SYS_mkdirat, dirfd, path, mode);
    off_t start_of = begin(MKDIR, full, 0, NULL, 0);
    int result = (int)syscall(SYS_mkdirat, dirfd, path, mode);
    end(start_of, result < 0);
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
