#include "api/limits.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool read_network(struct limits *limits, const char *text, struct error *error)
{
    return prefix_parse(text, &limits->networks[limits->network_count++]) ||
           error_set(error, ERROR_INVALID_ARGUMENT,
                     "\"%.60s\" is no address or network: write network=10.0.0.0/8, host bits zero", text);
}

static bool read_word(struct limits *limits, const char *word, struct error *error)
{
    const char *equals = strchr(word, '=');
    size_t key = equals != NULL ? (size_t)(equals - word) : 0;
    if (key == 0 || equals[1] == '\0')
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "\"%.60s\" is no limit: write network=..., namespace=... or node=...", word);
    if (strncmp(word, "network=", key + 1) == 0)
        return read_network(limits, equals + 1, error);
    if (strncmp(word, "namespace=", key + 1) == 0)
        limits->namespaces[limits->namespace_count++] = equals + 1;
    else if (strncmp(word, "node=", key + 1) == 0)
        limits->nodes[limits->node_count++] = equals + 1;
    else
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "\"%.60s\" is no limit that there is: network=, namespace= and node= are", word);
    return true;
}

static struct limits *create(char *const *words, unsigned count)
{
    struct limits *limits = calloc(1, sizeof *limits);
    if (limits == NULL)
        return NULL;
    atomic_init(&limits->holders, 1);
    limits->words = calloc(count, sizeof *limits->words);
    limits->networks = calloc(count, sizeof *limits->networks);
    limits->namespaces = calloc(count, sizeof *limits->namespaces);
    limits->nodes = calloc(count, sizeof *limits->nodes);
    bool good = limits->words != NULL && limits->networks != NULL && limits->namespaces != NULL &&
                limits->nodes != NULL;
    for (unsigned i = 0; good && i < count; i++) {
        limits->words[i] = strdup(words[i]);
        limits->word_count = i + 1;
        good = limits->words[i] != NULL;
    }
    if (good)
        return limits;
    limits_release(limits);
    return NULL;
}

bool limits_parse(char *const *words, unsigned count, struct limits **out, struct error *error)
{
    *out = NULL;
    if (count == 0)
        return true;
    if (count > LIMITS_MOST)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%u limits are too many: give at most %d", count,
                         LIMITS_MOST);
    struct limits *limits = create(words, count);
    if (limits == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for a caller's limits");
    for (unsigned i = 0; i < count; i++) {
        if (!read_word(limits, limits->words[i], error)) {
            limits_release(limits);
            return false;
        }
    }
    assert(limits->network_count + limits->namespace_count + limits->node_count == count);
    *out = limits;
    return true;
}

struct limits *limits_hold(const struct limits *limits)
{
    struct limits *held = (struct limits *)(uintptr_t)limits;
    if (held != NULL)
        atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
    return held;
}

void limits_release(const struct limits *limits)
{
    struct limits *held = (struct limits *)(uintptr_t)limits;
    if (held == NULL || atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < held->word_count; i++)
        free(held->words[i]);
    free(held->words);
    free(held->networks);
    free(held->namespaces);
    free(held->nodes);
    free(held);
}

bool limits_are_same(const struct limits *left, const struct limits *right)
{
    if (left == NULL || right == NULL)
        return left == right;
    if (left->word_count != right->word_count)
        return false;
    for (unsigned i = 0; i < left->word_count; i++)
        if (strcmp(left->words[i], right->words[i]) != 0)
            return false;
    return true;
}

bool limits_hold_node(const struct limits *limits, const char *node)
{
    if (limits == NULL || limits->node_count == 0)
        return true;
    for (unsigned i = 0; i < limits->node_count; i++)
        if (strcmp(limits->nodes[i], node) == 0)
            return true;
    return false;
}
