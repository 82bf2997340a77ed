// What a test gives to config_load() (settings file, environment, words of the command line), and what
// came of it. One thread.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

enum { WORDS_MAXIMUM = 16 };

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct outcome {
    bool loaded;
    struct settings settings;
    struct config_invocation what;
    struct error error;
    char path[64]; // of the settings file
};

static inline void write_file(char path[64], const char *text)
{
    strcpy(path, "/tmp/netscope-test-XXXXXX");
    int file = mkstemp(path);
    cr_assert(file >= 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static inline int copy_words(char *into[WORDS_MAXIMUM], const char *const *words)
{
    int count = 0;
    for (; words != NULL && words[count] != NULL; count++)
        into[count] = strdup(words[count]);
    into[count] = NULL;
    return count;
}

// Each part may be NULL. The outcome's settings are the caller's to free with outcome_done().
static inline struct outcome load(const char *yaml, const char *const *environment, const char *const *words)
{
    struct outcome outcome = {0};
    char *variables[WORDS_MAXIMUM], *argv[WORDS_MAXIMUM + 4];
    char name[] = "netscope", config[] = "--config";
    int argc = 0;
    argv[argc++] = name;
    if (yaml != NULL) {
        write_file(outcome.path, yaml);
        argv[argc++] = config;
        argv[argc++] = outcome.path;
    }
    int given = copy_words(argv + argc, words), set = copy_words(variables, environment);
    char *owned[WORDS_MAXIMUM];
    memcpy(owned, argv + argc, sizeof owned[0] * (size_t)given);
    outcome.loaded =
        config_load(argc + given, argv, variables, &outcome.settings, &outcome.what, &outcome.error);
    if (yaml != NULL)
        unlink(outcome.path);
    for (int i = 0; i < given; i++)
        free(owned[i]);
    for (int i = 0; i < set; i++)
        free(variables[i]);
    return outcome;
}

static inline void outcome_done(struct outcome *outcome)
{
    settings_done(&outcome->settings);
}

// Loading fails with exit 2 and a sentence that holds `part`.
static inline void refused(struct outcome outcome, const char *part)
{
    cr_assert_not(outcome.loaded, "was accepted, expected: %s", part);
    cr_expect_eq(outcome.error.kind, ERROR_INVALID_ARGUMENT);
    cr_expect(strstr(outcome.error.text, part) != NULL, "\"%s\" lacks \"%s\"", outcome.error.text, part);
}

static inline struct outcome accepted(struct outcome outcome)
{
    cr_assert(outcome.loaded, "%s", outcome.error.text);
    return outcome;
}

// What `load` writes to stderr, where the log goes.
static inline void logged(char *text, size_t size, const char *const *environment, const char *const *words)
{
    char path[64];
    write_file(path, "");
    int kept = dup(STDERR_FILENO), file = open(path, O_RDWR);
    dup2(file, STDERR_FILENO);
    struct outcome outcome = load(NULL, environment, words);
    dup2(kept, STDERR_FILENO);
    ssize_t length = pread(file, text, size - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    close(file);
    close(kept);
    unlink(path);
    accepted(outcome);
    outcome_done(&outcome);
}
