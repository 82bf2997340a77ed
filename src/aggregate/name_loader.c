#include "aggregate/name_loader.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/thread.h"

enum { LOOK_EVERY_S = 2 };

struct name_loader {
    struct naming *_Atomic fresh;   // not taken yet; NULL = none
    struct naming *_Atomic retired; // given back, to be freed: a list
    pthread_t thread;
    bool watching;
    pthread_mutex_t lock;
    pthread_cond_t ending_changed;
    bool ending;
    unsigned change; // counts name_loader_change()
    struct names_settings settings;
    struct file_version version; // that was loaded, or refused
};

static void free_list(struct naming *list)
{
    while (list != NULL) {
        struct naming *next = list->next;
        naming_destroy(list);
        list = next;
    }
}

// Hands over; one that was not taken is not needed any more. Under the lock, but at the start.
static void publish(struct name_loader *loader, struct naming *naming)
{
    names_settings_done(&loader->settings);
    loader->settings = naming->settings;
    naming->settings = (struct names_settings){0};
    loader->version = naming->version;
    naming_destroy(atomic_exchange(&loader->fresh, naming));
}

// A version that the settings named meanwhile, or not any more, is thrown away.
static void load_version(struct name_loader *loader, const struct file_version *version)
{
    struct error error;
    struct names_settings settings;
    unsigned change = loader->change;
    loader->version = *version;
    if (!names_settings_copy(&settings, &loader->settings, &error))
        return;
    pthread_mutex_unlock(&loader->lock);
    struct naming *naming = naming_load(&settings, &error);
    if (naming == NULL)
        log_warning("names", "%s; the names loaded before stay", error.text);
    names_settings_done(&settings);
    pthread_mutex_lock(&loader->lock);
    if (change == loader->change && naming != NULL)
        publish(loader, naming);
    else
        naming_destroy(naming);
}

// Under the lock.
static void await_look(struct name_loader *loader)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_EVERY_S;
    pthread_cond_timedwait(&loader->ending_changed, &loader->lock, &until);
}

static void *watch(void *argument)
{
    struct name_loader *loader = argument;
    pthread_setname_np(pthread_self(), "names");
    pthread_mutex_lock(&loader->lock);
    while (!loader->ending) {
        struct file_version version = file_version_of(loader->settings.file);
        if (!file_version_is_same(&version, &loader->version))
            load_version(loader, &version);
        free_list(atomic_exchange(&loader->retired, NULL));
        if (!loader->ending)
            await_look(loader);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

static void begin(struct name_loader *loader)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loader->ending_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&loader->lock, NULL);
}

static bool load_first(struct name_loader *loader, const struct names_settings *settings, struct error *error)
{
    struct naming *naming = naming_load(settings, error);
    if (naming == NULL)
        return false;
    publish(loader, naming);
    return true;
}

struct name_loader *name_loader_create(const struct names_settings *settings, bool watching,
                                       struct error *error)
{
    struct name_loader *loader = calloc(1, sizeof *loader);
    if (loader == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the names of addresses");
        return NULL;
    }
    begin(loader);
    bool good = load_first(loader, settings, error);
    if (good && watching) {
        loader->watching = thread_start(&loader->thread, watch, loader);
        good = loader->watching ||
               error_set(error, ERROR_EXHAUSTED,
                         "no thread for names.file: raise the limit of processes (ulimit -u)");
    }
    if (good)
        return loader;
    name_loader_destroy(loader);
    return NULL;
}

void name_loader_destroy(struct name_loader *loader)
{
    if (loader == NULL)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->ending = true;
    pthread_cond_signal(&loader->ending_changed);
    pthread_mutex_unlock(&loader->lock);
    if (loader->watching)
        pthread_join(loader->thread, NULL);
    naming_destroy(atomic_load(&loader->fresh));
    free_list(atomic_load(&loader->retired));
    names_settings_done(&loader->settings);
    pthread_cond_destroy(&loader->ending_changed);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

struct naming *name_loader_take(struct name_loader *loader, struct naming *held)
{
    struct naming *fresh = NULL;
    if (atomic_load_explicit(&loader->fresh, memory_order_relaxed) != NULL)
        fresh = atomic_exchange(&loader->fresh, NULL);
    if (fresh == NULL)
        return held;
    if (held != NULL) {
        held->next = atomic_load(&loader->retired);
        while (!atomic_compare_exchange_weak(&loader->retired, &held->next, held))
            continue;
    }
    return fresh;
}

void name_loader_change(struct name_loader *loader, struct naming *take_naming)
{
    assert(take_naming != NULL && take_naming->next == NULL && take_naming->settings.file != NULL);
    pthread_mutex_lock(&loader->lock);
    loader->change++;
    publish(loader, take_naming);
    pthread_mutex_unlock(&loader->lock);
}
