#include "mix/capture_list.h"

#include <dirent.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mix/trace.h"

static void *grown(void *items, size_t bytes)
{
    void *larger = realloc(items, bytes);
    if (larger == NULL)
        mix_fail("no memory for the captures");
    return larger;
}

static void add_frame(struct capture *capture, uint64_t at_us, const struct pcap_pkthdr *header,
                      const uint8_t *bytes)
{
    if (capture->count == capture->room) {
        capture->room = capture->room != 0 ? capture->room * 2 : 64;
        capture->frames = grown(capture->frames, capture->room * sizeof *capture->frames);
    }
    while (capture->used + header->caplen > capture->capacity) {
        capture->capacity = capture->capacity != 0 ? capture->capacity * 2 : 4096;
        capture->bytes = grown(capture->bytes, capture->capacity);
    }
    memcpy(capture->bytes + capture->used, bytes, header->caplen);
    capture->frames[capture->count++] = (struct capture_frame){
        .at_us = at_us, .offset = capture->used, .captured = header->caplen, .length = header->len};
    capture->used += header->caplen;
}

// A step back in time is taken as none.
static void read_frames(struct capture *capture, pcap_t *file)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int64_t first_us = 0, at_us = 0;
    while (pcap_next_ex(file, &header, &bytes) == 1) {
        int64_t stamp_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec;
        if (capture->count == 0)
            first_us = stamp_us;
        if (stamp_us - first_us > at_us)
            at_us = stamp_us - first_us;
        add_frame(capture, (uint64_t)at_us, header, bytes);
    }
}

static void add_file(struct capture_list *list, const char *path)
{
    char reason[PCAP_ERRBUF_SIZE];
    struct capture capture = {0};
    pcap_t *file = pcap_open_offline(path, reason);
    if (file != NULL && pcap_datalink(file) == DLT_EN10MB)
        read_frames(&capture, file);
    if (file != NULL)
        pcap_close(file);
    if (capture.count == 0) {
        list->skipped++;
        return;
    }
    if (list->count == list->room) {
        list->room = list->room != 0 ? list->room * 2 : 64;
        list->items = grown(list->items, list->room * sizeof *list->items);
    }
    list->items[list->count++] = capture;
    list->bytes += capture.used;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_directory(struct capture_list *list, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, no_dots, alphasort);
    if (count < 0)
        mix_fail("%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *below;
        if (asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
            mix_fail("no memory for a path");
        capture_list_add(list, below);
        free(below);
        free(entries[i]);
    }
    free(entries);
}

void capture_list_add(struct capture_list *list, const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        mix_fail("%s: %s", path, strerror(errno));
    if (S_ISDIR(found.st_mode))
        add_directory(list, path);
    else if (S_ISREG(found.st_mode))
        add_file(list, path);
}

void capture_list_done(struct capture_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->items[i].frames);
        free(list->items[i].bytes);
    }
    free(list->items);
}
