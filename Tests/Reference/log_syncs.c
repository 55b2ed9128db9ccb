// Preloaded into a program, tells in the file $LOG_SYNCS, in their order, the folders it makes, the files it renames
// and what it syncs: a power cut cannot be had in a test.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void tell(const char *what, const char *path) {
  const char *log = getenv("LOG_SYNCS");
  if (!log) return;
  char line[4200];
  const int length = snprintf(line, sizeof line, "%s %s\n", what, path);
  const int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file >= 0 && write(file, line, (size_t)length) == length) close(file);
}

static void tell_sync(int descriptor) {
  char link[64], path[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (readlink(link, path, sizeof path - 1) > 0) tell("sync", path);
}

int fsync(int descriptor) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  const int code = real(descriptor);
  if (code == 0) tell_sync(descriptor);
  return code;
}

int fdatasync(int descriptor) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const int code = real(descriptor);
  if (code == 0) tell_sync(descriptor);
  return code;
}

int mkdir(const char *path, mode_t mode) {
  int (*real)(const char *, mode_t) = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
  const int code = real(path, mode);
  if (code == 0) tell("mkdir", path);
  return code;
}

int mkdirat(int folder, const char *path, mode_t mode) {
  int (*real)(int, const char *, mode_t) = (int (*)(int, const char *, mode_t))dlsym(RTLD_NEXT, "mkdirat");
  const int code = real(folder, path, mode);
  if (code == 0) tell("mkdir", path);
  return code;
}

int renameat(int folder, const char *old, int new_folder, const char *path) {
  int (*real)(int, const char *, int, const char *) =
      (int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat");
  const int code = real(folder, old, new_folder, path);
  if (code == 0) tell("rename", path);
  return code;
}
