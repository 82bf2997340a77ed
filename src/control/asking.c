// Questions to a run, from any thread but its own: they wait until the answer is there.
#include <assert.h>
#include <stdatomic.h>

#include "aggregate/name_search.h"
#include "base/time.h"
#include "capture/clock.h"
#include "control/control_inside.h"
#include "pipeline/question.h"

enum {
    ANSWER_WAIT_MS = 5000,
    QUESTIONS = 32, // at once: the most rows that can be asked for take some 600 KB a shard
};

static int64_t answer_deadline(void)
{
    return clock_now_ns() + ANSWER_WAIT_MS * NS_PER_MS;
}

// Asks and waits; the question is released.
static struct flow_page *await_page(struct control *control, struct question *question, struct error *error)
{
    struct flow_page *page = NULL;
    bool good = pipeline_ask(control->pipeline, question, error) &&
                (message_wait(&question->message, ANSWER_WAIT_MS) ||
                 error_set(error, ERROR_DEADLINE_EXCEEDED, "the answer did not come within %d s: try again",
                           ANSWER_WAIT_MS / 1000));
    if (good && question->page != NULL)
        page = flow_page_hold(question->page);
    else if (good)
        *error = question->error;
    message_cancel(&question->message);
    return page;
}

// Before any memory is touched for it.
static bool enter_question(struct control *control, struct error *error)
{
    if (atomic_fetch_add(&control->asking, 1) < QUESTIONS)
        return true;
    atomic_fetch_sub(&control->asking, 1);
    return error_set(error, ERROR_EXHAUSTED,
                     "%d questions about flows are on their way: ask again in a moment", QUESTIONS);
}

static void leave_question(struct control *control)
{
    unsigned before = atomic_fetch_sub(&control->asking, 1);
    assert(before > 0);
}

struct flow_page *control_ask(struct control *control, const struct flow_query *query, struct error *error)
{
    if (!enter_question(control, error))
        return NULL;
    struct question *question = pipeline_question(control->pipeline, query, answer_deadline(), error);
    struct flow_page *page = question != NULL ? await_page(control, question, error) : NULL;
    leave_question(control);
    return page;
}

struct flow_page *control_list(struct control *control, const struct flow_query *query, const char *token,
                               struct error *error)
{
    struct pipeline_listed listed;
    struct flow_page *page = NULL;
    if (!enter_question(control, error))
        return NULL;
    if (pipeline_list(control->pipeline, query, token, answer_deadline(), &listed, error))
        page = listed.again != NULL ? listed.again : await_page(control, listed.question, error);
    leave_question(control);
    return page;
}

// Takes the search, NULL without memory; gives it back when it is finished.
static struct name_search *await_search(struct control *control, struct name_search *search,
                                        struct error *error)
{
    if (search == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to look names up");
        return NULL;
    }
    if (!pipeline_post(control->pipeline, &search->message, error)) {
        message_arrive(&search->message); // it is on no way
    } else if (!message_wait(&search->message, ANSWER_WAIT_MS)) {
        error_set(error, ERROR_DEADLINE_EXCEEDED, "the names were not looked up within %d s: try again",
                  ANSWER_WAIT_MS / 1000);
    } else if (search->error.kind != ERROR_NONE) {
        *error = search->error;
    } else {
        return search;
    }
    message_cancel(&search->message);
    return NULL;
}

struct name_search *control_find_names(struct control *control, const struct filter_name *names,
                                       unsigned count, struct error *error)
{
    struct flow_filter filter = {.names = names, .name_count = count};
    if (!flow_filter_check(&(struct flow_filters){.allow = &filter, .allow_count = 1}, error))
        return NULL;
    return await_search(control, name_search_create(names, count, answer_deadline()), error);
}

struct name_search *control_find_places(struct control *control, const char *const *namespaces,
                                        unsigned count, struct error *error)
{
    return await_search(control, name_search_create_places(namespaces, count, answer_deadline()), error);
}
