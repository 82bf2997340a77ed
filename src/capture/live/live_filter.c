#include "capture/live/live_filter.h"

#include <assert.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <pcap/pcap.h>

#include "base/log.h"
#include "capture/source.h"

_Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter), "libpcap's programs are the kernel's");

static bool invalid(struct error *error, const char *expression, struct pcap *pcap)
{
    return error_set(error, ERROR_INVALID_ARGUMENT, "the filter \"%s\" is not valid: %s", expression,
                     pcap_geterr(pcap));
}

struct bpf_program *live_filter_compile(struct live_handle *handle, const char *expression,
                                        struct error *error)
{
    struct bpf_program *program = calloc(1, sizeof *program);
    if (program == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the filter");
        return NULL;
    }
    if (pcap_compile(handle->pcap, program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0)
        return program;
    invalid(error, expression, handle->pcap);
    free(program);
    return NULL;
}

void live_filter_free(struct bpf_program *program)
{
    if (program == NULL)
        return;
    pcap_freecode(program);
    free(program);
}

bool live_filter_check(const char *expression, struct error *error)
{
    struct bpf_program program;
    struct pcap *pcap = pcap_open_dead(DLT_EN10MB, FRAME_CAPTURED_MAX);
    if (pcap == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the filter");
    bool valid = pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (valid)
        pcap_freecode(&program);
    else
        invalid(error, expression, pcap);
    pcap_close(pcap);
    return valid;
}

bool live_filter_attach(const struct live_handle *handle, const struct bpf_program *program)
{
    assert(!handle->cooked && program->bf_len > 0);
    struct sock_fprog code = {.len = (unsigned short)program->bf_len,
                              .filter = (struct sock_filter *)(void *)program->bf_insns};
    return program->bf_len <= BPF_MAXINSNS &&
           setsockopt(handle->fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code) == 0;
}

void live_filter_ask(struct live_handle *handle, struct bpf_program *take_program)
{
    assert(handle->cooked);
    live_filter_free(atomic_exchange(&handle->next_filter, NULL));
    atomic_store(&handle->filter_state, LIVE_FILTER_ASKED);
    atomic_store(&handle->next_filter, take_program);
}

void live_filter_take(struct live_handle *handle)
{
    struct bpf_program *program = atomic_exchange(&handle->next_filter, NULL);
    if (program == NULL)
        return;
    bool set = pcap_setfilter(handle->pcap, program) == 0;
    if (!set)
        log_warning("capture", "%s keeps its filter: %s", handle->device, pcap_geterr(handle->pcap));
    live_filter_free(program);
    atomic_store(&handle->filter_state, set ? LIVE_FILTER_SET : LIVE_FILTER_REFUSED);
}

// By libpcap, which falls back to filtering by itself.
static bool set_by_libpcap(struct live_handle *handle, struct bpf_program *program, const char *expression,
                           struct error *error)
{
    handle->cooked = true;
    handle->exact = false;
    if (pcap_setfilter(handle->pcap, program) == 0)
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT, "the filter \"%s\" cannot be set on %s: %s", expression,
                     handle->device, pcap_geterr(handle->pcap));
}

bool live_filter_begin(struct live_handle *handle, const char *expression, struct error *error)
{
    struct bpf_program *program = live_filter_compile(handle, expression, error);
    if (program == NULL)
        return false;
    bool set = (!handle->cooked && live_filter_attach(handle, program)) ||
               set_by_libpcap(handle, program, expression, error);
    live_filter_free(program);
    return set;
}
