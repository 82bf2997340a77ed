// The capture file reader: any bytes as a file, plain or compressed, pcap or pcapng.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/file/file_source.h"

static struct chunk_pool *pool;
static int fd;
static char path[32];

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    pool = chunk_pool_create(4, CHUNK_BYTES);
    fd = memfd_create("input", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return pool == NULL || fd < 0;
}

static volatile unsigned sum;

// Every byte that a frame claims must be there.
static void touch(const struct frame *frame)
{
    for (uint32_t i = 0; i < frame->captured; i++)
        sum += frame->bytes[i];
    if (frame->captured > frame->length || frame->captured > FRAME_CAPTURED_MAX)
        abort();
}

static void read_all(struct source *source)
{
    struct frame frames[32];
    unsigned count;
    while (source_poll(source, -1, frames, 32, &count) == SOURCE_FRAMES)
        for (unsigned i = 0; i < count; i++) {
            touch(&frames[i]);
            if (frames[i].interface >= source_interfaces(source))
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, length, 0) != (ssize_t)length)
        return 0;
    char *paths[] = {path};
    struct string_list list = {.items = paths, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, length % 2 == 0 ? "" : "tcp or udp", pool, &error);
    if (source != NULL)
        read_all(source);
    source_destroy(source);
    if (chunk_pool_out(pool) != 0)
        abort();
    return 0;
}
