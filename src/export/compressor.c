#include "export/compressor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file_series.h"
#include "base/log.h"
#include "base/thread.h"

enum { CHUNK_BYTES = 128 * 1024 };

static bool copy_compressed(int from, gzFile into)
{
    char *chunk = malloc(CHUNK_BYTES);
    if (chunk == NULL)
        return false;
    ssize_t length;
    bool good = true;
    while (good && (length = read(from, chunk, CHUNK_BYTES)) != 0)
        good = length > 0 && gzwrite(into, chunk, (unsigned)length) == (int)length;
    free(chunk);
    return good;
}

static bool compress_to(int from, const char *partial)
{
    gzFile into = gzopen(partial, "wb6e");
    if (into == NULL)
        return false;
    bool good = copy_compressed(from, into);
    return gzclose(into) == Z_OK && good;
}

static bool compress_file(const char *path, const char *partial, const char *whole)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return false;
    bool good = compress_to(from, partial) && rename(partial, whole) == 0;
    int reason = errno;
    close(from);
    unlink(good ? path : partial);
    errno = reason;
    return good;
}

static void *compressor_main(void *argument)
{
    const char *path = argument;
    char *partial = NULL, *whole = NULL;
    if (asprintf(&partial, "%s%s", path, file_series_partial) < 0)
        partial = NULL;
    if (asprintf(&whole, "%s.gz", path) < 0)
        whole = NULL;
    if (partial == NULL || whole == NULL || !compress_file(path, partial, whole))
        log_warning("export", "cannot compress %s: %s; it stays as it is", path, strerror(errno));
    free(partial);
    free(whole);
    return NULL;
}

void compressor_start(struct compressor *compressor, const char *path)
{
    compressor_wait(compressor);
    assert(!compressor->running && compressor->path == NULL);
    compressor->path = strdup(path);
    if (compressor->path == NULL)
        return;
    compressor->running = thread_start(&compressor->thread, compressor_main, compressor->path);
}

void compressor_wait(struct compressor *compressor)
{
    if (compressor->running)
        pthread_join(compressor->thread, NULL);
    compressor->running = false;
    free(compressor->path);
    compressor->path = NULL;
}
