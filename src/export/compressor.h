// Compresses one complete file at a time in a thread of its own: "flows.000001.jsonl" becomes
// flows.000001.jsonl.gz and the plain file goes. What fails is logged and leaves the plain file.
// Used by the one writer thread that owns it.
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct compressor {
    pthread_t thread;
    bool running;
    char *path;
};

// Waits for the file before it, if that is still being compressed; zeros are an idle compressor.
void compressor_start(struct compressor *compressor, const char *path);
void compressor_wait(struct compressor *compressor);
